// What one run of a fault came to: the ledger, the times, and whether the bars hold.

import type { Ledger } from '../ledger.ts'
import type { Bars, FaultKind, Mark } from './fault.ts'

export interface FaultResult extends Ledger {
  readonly name: string
  readonly kind: FaultKind
  readonly what: string
  readonly seed: number
  readonly isolated: boolean
  /** What it was judged by. */
  readonly bars: Bars
  /** Nodes that were hit. */
  readonly hit: readonly string[]
  /** From the first hit to the last heal. */
  readonly faultMs: number
  /** Messages of which something was told (accepted, refused or unknown). */
  readonly messages: number
  readonly longestAcceptGapMs: number
  /** The longest that mail on its way at the hit, or accepted until the heal, was held up; null when some has not arrived. */
  readonly takeoverMs: number | null
  /** From the last heal until accepted and delivered per second are back at 80 % of what they were before; null: never. */
  readonly recoveryMs: number | null
  /** Messages accepted per second before the fault. */
  readonly normalRate: number
  /** Counted by the delivery nodes, from their logs: no restart forgets them. */
  readonly possibleDuplicates: number
  /** One line for each duplicate and each counted possible duplicate: why. */
  readonly explanations: readonly Explanation[]
  readonly events: EventsAgreement
  /** Promises that were broken, in words: mail lost, altered, doubled without a reason. Empty = all held. */
  readonly failures: readonly string[]
  /** Times over their bars, in words. */
  readonly missedBars: readonly string[]
  readonly marks: readonly Mark[]
  readonly timeline: Timeline
}

export interface Explanation {
  readonly recipient: string
  /** `duplicate`: it arrived more often than it was sent; `near miss`: a possible duplicate was counted, one copy arrived. */
  readonly is: 'duplicate' | 'near miss'
  /** Which node died, was frozen or cut, or which site dropped it at the dot; null: nothing explains it. */
  readonly why: string | null
}

/** What the partitions' logs say, against the ledger. */
export interface EventsAgreement {
  /** Accepted recipients that the logs were asked about. */
  readonly tasks: number
  /** Accepted recipients without a final outcome although the queue is empty. */
  readonly missing: number
  /** Recipients closed for good more than once. */
  readonly doubled: number
  /** Logged as delivered but never seen, or seen without being logged (but for copies explained otherwise). */
  readonly contradicted: number
  /** Acceptances and ends of which no event tells; and those that more than one tells (told-agree.ts). */
  readonly untold: number
  readonly toldTwice: number
  readonly examples: readonly string[]
}

/** Messages accepted and recipients delivered in each second of the run; marks share its clock. */
export interface Timeline {
  readonly startedAt: number
  readonly accepted: readonly number[]
  readonly delivered: readonly number[]
}
