// Why mail arrived twice, or may have: for each copy too many, and for each possible duplicate that the delivery nodes counted
// although one copy came, the fault that brought it about, or null. Pure.
//
// A first copy is repeated rightly when
//   its site took it and dropped the connection by script, so that the relay cannot know; or
//   its outcome was not stored. The node that sent it stores it within 250 ms and the time of a write under way, so it must have
//   been hit (killed, frozen, cut from NATS or from the site) before STORED_MS had passed since the arrival, and it must still have
//   felt that when the copy arrived. The same holds of the NATS servers, where no delivery node was hit.
// The copy of the node that was hit may also be the one that comes second: TCP sends what it holds long after a cut is healed.
// Either way the relay must have counted it: a copy that nobody counted has no excuse.

import type { Arrival, Attempt } from '../history.ts'
import { accountsOf } from '../ledger.ts'
import type { Mark } from './fault.ts'
import { feltUntil, hitsOf, type Hit } from './hits.ts'
import type { PossibleDuplicate } from './node-logs.ts'
import type { Explanation } from './result.ts'

export interface ToExplain {
  readonly attempts: readonly Attempt[]
  readonly arrivals: readonly Arrival[]
  readonly marks: readonly Mark[]
  readonly possible: readonly PossibleDuplicate[]
  /** Where the clock of attempts, arrivals and marks began, ms since 1970. */
  readonly timeOrigin?: number
}

/** 250 ms until an outcome is written, 500 ms for the try, and as much again for a slow machine. */
const STORED_MS = 2000
/** The log of a node that is killed lacks what it wrote within this time. */
const UNWRITTEN_MS = 1000
/** A time of a log so far from all that happened is that of a wrong clock. */
const ELSEWHEN_MS = 60_000

/** Explanations of the same cause have the same words, so that they can be counted. */
export function explain({ attempts, arrivals, marks, possible, ...given }: ToExplain): Explanation[] {
  const timeOrigin = given.timeOrigin ?? performance.timeOrigin
  const hits = hitsOf(marks)
  const counted = new Set(possible.map(({ id }) => id))
  const repeated = new Set<string>()
  const explanations: Explanation[] = []
  const copies = Map.groupBy(arrivals, ({ recipient }) => recipient)
  for (const [recipient, account] of accountsOf(attempts, arrivals)) {
    const allowed = account.accepted + account.unknown
    if (allowed === 0) continue // unexpected, not doubled
    const tooMany = account.delivered + account.bounced - allowed
    const pairs = repeatsAmong(copies.get(recipient) ?? [], tooMany)
    for (const [first, again] of pairs) {
      for (const { queueId } of [first, again]) repeated.add(`${queueId} ${recipient}`)
      explanations.push({ recipient, is: 'duplicate', why: whyRepeated(first, again, hits, counted) })
    }
    // Copies under ids of their own, more than there were tries: nothing explains that.
    for (let left = tooMany - pairs.length; left > 0; left--)
      explanations.push({ recipient, is: 'duplicate', why: null })
  }
  const times = { from: earliest(attempts, marks) - ELSEWHEN_MS, to: latest(arrivals, marks) + ELSEWHEN_MS }
  const mail = new Map(attempts.map((attempt) => [attempt.queueId, attempt.recipients]))
  const ofId = Map.groupBy(arrivals, ({ queueId }) => queueId)
  for (const one of possible) {
    const ofIt = ofId.get(one.id) ?? []
    const recipients = mail.get(one.id) ?? ofIt.map(({ recipient }) => recipient)
    const recipient = recipients[one.recipient]
    if (repeated.has(`${one.id} ${recipient}`)) continue // a real one, explained above
    const at = one.at - timeOrigin
    const when = at > times.from && at < times.to ? at : undefined
    const why = one.because === 'lost' ? whyLost(one.node, when, recipients, ofIt, hits) : whySuspect(when, hits)
    explanations.push({ recipient: recipient ?? `queue id ${one.id}`, is: 'near miss', why })
  }
  return explanations
}

type Pair = readonly [first: Arrival, again: Arrival]

/**
 * Each copy with the one before it that has the same queue id, also where a try of unknown fate hides it from the count; and as
 * long as there are too many, mail with the bounce that it became: that has an id of its own.
 */
