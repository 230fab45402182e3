// What happened between two calls of POST /phase: counts, times and the first words of every kind of trouble. Each thing counts
// in the phase in which it happened: mail accepted in one may be delivered in the next.

import type { Try } from '../sender.ts'
import { Unwelcome, type ConnectionLost } from '../smtp-client.ts'
import { round } from '../statistics.ts'
import type { Entry } from './book.ts'
import type { Gaps } from './gap-watch.ts'
import { Incidents, isoTime } from './incidents.ts'
import type { Open, PhaseSummary } from './phase-summary.ts'
import { Tally } from './tally.ts'
import { Times } from './times.ts'

/** How things stand at the end of a phase, or now. */
export interface Standing {
  readonly at: number
  readonly gaps: Gaps
  readonly open: Open
}

const EXAMPLES = 20

export class Phase {
  readonly name: string
  readonly #startedAt: number
  #end: Standing | undefined
  readonly #counts = {
    messages: 0,
    accepted: 0,
    acceptedRecipients: 0,
    unknown: 0,
    repeated: 0,
    retried: 0,
    givenUp: 0,
    connections: 0,
    closedInGoodOrder: 0,
    closedWithoutWord: 0,
    abandoned: 0,
    deliveries: 0,
    deferred: 0,
    altered: 0,
    unexpected: 0,
    bounced: 0,
  }
  readonly #refusals = new Incidents()
  readonly #connectTroubles = new Incidents()
  readonly #turnedAway = new Incidents()
  readonly #losses = new Incidents()
  readonly #acceptMs = new Times()
  readonly #waitMs = new Times()
  readonly #deliveryMs = new Times()
  readonly #deferredDeliveryMs = new Times()
  readonly #edges = new Tally()
  readonly #deliveryNodes = new Tally()
  /** Of each copy that was not the first. */
  readonly #again: string[] = []
  readonly #strange: string[] = []

  constructor(name: string, startedAt: number) {
    this.name = name
    this.#startedAt = startedAt
  }

  begun(): void {
    this.#counts.messages++
  }

  /** `waitMs`: of a first 250, since the client had the message. */
  tried({ verdict, peer, before, startedAt, endedAt }: Try, waitMs: number | undefined): void {
    const counts = this.#counts
    if (before === 'unknown') counts.repeated++
    else if (before === 'refused' || before === 'accepted') counts.retried++
    for (const no of verdict.noes) this.#refusals.add({ at: endedAt, ...no, edge: peer })
    if (verdict.told === 'accepted') {
      counts.accepted++
      counts.acceptedRecipients += verdict.recipients.length
      this.#acceptMs.add(endedAt - startedAt)
      if (waitMs !== undefined) this.#waitMs.add(waitMs)
      this.#edges.add(peer.split(' ')[1] ?? peer)
    }
    if (verdict.told === 'unknown') {
      counts.unknown++
      this.#losses.add({ at: endedAt, stage: 'dot', text: verdict.why, edge: peer })
    }
    if (verdict.told !== 'nothing') return
    const { at: stage, why, farewell } = verdict
    const isBetween = stage === 'idle' || stage === 'MAIL'
    if (farewell !== undefined && isBetween) counts.closedInGoodOrder++
    else if (farewell !== undefined) this.#refusals.add({ at: endedAt, stage, code: 421, text: farewell, edge: peer })
    else if (stage === 'idle') counts.closedWithoutWord++
    else this.#losses.add({ at: endedAt, stage, text: why, edge: peer })
  }

  /** What was under way when this load closed the connection: nobody's fault. */
  abandoned(told: 'unknown' | 'nothing'): void {
    this.#counts.abandoned++
    if (told === 'unknown') this.#counts.unknown++
  }

  settled(accepted: boolean): void {
    if (!accepted) this.#counts.givenUp++
  }

  connected(): void {
    this.#counts.connections++
  }

  notConnected(edge: string, why: ConnectionLost | Unwelcome, at: number): void {
    const text = why.message
    if (why instanceof Unwelcome) this.#turnedAway.add({ at, stage: why.step, code: why.code, text, edge })
    else this.#connectTroubles.add({ at, stage: 'connect', text, edge })
  }

  deferred(): void {
    this.#counts.deferred++
  }

  /** `deferred`: the sink had sent this recipient away before. */
  arrived(recipient: string, entry: Entry, how: { isBounce: boolean; deferred: boolean; from: string }): void {
    if (entry.is === 'of another run') return
    const counts = this.#counts
    counts.deliveries++
    this.#deliveryNodes.add(how.from)
    if (entry.is === 'unexpected') counts.unexpected++
    if (entry.altered) counts.altered++
    if (how.isBounce) counts.bounced++
    if (entry.copy > 1) this.#again.push(recipient)
    if (entry.afterMs !== undefined) this.delivered(entry.afterMs, how.deferred)
    const words = [entry.is === 'unexpected' && entry.is, entry.altered && 'altered', how.isBounce && 'bounced']
    const strange = words.filter((word) => word !== false).join(', ')
    if (strange !== '' && this.#strange.length < EXAMPLES) this.#strange.push(`${recipient}: ${strange}`)
  }

  /** A first copy arrived so long after its 250. */
  delivered(afterMs: number, deferred: boolean): void {
    ;(deferred ? this.#deferredDeliveryMs : this.#deliveryMs).add(afterMs)
  }

  end(standing: Standing): void {
    this.#end = standing
  }

  /** As it ended, or as it stands. `surplusOf` says how many copies of a recipient's no try accounts for. */
  summary(now: Standing, surplusOf: (recipient: string) => number): PhaseSummary {
    const counts = this.#counts
    const { at, gaps, open } = this.#end ?? now
    const seconds = Math.max(0, at - this.#startedAt) / 1000
    const again = Map.groupBy(this.#again, (recipient) => recipient)
    let duplicates = 0
    for (const [recipient, copies] of again) duplicates += Math.min(copies.length, surplusOf(recipient))
    return {
      name: this.name,
      began: isoTime(this.#startedAt),
      ended: this.#end === undefined ? null : isoTime(at),
      seconds: round(seconds, 1),
      messages: counts.messages,
      accepted: counts.accepted,
      acceptedRecipients: counts.acceptedRecipients,
      acceptedPerSecond: seconds === 0 ? 0 : round(counts.accepted / seconds, 1),
      refused: this.#refusals.count,
      refusedAt: this.#refusals.byStage,
      refusals: this.#refusals.first,
      unknown: counts.unknown,
      repeated: counts.repeated,
      retried: counts.retried,
      givenUp: counts.givenUp,
      gaps: {
        longestMs: round(gaps.longest?.ms ?? 0),
        from: gaps.longest === undefined ? null : isoTime(gaps.longest.from),
        overOneSecond: gaps.long,
      },
      acceptMs: this.#acceptMs.summary(),
      waitMs: this.#waitMs.summary(),
      connections: counts.connections,
      closedInGoodOrder: counts.closedInGoodOrder,
      closedWithoutWord: counts.closedWithoutWord,
      connectFailures: this.#connectTroubles.count,
      connectTroubles: this.#connectTroubles.first,
      turnedAway: this.#turnedAway.count,
      turnedAwayWith: this.#turnedAway.first,
      lostConnections: this.#losses.count,
      lostAt: this.#losses.byStage,
      losses: this.#losses.first,
      abandoned: counts.abandoned,
      deliveries: counts.deliveries,
      deliveryMs: this.#deliveryMs.summary(),
      deferredDeliveryMs: this.#deferredDeliveryMs.summary(),
      deferred: counts.deferred,
      duplicates,
      altered: counts.altered,
      unexpected: counts.unexpected,
      bounced: counts.bounced,
      strange: this.#strange,
      edges: this.#edges.counts,
      deliveryNodes: this.#deliveryNodes.counts,
      open,
    }
  }
}
