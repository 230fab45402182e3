// Holds the events that readers get (docs/events.md) against what the clients were told. Pure.
//
//   untold      accepted, and no event says so; or the queue is empty, and no event says how a recipient ended
//   told twice  two events, of different ids, say that a message was accepted or that a recipient ended
//
// An event that is read twice has the same id, and counts once. What clients learned no queue id of is checked for doubles only.

import type { MailEvent } from '@posthouse/core/event'
import type { Attempt } from '../history.ts'

export interface ToldQuestion {
  readonly attempts: readonly Attempt[]
  readonly told: readonly MailEvent[]
  /** Recipients that the queue still holds; null: nobody could tell. */
  readonly queued: number | null
}
export interface ToldAgreement {
  readonly untold: number
  readonly toldTwice: number
  readonly examples: readonly string[]
}

const FINAL: ReadonlySet<string> = new Set(['delivered', 'bounced', 'expired', 'discarded'])
const EXAMPLES = 10

export function toldAgreement({ attempts, told, queued }: ToldQuestion): ToldAgreement {
  const events = [...new Map(told.map((event) => [event.id, event])).values()]
  const accepted = new Set(events.filter(({ type }) => type === 'accepted').map(({ message }) => message))
  const ends = new Map<string, string[]>()
  for (const { type, message, recipients } of events) {
    if (!FINAL.has(type)) continue
    for (const { index } of recipients) {
      const name = `${message} ${index}`
      ends.set(name, [...(ends.get(name) ?? []), type])
    }
  }
  const untold: string[] = []
  const open: string[] = []
  for (const { told: answer, queueId, recipients } of attempts) {
    if (answer !== 'accepted' || queueId === undefined) continue
    if (!accepted.has(queueId)) untold.push(`${queueId}: no event says that it was accepted`)
    for (const [index, recipient] of recipients.entries())
      if (!ends.has(`${queueId} ${index}`)) open.push(`${queueId} ${index} <${recipient}>: no event says how it ended`)
  }
  untold.push(...open.slice(queued ?? open.length))
  const twice = [...ends].filter(([, types]) => types.length > 1)
  const toldTwice = twice.map(([name, types]) => `${name}: its end was told ${types.length} times: ${types.join(', ')}`)
  return {
    untold: untold.length,
    toldTwice: toldTwice.length,
    examples: [...untold, ...toldTwice].slice(0, EXAMPLES),
  }
}
