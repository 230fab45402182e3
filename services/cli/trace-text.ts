// Stories as people read them: a head, what happened to each recipient in order, and how it stands. Replies and long lists are
// shortened; --json has all.
import type { Story, TraceAnswer } from '@posthouse/queue/trace-port'
import { addresses, whatHappened } from './event-text.ts'
import { humanBytes, humanDuration, printable } from './human.ts'
import { reportsAfter, together, told, type Told, type ToldRecipient } from './story.ts'
import { textTable } from './text-table.ts'

export function storiesText(stories: readonly Story[]): string {
  const here = new Set(stories.map(({ message }) => message))
  return reportsAfter(stories.map(told))
    .map((story) => storyText(story, here))
    .join('\n\n')
}

function storyText(story: Told, here: ReadonlySet<string>): string {
  const lines = headLines(story).map(([name, value]) => `${name.padEnd(10)}  ${printable(value)}`)
  for (const group of together(story.recipients.filter(({ events }) => events.length > 0))) {
    const events = group[0]?.events ?? []
    const rows = events.map((event) => {
      const { report } = event
      const seeReport = report === undefined ? '' : here.has(report) ? ' (below)' : ` (posthouse trace ${report} tells)`
      return [event.time, printable(event.node), whatHappened(event) + printable(seeReport)]
    })
    lines.push(
      '',
      printable(addresses(group.map(({ name }) => name))),
      ...indented(textTable(['time', 'node', 'what'], rows)),
    )
  }
  return [...lines, '', printable(standing(story))].join('\n')
}

function headLines({ message, sender, acceptance, reportOn, recipients, unnamed }: Told): [string, string][] {
  const lines: [string, string][] = [
    ['id', message],
    ['from', sender === undefined ? 'unknown' : `<${sender}>`],
    [
      'to',
      addresses(
        recipients.map(({ name }) => name),
        unnamed,
      ),
    ],
  ]
  if (reportOn !== undefined) lines.push(['report on', reportOn])
  if (acceptance === undefined) {
    if (reportOn === undefined) lines.push(['accepted', 'unknown'])
    return lines
  }
  const { acceptedAt, node, role, client, helo, tls, user, size, messageId, traceparent } = acceptance
  lines.push(['accepted', `${acceptedAt} by ${node}, listener ${role}`])
  lines.push(['client', [client, ...(helo === undefined ? [] : [`HELO ${helo}`]), tls ?? 'no TLS'].join(', ')])
  if (user !== undefined) lines.push(['user', user])
  lines.push(['size', humanBytes(size)])
  if (messageId !== undefined) lines.push(['Message-ID', messageId])
  if (traceparent !== undefined) lines.push(['trace id', traceparent.split('-')[1] ?? traceparent])
  return lines
}

/** The last line of a story: is it over? */
function standing({ recipients, unnamed, left }: Told): string {
  const open = recipients.filter(({ end }) => end === undefined)
  const leftOut = left === 0 ? '' : `; ${left} older events are left out`
  if (open.length + unnamed === 0) return `all recipients have their end: ${counted(recipients)}${leftOut}`
  const others = unnamed === 0 ? [] : [`${unnamed} that are not named`]
  const names = [addresses(open.map(({ name }) => name)), ...others].filter((part) => part !== '').join(' and ')
  // What ended them may be among the events that are not there.
  if (left > 0) return `no end is known of ${names}${leftOut}`
  return `still in the queue: ${names}`
}

function counted(recipients: readonly ToldRecipient[]): string {
  const counts = new Map<string, number>()
  for (const { end } of recipients) if (end !== undefined) counts.set(end.type, (counts.get(end.type) ?? 0) + 1)
  return [...counts].map(([type, count]) => `${count} ${type}`).join(', ')
}

/** Who answered, and how current that is. */
export function indexText({ node, lagMs }: TraceAnswer): string {
  if (lagMs === undefined) return `answered by ${node}, whose index is still being built: something may be missing`
  return `answered by ${node}, whose index is ${lagMs < 1000 ? 'less than 1 s' : humanDuration(lagMs)} behind at most`
}

function indented(text: string): string[] {
  return text.split('\n').map((line) => `  ${line}`)
}
