// One waiting record as the commands show it: the recipients that are still open, what was tried, what comes next.
import type { QueueItem } from '@posthouse/queue/port'
import { humanBytes, humanDuration, printable } from './human.ts'

export interface ShownItem {
  readonly id: string
  readonly state: QueueItem['state']
  readonly partition: number
  /** '' is the null reverse-path: a bounce. */
  readonly from: string
  /** Those that are still open. */
  readonly recipients: readonly string[]
  readonly size: number
  readonly acceptedAt: string
  readonly acceptedBy?: string
  readonly user?: string
  readonly messageId?: string
  readonly attempts: number
  readonly due?: string
  readonly lastReply?: string
  readonly lastHost?: string
  readonly suspect: boolean
}

export function shown({ partition, envelope, open, state, due }: QueueItem): ShownItem {
  const { id, from, recipients, facts, acceptedAt, accepted, attempts, suspect } = envelope
  return {
    id,
    state,
    partition,
    from,
    recipients: open.flatMap((position) => recipients[position]?.address ?? []),
    size: facts.size,
    acceptedAt: new Date(acceptedAt).toISOString(),
    ...(accepted === undefined ? {} : { acceptedBy: accepted.node }),
    ...(accepted?.user === undefined ? {} : { user: accepted.user }),
    ...(accepted?.messageId === undefined ? {} : { messageId: accepted.messageId }),
    attempts: attempts.count,
    ...(due === undefined ? {} : { due: new Date(due).toISOString() }),
    ...(attempts.lastReply === undefined ? {} : { lastReply: attempts.lastReply }),
    ...(attempts.lastHost === undefined ? {} : { lastHost: attempts.lastHost }),
    suspect: suspect === true,
  }
}

/** "in 4 min", "now", or when it was accepted for one that was not tried yet. */
export function nextStep(item: ShownItem, now: number): string {
  if (item.due === undefined) return `accepted ${humanDuration(now - Date.parse(item.acceptedAt))} ago`
  const ms = Date.parse(item.due) - now
  return ms <= 0 ? 'due now' : `due in ${humanDuration(ms)}`
}

export function itemText(item: ShownItem, now: number): string {
  const lines: [string, string][] = [
    ['id', item.id],
    ['state', `${item.state}, ${nextStep(item, now)}`],
    ['from', `<${item.from}>`],
    ...item.recipients.map((address): [string, string] => ['to', `<${address}>`]),
    ['size', humanBytes(item.size)],
    ['accepted', [item.acceptedAt, ...(item.acceptedBy === undefined ? [] : [`by ${item.acceptedBy}`])].join(' ')],
  ]
  if (item.user !== undefined) lines.push(['user', item.user])
  if (item.messageId !== undefined) lines.push(['Message-ID', item.messageId])
  lines.push(['attempts', String(item.attempts)])
  if (item.lastReply !== undefined) {
    lines.push(['last reply', item.lastReply + (item.lastHost === undefined ? '' : ` (${item.lastHost})`)])
  }
  if (item.suspect) lines.push(['note', 'may have been delivered already: its last attempt ended without an answer'])
  lines.push(['partition', String(item.partition)])
  return lines.map(([name, value]) => `${name.padEnd(10)}  ${printable(value)}`).join('\n')
}
