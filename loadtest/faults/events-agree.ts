// Holds the words of the logs (log-events.ts tells which of them stay) against what the clients were told and what arrived. Pure.
//
//   missing       accepted, the queue is empty, and no final outcome. If it is not empty: nor a word on what waits, and more
//                 of them than are queued
//   doubled       closed for good more than once: by its own tasks, by reports of it, or by one of each
//   contradicted  - logged as delivered more often than it arrived with a reply, or reported more often than reports of it arrived
//                 - arrived, though its only outcome is an end of its own that is no delivery: not even a report was due
//                 - logged for messages that no client was told about, beyond those whose fate the clients never learned
//
// Tolerated: a copy that arrived although the log says that the recipient bounced, with a report. The owner of the copy could
// not tell of it, and what was sent again bounced; the ledger sees both arrive, calls it a duplicate and wants it explained.
// Tries of unknown fate have no queue id: what the log says of them is checked for doubles only, and for an address that had
// such a try an arrival proves nothing.

import type { Arrival, Attempt } from '../history.ts'
import type { LogEvent } from './log-events.ts'
import type { EventsAgreement } from './result.ts'

export interface EventsQuestion {
  readonly attempts: readonly Attempt[]
  readonly arrivals: readonly Arrival[]
  /** Of these attempts only: the logs of a cluster that did other work before have its words too. */
  readonly events: readonly LogEvent[]
  /** Recipients that the queue still holds; null: nobody could tell, then nothing is known to be missing. */
  readonly queued: number | null
}

const EXAMPLES = 10

/** How one recipient ended: by the closing of its own task, or by that of a report of it. */
interface Ending {
  readonly how: LogEvent['how']
  readonly reported: boolean
}
type Endings = ReadonlyMap<string, ReadonlyMap<number, readonly Ending[]>>

/** What is known of one address. */
interface Account {
  /** Copies whose final dot was answered, and others. */
  answered: number
  unanswered: number
  bounces: number
  loggedDelivered: number
  loggedReported: number
  /** Tries that the log cannot be asked about. */
  untraced: number
  /** An end of its own without a delivery, as an example would name it. */
  otherwise: string | undefined
  /** Queue ids of its accepted tries. */
  ids: string[]
}

export function agreement({ attempts, arrivals, events, queued }: EventsQuestion): EventsAgreement {
  const endings = endingsOf(events)
  const waiting = waitingIn(events)
  const accounts = accountsOf(arrivals)
  const known = new Set<string>()
  const open: string[] = []
  let tasks = 0
  let untraced = 0
  for (const { told, queueId, recipients } of attempts) {
    if (told === 'refused') continue
    const traced = told === 'accepted' && queueId !== undefined
    if (traced) known.add(queueId)
    else untraced++
    for (const [index, recipient] of recipients.entries()) {
      const account = accountOf(accounts, recipient)
      if (!traced) {
        account.untraced++
        continue
      }
      tasks++
      account.ids.push(queueId)
      const ends = endings.get(queueId)?.get(index) ?? []
      if (ends.length === 0 && (queued === 0 || !waiting.has(`${queueId} ${index}`))) {
        open.push(`${queueId} ${index} <${recipient}>: no final outcome`)
      }
      for (const ending of ends) note(account, ending, queueId)
    }
  }
  const doubled = doublesIn(endings)
  const contradicted = [...contradictionsIn(accounts), ...strangersIn(events, known, untraced)]
  const missing = queued === null ? 0 : Math.max(0, open.length - queued)
  const examples = [...open.slice(0, missing), ...doubled, ...contradicted].slice(0, EXAMPLES)
  return { tasks, missing, doubled: doubled.length, contradicted: contradicted.length, examples }
}

/** Queue id -> index of the recipient -> how it ended. */
function endingsOf(events: readonly LogEvent[]): Endings {
  const endings = new Map<string, Map<number, Ending[]>>()
  const add = (id: string, index: number, ending: Ending) => {
    let message = endings.get(id)
    if (message === undefined) endings.set(id, (message = new Map()))
    const ends = message.get(index)
    if (ends === undefined) message.set(index, [ending])
    else ends.push(ending)
  }
  for (const { kind, how, queueId, recipientIndex, report } of events) {
    if (kind !== 'outcome') continue
    if (report === undefined) add(queueId, recipientIndex, { how, reported: false })
    else for (const index of report.recipients) add(report.record, index, { how, reported: true })
  }
  return endings
}

/** Queue id and index of whom an entry that is still there carries on, or a report of them. */
function waitingIn(events: readonly LogEvent[]): Set<string> {
  const waiting = new Set<string>()
  for (const { kind, queueId, recipientIndex, report } of events) {
    if (kind !== 'later') continue
    if (report === undefined) waiting.add(`${queueId} ${recipientIndex}`)
    else for (const index of report.recipients) waiting.add(`${report.record} ${index}`)
  }
  return waiting
}

function accountsOf(arrivals: readonly Arrival[]): Map<string, Account> {
  const accounts = new Map<string, Account>()
  for (const { kind, recipient, unanswered } of arrivals) {
    const account = accountOf(accounts, recipient)
    if (kind === 'bounce') account.bounces++
    else if (unanswered === true) account.unanswered++
    else account.answered++
  }
  return accounts
}

function accountOf(accounts: Map<string, Account>, recipient: string): Account {
  let account = accounts.get(recipient)
  if (account !== undefined) return account
  account = {
    answered: 0,
    unanswered: 0,
    bounces: 0,
    loggedDelivered: 0,
    loggedReported: 0,
    untraced: 0,
    otherwise: undefined,
    ids: [],
  }
  accounts.set(recipient, account)
  return account
}

function note(account: Account, { how, reported }: Ending, queueId: string): void {
  if (how !== 'delivered') {
    if (!reported) account.otherwise ??= `${queueId} ${how}`
  } else if (reported) account.loggedReported++
  else account.loggedDelivered++
}

function doublesIn(endings: Endings): string[] {
  const doubles: string[] = []
  for (const [id, message] of endings) {
    for (const [index, ends] of message) {
      if (ends.length < 2) continue
      const words = ends.map(({ how, reported }) => (reported ? `reported (${how})` : how))
      doubles.push(`${id} ${index}: closed ${ends.length} times: ${words.join(', ')}`)
    }
  }
  return doubles
}

function contradictionsIn(accounts: ReadonlyMap<string, Account>): string[] {
  const found: string[] = []
  for (const [recipient, account] of accounts) {
    const { ids, answered, unanswered, bounces, loggedDelivered, loggedReported, otherwise, untraced } = account
    const say = (words: string) => found.push(`${ids.join(', ')} <${recipient}>: ${words}`)
    if (loggedDelivered > answered) say(`logged as delivered ${loggedDelivered} times, arrived ${answered} times`)
    else if (loggedReported > bounces) say(`${loggedReported} reports logged as delivered, ${bounces} arrived`)
    else if (otherwise !== undefined && loggedDelivered === 0 && untraced === 0 && answered + unanswered > 0) {
      say(`arrived ${answered + unanswered} times, logged as ${otherwise}`)
    }
  }
  return found
}

/** Messages in the log that no 250 named: each needs a try of unknown fate. */
function strangersIn(events: readonly LogEvent[], known: ReadonlySet<string>, untraced: number): string[] {
  const strangers = new Set<string>()
  for (const { queueId, report } of events) {
    const id = report?.record ?? queueId
    if (!known.has(id)) strangers.add(id)
  }
  return [...strangers].slice(untraced).map((id) => `${id}: logged, but no client was told of it`)
}
