// An event in words, for people; what came from elsewhere cannot move the cursor.
import type { Acceptance, Attempt, MailEvent } from '@posthouse/core/event'
import { humanBytes, humanDuration, printable, shortened } from './human.ts'

const REPLY_LENGTH = 120
const MOST_ADDRESSES = 3

/** One line: when, which message, whose mail, and what happened. */
export function eventLine(event: MailEvent): string {
  const { time, message, type, sender, recipients, acceptance } = event
  const names = recipients.map(({ index, address }) => recipientName(index, address))
  const to = addresses(names, Math.max(0, (acceptance?.recipients ?? 0) - names.length))
  const whose = type === 'accepted' ? `<${sender ?? '?'}> to ${to}` : to
  return printable(`${time}  ${message}  ${whose}: ${whatHappened(event)} (${event.node})`)
}

/** What happened, without when, where and to whose mail. */
export function whatHappened(event: MailEvent): string {
  const { type, attempt, acceptance, next, report, possibleDuplicate } = event
  const words = [outcome(event)]
  if (acceptance !== undefined) words.push(`${humanBytes(acceptance.size)} ${clientText(acceptance)}`)
  if (attempt !== undefined && type !== 'parked') words.push(attemptText(attempt))
  if (next !== undefined) words.push(`next at ${next}`)
  if (possibleDuplicate === true) words.push('possible duplicate')
  if (report !== undefined) words.push(`report ${report}`)
  return printable(words.filter((part) => part !== '').join(', '))
}

function outcome({ type, attempt }: MailEvent): string {
  switch (type) {
    case 'accepted':
      return 'accepted'
    case 'parked':
      return 'parked, no room at its destination'
    case 'attempted':
      return `attempt ${attempt?.number ?? '?'} of a node that had lost the partition, counts for nothing`
    default:
      return attempt === undefined ? type : `attempt ${attempt.number}: ${type}`
  }
}

/** "in 12 ms by mx1.example.org[192.0.2.1]:25 (TLSv1.3): 250 2.0.0 Ok" */
function attemptText({ host, tls, reply, ms }: Attempt): string {
  const where = [
    ...(ms === undefined ? [] : [`in ${ms < 10_000 ? `${ms} ms` : humanDuration(ms)}`]),
    ...(host === undefined ? [] : hostText(host, tls, reply)),
  ].join(' ')
  if (reply === undefined) return where
  const said = shortened(reply, REPLY_LENGTH)
  return where === '' ? said : `${where}: ${said}`
}

/** Without a reply of the host nobody knows whether there was a connection. */
function hostText(host: string, tls: string | undefined, reply: string | undefined): string[] {
  const replied = reply === undefined || /^\d{3}[ -]/.test(reply)
  if (tls !== undefined) return [replied ? 'by' : 'at', host, `(${tls})`]
  return replied ? ['by', host, '(no TLS)'] : ['at', host]
}

/** "from 192.0.2.7, HELO client.example.org, TLSv1.3, user anna, listener submission" */
export function clientText({ client, helo, tls, user, role }: Acceptance): string {
  return [
    `from ${client}`,
    ...(helo === undefined ? [] : [`HELO ${helo}`]),
    tls ?? 'no TLS',
    ...(user === undefined ? [] : [`user ${user}`]),
    `listener ${role}`,
  ].join(', ')
}

export function recipientName(index: number, address: string | undefined): string {
  return address === undefined ? `recipient ${index}` : `<${address}>`
}

/** The first few by name; `unnamed` more have none. */
export function addresses(names: readonly string[], unnamed = 0): string {
  const more = Math.max(0, names.length - MOST_ADDRESSES) + unnamed
  return names.slice(0, MOST_ADDRESSES).join(', ') + (more > 0 ? ` and ${more} more` : '')
}