function repeatsAmong(copies: readonly Arrival[], tooMany: number): Pair[] {
  const ordered = copies.toSorted((one, other) => one.at - other.at)
  const pairs = pairsOf(ordered, (one, other) => one.queueId === other.queueId)
  if (pairs.length >= tooMany) return pairs
  return [...pairs, ...pairsOf(ordered, (one, other) => one.kind !== other.kind).slice(0, tooMany - pairs.length)]
}

function pairsOf(ordered: readonly Arrival[], belong: (one: Arrival, other: Arrival) => boolean): Pair[] {
  return ordered.flatMap((again, index): Pair[] => {
    const first = ordered.slice(0, index).findLast((copy) => belong(copy, again))
    return first === undefined ? [] : [[first, again]]
  })
}

function whyRepeated(
  first: Arrival,
  again: Arrival,
  hits: readonly Hit[],
  counted: ReadonlySet<string>,
): string | null {
  const isCounted = [first, again].some(({ queueId }) => queueId === undefined || counted.has(queueId))
  if (!isCounted && !wasKilledAfter(again, hits)) return null
  if (first.unanswered === true)
    return `${domainOf(first.recipient)} took it and dropped the connection at the final dot`
  const hit = hitOf(first, hits) ?? hitOf(again, hits)
  if (hit !== undefined) return `a copy came from ${hit.node}: ${hit.text}`
  const servers = hits.find((one) => isNats(one.node) && (isFelt(one, first.at) || isFelt(one, again.at)))
  return servers === undefined ? null : `its outcome could not be stored: ${servers.text}`
}

/** The hit of the node that sent it, while the outcome was not stored. */
function hitOf(copy: Arrival, hits: readonly Hit[]): Hit | undefined {
  return hits.find((hit) => {
    return (copy.from === undefined ? isDelivery(hit.node) : hit.node === copy.from) && isFelt(hit, copy.at)
  })
}

function isFelt(hit: Hit, at: number): boolean {
  return hit.from <= at + STORED_MS && at <= feltUntil(hit)
}

/** Then the line of its log that counts the copy may be missing. */
function wasKilledAfter({ from, at }: Arrival, hits: readonly Hit[]): boolean {
  return hits.some((hit) => hit.node === from && hit.from > at && hit.from - at < UNWRITTEN_MS)
}

/** The connection broke after the dot: it was the node's link, or the site. A time of undefined fits every hit. */
function whyLost(
  node: string,
  at: number | undefined,
  recipients: readonly string[],
  arrivals: readonly Arrival[],
  hits: readonly Hit[],
): string | null {
  const dropped = arrivals.find(({ unanswered }) => unanswered === true)
  const domains = new Set(recipients.map(domainOf))
  const site = hits.find(
    (hit) => (hit.node === 'sites' || domains.has(hit.node)) && (at === undefined || isFelt(hit, at)),
  )
  const own = hits.find((hit) => hit.node === node && (at === undefined || isFelt(hit, at)))
  const hit = own ?? site
  if (hit !== undefined) return `the connection of the first try was lost after the final dot: ${hit.text}`
  return dropped === undefined ? null : `${domainOf(dropped.recipient)} dropped the connection at the final dot`
}

/** A former owner may have sent it: some delivery node lost a lease before, or the servers that hold it were down. */
function whySuspect(at: number | undefined, hits: readonly Hit[]): string | null {
  const before = hits.filter(({ from }) => at === undefined || from <= at)
  const hit = before.findLast(({ node }) => isDelivery(node)) ?? before.findLast(({ node }) => isNats(node))
  return hit === undefined ? null : `a former owner may have begun it: ${hit.text}`
}

function isDelivery(node: string): boolean {
  return /^delivery-\d+$/.test(node)
}

function isNats(node: string): boolean {
  return /^nats-\d+$/.test(node)
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1)
}

function earliest(attempts: readonly Attempt[], marks: readonly Mark[]): number {
  return attempts.reduce((time, { startedAt }) => Math.min(time, startedAt), marks[0]?.at ?? Infinity)
}

function latest(arrivals: readonly Arrival[], marks: readonly Mark[]): number {
  return arrivals.reduce((time, { at }) => Math.max(time, at), marks.at(-1)?.at ?? -Infinity)
}
