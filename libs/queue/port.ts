/**
 * The queue port: all that a service knows of the queue. The edge gives records and learns their fate; the delivery
 * node is given deliveries and says how each recipient ended. Everything else (partitions, leases, entries, bodies) is
 * behind it. The contract, in words, tested by contract.ts on every implementation:
 *
 * 1. `stored` is said only after a majority of the replicas has the record on disk. `refused` is said only if it surely
 *    was not stored. If neither can be known within the give-up time the fate is `unknown`.
 * 2. A stored record is given to exactly one live delivery node at a time, and again after that node lost its lease,
 *    until every recipient is closed.
 * 3. A recipient closed by a stored entry is never given again. A successor (deferred, parked, bounce) is stored
 *    in the same write that closes its predecessor.
 * 4. `mayFinish()` is true only while no other node can own the delivery.
 */
import type { MailRecord, Envelope } from '@posthouse/core/record'
import type { Outcome } from '@posthouse/core/outcome'

/** Why a record was surely not stored: full -> 452 4.3.1; unavailable (no quorum, no server) -> 451 4.3.0. */
export type Fate =
  | { readonly is: 'stored' }
  | { readonly is: 'refused'; readonly why: 'full' | 'unavailable' }
  | { readonly is: 'unknown' }

/** Streams a large content into the body stream of one partition; memory stays bounded by a few chunks. */
export interface BodyWriter {
  /** Resolves when there is room for more; the bytes are the caller's again then. Rejects with BodyRefused if the chunks cannot be stored. */
  write(bytes: Uint8Array): Promise<void>
  /** Resolves when every chunk is stored. */
  finish(): Promise<import('@posthouse/core/record').BodyReference>
  /** The message is refused after all: the owner is asked to purge the chunks. Only if no record referring to them was given. */
  abandon(): Promise<void>
}

export interface AcceptPort {
  /**
   * Commits one record. `done` is called exactly once, from the event loop, in the order of the commits of a partition.
   * A record whose envelope has a body goes to the partition of `writer`.
   */
  accept(record: MailRecord, done: (fate: Fate) => void, writer?: BodyWriter): void
  openBody(): BodyWriter
  /** Undefined if mail can be taken now, else the reason ("queue 81 % full", "no partition has a leader"). */
  notReady(): Readiness
  /** Resolves when every record given has its fate; nothing may be given afterwards. */
  close(): Promise<void>
}
export type Readiness = undefined | { readonly why: 'full' | 'unavailable'; readonly reason: string }

/** One record with those of its recipients that are to be tried now. */
export interface Delivery {
  /** The partition it lives in; see DeliveryEngine.revoke. */
  readonly partition: number
  readonly envelope: Envelope
  /** Positions in envelope.recipients that are open and due. */
  readonly recipients: readonly number[]
  /** Destination it waited under (a hint; routing decides anew), absent on the first attempt. */
  readonly destination?: string
  /** Running it counts a possible duplicate: call began() when the first recipient is sent. */
  readonly suspect: boolean
  /** Server-time age of the message, ms: compare with the lifetime (never the local clock). */
  age(): number
  /** Inline content, or undefined if it is in the body stream. */
  readonly content: Uint8Array | undefined
  /** Reads the content from the body stream, chunk by chunk; throws BodyMissing. */
  body(): AsyncIterable<Uint8Array>
  /** False: drop the connection before the dot. Ask in the same turn in which the final dot is written. */
  mayFinish(): boolean
  /**
   * Says that the attempt begins (possible duplicates are counted here): once, before anything of the delivery is closed.
   * False: the partition is lost or being handed over, don't begin; nothing of it is closed any more.
   */
  begin(): boolean
  /** Closes these positions. Each position is closed exactly once; what is not closed is given again by the next owner. */
  close(positions: readonly number[], outcome: Outcome): void
  /** Connection lost between the final dot and its reply: these are counted as possible duplicates. They are closed as usual. */
  lostAfterDot(positions: readonly number[]): void
}

/** What the delivery engine offers to the queue. */
export interface DeliveryEngine {
  /** New work. Called often; must be cheap. */
  give(delivery: Delivery): void
  /** Is there room for more work of this destination now? Due work of a full destination stays in the queue. */
  hasRoom(destination: string): boolean
  /** These deliveries are no longer ours (lease lost or released): drop what has not reached its dot, close nothing. */
  revoke(partition: number): void
}

export interface DeliverPort {
  /** Joins the cluster of delivery nodes and begins to give work to the engine. */
  start(engine: DeliveryEngine): Promise<void>
  /** Gives no more work, waits up to `drainMs` for what is in flight, stores it, releases every partition. */
  stop(drainMs: number): Promise<void>
  notReady(): Readiness
}

/** The queue as an operator sees it (read-only; used by the command line and the metrics). */
export interface QueueView {
  count(): Promise<QueueCount>
  /** Newest first within the limit; reads headers and envelopes only as needed. */
  list(limit: number): Promise<readonly QueueItem[]>
  show(id: string): Promise<readonly QueueItem[]>
}
export interface QueueCount {
  /** Recipients waiting for their first attempt or in flight, and messages in MAIL. */
  readonly ready: number
  /** Recipients deferred or parked. */
  readonly later: number
  readonly oldestAgeMs: number
  readonly bytes: number
  readonly partitions: readonly PartitionCount[]
}
export interface PartitionCount {
  readonly partition: number
  readonly owner: string | undefined
  readonly ready: number
  readonly later: number
  readonly bytes: number
}
export interface QueueItem {
  readonly partition: number
  readonly envelope: Envelope
  /** Positions still open. */
  readonly open: readonly number[]
  readonly state: 'ready' | 'deferred' | 'parked' | 'held'
  /** ms since the epoch; undefined for ready. */
  readonly due: number | undefined
}

/** The body stream lacks a chunk that a record refers to. */
export class BodyMissing extends Error {}
/** The body could not be stored; `why` decides the reply. */
export class BodyRefused extends Error {
  readonly why: 'full' | 'unavailable'
  constructor(why: 'full' | 'unavailable', message: string) {
    super(message)
    this.why = why
  }
}
