/**
 * The lease record of a partition: who owns it and what a successor must know (design section 2). The sequence of the
 * stored record is the fencing number. Plain data; the codec is in lease-codec.ts.
 */
export interface Lease {
  /** Random per try; also its Nats-Msg-Id. A read lease with one's own id is one's own, stored. */
  readonly id: string
  /** Process incarnation, never reused. */
  readonly node: string
  /** Node name, for people. */
  readonly name: string
  /** A candidate waits this long, ms, on its own monotonic clock. */
  readonly time: number
  /** MAIL sequence: every batch below is closed. */
  readonly floor: number
  /** Lower bound of the server time, ms, at which the batch at the floor was or will be stored. */
  readonly floorTime: number
  /** LOG sequence: every entry that closes a task of a batch not yet removed is at or above. */
  readonly r: number
  /** LOG sequence: entries below that only readers want may have been removed for their age. Since 0.2. */
  readonly trimmed?: number
  /** The owner begins nothing beyond until the next stored renewal. */
  readonly mayBegin: MayBegin
  /** What earlier owners that died unreleased may have begun. */
  readonly suspects: Suspects
  readonly backlog: Backlog
  /** The owner has let go: anybody may take it at once, and nothing is in flight. */
  readonly released: boolean
}
export interface MayBegin {
  /** Highest MAIL sequence. */
  readonly mail: number
  /** Latest due time of a later batch, ms since the epoch. */
  readonly due: number
}
export interface Suspects {
  /** MAIL batches up to this sequence. */
  readonly mail: number
  /** Later batches up to this LOG sequence that were due by `due`. */
  readonly log: number
  readonly due: number
}
export interface Backlog {
  readonly ready: number
  readonly later: number
  readonly bytes: number
}
/** A lease as read: with its sequence, or that there is none yet. */
export type LeaseRead =
  | { readonly is: 'lease'; readonly seq: number; readonly lease: Lease }
  | { readonly is: 'none' }
  | { readonly is: 'unanswered' }
