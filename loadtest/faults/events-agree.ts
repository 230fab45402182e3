// Holds the words of the logs (log-events.ts tells which of them stay) against what the clients were told and what arrived. Pure.
//
//   missing       accepted, the queue is empty, and no final outcome. If it is not empty: nor a word on what waits, and more
//                 of them than are queued
//   doubled       closed for good more than once: by its own tasks, by reports of it, or by one of each
//   contradicted  - logged as delivered, but no copy of this very message arrived whose final dot was answered
//                 - its report is logged as delivered, but that report did not arrive
//                 - arrived, though it ended without a delivery and without a report
//                 - logged, though no client was told about the message, beyond those whose fate the clients never learned
//
// Tolerated: a copy that arrived although the log says that the recipient bounced or expired, with a report. The owner of the copy
// could not tell of it, and what was sent again did bounce; the ledger sees both arrive, calls it a duplicate and wants it
// explained. Tries of unknown fate have no queue id: what the log says of them is checked for doubles only.

import type { Arrival, Attempt } from '../history.ts'
import type { LogEvent } from './log-events.ts'
import type { EventsAgreement } from './result.ts'

export type LogAgreement = Omit<EventsAgreement, 'untold' | 'toldTwice'>

export interface EventsQuestion {
  readonly attempts: readonly Attempt[]
  readonly arrivals: readonly Arrival[]
  /** Of these attempts only: the logs of a cluster that did other work before have its words too. */
  readonly events: readonly LogEvent[]
  /** Recipients that the queue still holds; null: nobody could tell, then nothing is known to be missing. */
  readonly queued: number | null
}

const EXAMPLES = 10

/** How a recipient ended: by the closing of its own task, or by that of the report with this id. */
interface Ending {
  readonly how: LogEvent['how']
  readonly report: string | undefined
}

export function agreement({ attempts, arrivals, events, queued }: EventsQuestion): LogAgreement {
  const endings = endingsOf(events)
  const waiting = waitingIn(events)
  const copies = new Copies(arrivals)
  const accepted = new Set<string>()
  const open: string[] = []
  const contradicted: string[] = []
  let tasks = 0
  let untraced = 0
  for (const { told, queueId, recipients } of attempts) {
    if (told === 'refused') continue
    if (told === 'unknown' || queueId === undefined) {
      untraced++
      continue
    }
    accepted.add(queueId)
    for (const [index, recipient] of recipients.entries()) {
      tasks++
      const name = nameOf(queueId, index)
      const ends = endings.get(name) ?? []
      if (ends.length === 0 && (queued === 0 || !waiting.has(name)))
        open.push(`${name} <${recipient}>: no final outcome`)
      const wrong = contradiction(queueId, recipient, ends, copies)
      if (wrong !== undefined) contradicted.push(`${name} <${recipient}>: ${wrong}`)
    }
  }
  const doubled = doublesIn(endings)
  contradicted.push(...strangersIn(events, accepted).slice(untraced))
  const missing = queued === null ? 0 : Math.max(0, open.length - queued)
  const examples = [...open.slice(0, missing), ...doubled, ...contradicted].slice(0, EXAMPLES)
  return { tasks, missing, doubled: doubled.length, contradicted: contradicted.length, examples }
}

const nameOf = (queueId: string, index: number) => `${queueId} ${index}`

/** Whom an event is about: its own recipient, or those that a report reports. */
function subjectsOf({ queueId, recipientIndex, report }: LogEvent): string[] {
  if (report === undefined) return [nameOf(queueId, recipientIndex)]
  return report.recipients.map((index) => nameOf(report.record, index))
}

function endingsOf(events: readonly LogEvent[]): Map<string, Ending[]> {
  const endings = new Map<string, Ending[]>()
  for (const event of events) {
    if (event.kind !== 'outcome') continue
    const ending = { how: event.how, report: event.report === undefined ? undefined : event.queueId }
    for (const name of subjectsOf(event)) {
      const ends = endings.get(name)
      if (ends === undefined) endings.set(name, [ending])
      else ends.push(ending)
    }
  }
  return endings
}

/** Whom an entry that is still there carries on, or a report of them. */
function waitingIn(events: readonly LogEvent[]): Set<string> {
  return new Set(events.filter(({ kind }) => kind === 'later').flatMap(subjectsOf))
}

/** What arrived for whom, by the id under which the relay held it. One that tells no id may be any. */
class Copies {
  readonly #answered = new Set<string>()
  readonly #unanswered = new Set<string>()

  constructor(arrivals: readonly Arrival[]) {
    for (const { kind, recipient, queueId = '', unanswered } of arrivals) {
      const set = unanswered === true ? this.#unanswered : this.#answered
      set.add(`${kind} ${queueId} ${recipient}`)
    }
  }

  /** The relay may have been told so. */
  mayBeKnown(kind: Arrival['kind'], queueId: string, recipient: string): boolean {
    return this.#answered.has(`${kind} ${queueId} ${recipient}`) || this.#answered.has(`${kind}  ${recipient}`)
  }

  arrived(queueId: string, recipient: string): boolean {
    const copy = `mail ${queueId} ${recipient}`
    return this.#answered.has(copy) || this.#unanswered.has(copy)
  }
}

function contradiction(
  queueId: string,
  recipient: string,
  ends: readonly Ending[],
  copies: Copies,
): string | undefined {
  for (const { how, report } of ends) {
    if (report !== undefined) {
      if (how === 'delivered' && !copies.mayBeKnown('bounce', report, recipient))
        return `report ${report} never arrived`
    } else if (how === 'delivered') {
      if (!copies.mayBeKnown('mail', queueId, recipient)) return 'logged as delivered, never arrived'
    } else if (copies.arrived(queueId, recipient)) return `arrived, logged as ${how}`
  }
  return undefined
}

function doublesIn(endings: ReadonlyMap<string, readonly Ending[]>): string[] {
  const doubles: string[] = []
  for (const [name, ends] of endings) {
    if (ends.length < 2) continue
    const words = ends.map(({ how, report }) => (report === undefined ? how : `report ${report} ${how}`))
    doubles.push(`${name}: closed ${ends.length} times: ${words.join(', ')}`)
  }
  return doubles
}

/** Messages in the log that no 250 named. */
function strangersIn(events: readonly LogEvent[], accepted: ReadonlySet<string>): string[] {
  const ids = new Set(events.map(({ queueId, report }) => report?.record ?? queueId))
  return [...ids].filter((id) => !accepted.has(id)).map((id) => `${id}: logged, but no client was told of it`)
}
