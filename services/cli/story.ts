// One message's events put in order for people: what is known of its acceptance, and of each recipient what happened and whether
// it has its end.
import type { Acceptance, EventType, MailEvent } from '@posthouse/core/event'
import type { Story } from '@posthouse/queue/trace-port'
import { recipientName } from './event-text.ts'

const FINAL: readonly EventType[] = ['delivered', 'bounced', 'expired', 'discarded']

export interface Told {
  readonly message: string
  readonly sender: string | undefined
  readonly acceptance: Acceptance | undefined
  /** Message that this one is a report on. */
  readonly reportOn: string | undefined
  /** In the order of their indexes. */
  readonly recipients: readonly ToldRecipient[]
  /** Recipients that no event names: of very many. */
  readonly unnamed: number
  /** Older events left out. */
  readonly left: number
}

export interface ToldRecipient {
  readonly name: string
  /** Without that of the acceptance. */
  readonly events: readonly MailEvent[]
  /** The event that ended it; undefined: none is known. */
  readonly end: MailEvent | undefined
}

export function told({ message, events, left = 0 }: Story): Told {
  const names = new Map<number, string>()
  const byIndex = new Map<number, MailEvent[]>()
  const ids = new Set<string>()
  for (const event of events) {
    // The log may say the same twice.
    if (ids.has(event.id)) continue
    ids.add(event.id)
    for (const { index, address } of event.recipients) {
      if (address !== undefined || !names.has(index)) names.set(index, recipientName(index, address))
      const own = byIndex.get(index) ?? []
      byIndex.set(index, own)
      if (event.type !== 'accepted') own.push(event)
    }
  }
  const first = <T>(of: (event: MailEvent) => T | undefined) => events.map(of).find((value) => value !== undefined)
  const acceptance = first((event) => event.acceptance)
  return {
    message,
    sender: first(({ sender }) => sender),
    acceptance,
    reportOn: first(({ reports }) => reports?.message),
    recipients: [...byIndex]
      .toSorted(([a], [b]) => a - b)
      .map(([index, own]) => ({
        name: names.get(index) ?? recipientName(index, undefined),
        events: own,
        end: own.findLast(({ type }) => FINAL.includes(type)),
      })),
    unnamed: Math.max(0, (acceptance?.recipients ?? 0) - byIndex.size),
    left,
  }
}

/** Recipients with the same events, together: a message to hundreds at one destination has one story. */
export function together(recipients: readonly ToldRecipient[]): ToldRecipient[][] {
  const groups = new Map<string, ToldRecipient[]>()
  for (const recipient of recipients) {
    const key = recipient.events.map(({ id }) => id).join(' ')
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [recipient])
    else group.push(recipient)
  }
  return [...groups.values()]
}

/** A report follows the message that it reports on, if that is there; else the order stays. */
export function reportsAfter(stories: readonly Told[]): Told[] {
  const here = new Set(stories.map(({ message }) => message))
  const isHere = (message: string | undefined) => message !== undefined && here.has(message)
  const placed = new Set<Told>()
  const place = (story: Told) => {
    if (placed.has(story)) return
    placed.add(story)
    for (const one of stories) if (one.reportOn === story.message) place(one)
  }
  for (const story of stories) if (!isHere(story.reportOn)) place(story)
  // A story is never left out, whatever it says of itself.
  for (const story of stories) place(story)
  return [...placed]
}
