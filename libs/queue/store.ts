/**
 * The store: the few operations on the streams of the partitions that the protocol needs, with answers that never say
 * more than is known. JetStream is one implementation (jetstream/), memory another (memory/). One try per call: the
 * state machines in libs/core decide about repeats. No call rejects for a lost server: that is `unanswered`.
 */
import type { PublishAnswer } from '@posthouse/core/answer'
import type { EntryHeader } from '@posthouse/core/entry'
import type { Lease, LeaseRead } from '@posthouse/core/lease'
import type { ListedBody } from '@posthouse/core/owner/effect'
import type { BodyReference } from '@posthouse/core/record'

/** A batch as it lies in the store; records are decoded by batch-codec. */
export interface StoredBatch {
  readonly seq: number
  /** Server time, ms since the epoch. */
  readonly storedAt: number
  /** Its Nats-Msg-Id. */
  readonly id: string
  readonly payload: Uint8Array
}
export interface StoredEntry {
  readonly seq: number
  readonly storedAt: number
  readonly header: EntryHeader
  /** Bytes of the payload, if the reader was told. */
  readonly size: number
}
export type MailRead =
  /** In order, without holes, from the asked sequence or the stream's first on. `first` = the stream's first sequence if known. */
  { readonly is: 'batches'; readonly batches: readonly StoredBatch[] } | { readonly is: 'unanswered' }
export type Done = { readonly is: 'done' } | { readonly is: 'unanswered' }

/** What lies below and only readers want may have been removed. */
export type Trimmed = { readonly is: 'trimmed'; readonly below: number } | { readonly is: 'unanswered' }

/** `storedAt`: server time of the entry `through`. */
export type Scanned = { readonly is: 'done'; readonly storedAt: number } | { readonly is: 'unanswered' }

export type BodyList = { readonly is: 'bodies'; readonly bodies: readonly ListedBody[] } | { readonly is: 'unanswered' }

export interface Extents {
  readonly is: 'extents'
  /** Sequences of the first and the last message; first = last + 1 in an empty stream. */
  readonly mail: { readonly first: number; readonly last: number }
  readonly log: { readonly first: number; readonly last: number }
}

/** A message of the log as its readers see it. */
export interface LogHeader {
  readonly seq: number
  /** ms since the epoch. */
  readonly storedAt: number
  readonly kind: 'lease' | 'outcome' | 'later' | 'accepted' | 'late'
  /** Value of the entry's header; '' for a lease. */
  readonly value: string
}

export type LogReader = (entries: readonly LogHeader[]) => Promise<void> | void

export interface PartitionState {
  /** Each stream has a leader, as far as is known. */
  readonly leader: boolean
  /** Used part of MAIL's max_bytes and of the servers' storage, 0 to 1 (the larger). */
  readonly used: number
  readonly mailMessages: number
  readonly mailBytes: number
  /** Name of the server that leads MAIL, if known. */
  readonly server?: string
}

/** An edge tells the others which partition it gives its mail to for about a second. */
export interface PartitionUse {
  /** Process incarnation. */
  readonly edge: string
  readonly partition: number
}

/** What a delivery node tells the others about itself twice a second. */
export interface Heartbeat {
  readonly node: string
  readonly name: string
  /** Abstains from owning (stopping, or cannot reach its streams). */
  readonly abstains: boolean
}

export interface OwnerFigures {
  readonly partition: number
  /** Name of the node. */
  readonly owner: string
  readonly ready: number
  readonly inFlight: number
  readonly later: number
  readonly bytes: number
  /** Server time, ms; 0: nothing is open. */
  readonly oldestAt: number
  /** The largest of those that wait: name, recipients, server time of the oldest message. */
  readonly destinations: readonly (readonly [string, number, number])[]
}

export interface Store {
  readonly partitions: number

  // Edge
  appendMail(
    partition: number,
    id: string,
    count: number,
    payload: Uint8Array,
    timeoutMs: number,
  ): Promise<PublishAnswer>
  putChunk(partition: number, body: string, chunk: number, bytes: Uint8Array, timeoutMs: number): Promise<PublishAnswer>
  /** Wakes the partition's owner: `seq` is stored. Fire and forget. */
  nudge(partition: number, seq: number): void
  /** Asks the partition's owner to purge a body that no record refers to. Fire and forget: what is not heard is swept. */
  abandonBody(partition: number, body: string): void

  // Owner
  onNudge(partition: number, listener: (seq: number) => void): () => void
  onAbandoned(partition: number, listener: (body: string) => void): () => void
  readLease(partition: number): Promise<LeaseRead>
  /** Stored only if the last lease has sequence `expected` (0: none yet). Its Nats-Msg-Id is lease.id. */
  writeLease(partition: number, lease: Lease, expected: number, timeoutMs: number): Promise<PublishAnswer>
  /** Stored only if the last lease has sequence `header.lease`. `payload` is a batch for `.later`, else empty. */
  writeEntry(
    partition: number,
    id: string,
    kind: 'outcome' | 'later',
    header: EntryHeader,
    payload: Uint8Array,
    timeoutMs: number,
  ): Promise<PublishAnswer>
  /** A former owner that learns of an outcome too late; unfenced. */
  writeLate(partition: number, id: string, header: EntryHeader): Promise<PublishAnswer>
  /**
   * Reads the headers of the log up to and including sequence `through` (one's own lease): every entry from the lower of
   * `from` and the first one stored at or after `sinceMs`, and every `.later` entry below. Each once, in any order. Not
   * what lies under `.late`: it closes nothing.
   * Resolves only when `through` itself has been seen on the way, so that nothing stored below is missing.
   */
  scanLog(
    partition: number,
    through: number,
    from: number,
    sinceMs: number,
    seen: (entry: StoredEntry) => void,
  ): Promise<Scanned>
  readMail(partition: number, from: number, maxBytes: number): Promise<MailRead>
  /** Undefined payload: not there (deleted). */
  readLater(
    partition: number,
    seq: number,
  ): Promise<{ is: 'batch'; batch: StoredBatch } | { is: 'none' } | { is: 'unanswered' }>
  /** Removes every MAIL batch below `before`. Repeating is harmless; so it is for all removals. */
  purgeMail(partition: number, before: number): Promise<Done>
  deleteLater(partition: number, seq: number): Promise<Done>
  purgeBody(partition: number, body: string): Promise<Done>
  /**
   * Bodies that lie in the partition, whole or in part, but those that are to be skipped. A body may be missing: nothing
   * can be concluded from it.
   */
  listBodies(partition: number, skip: (body: string) => boolean): Promise<BodyList>
  /**
   * Removes `.outcome`, `.late`, `.accepted` and old leases below `before` that were stored before `olderThan` (ms); while the log
   * takes more than its part of the room, also some of those stored before `latest`, the oldest first.
   */
  trimLog(partition: number, before: number, olderThan: number, latest?: number): Promise<Trimmed>
  readBody(partition: number, body: BodyReference): AsyncIterable<Uint8Array>

  // Readers
  /** Appends an `.accepted` entry, unfenced; `header` is an accepted-codec value. */
  appendAccepted(partition: number, id: string, header: string, timeoutMs: number): Promise<PublishAnswer>
  /**
   * Gives the headers of the log from sequence `from` on, in order, each once, and on as they come, until `signal` is aborted; the next
   * ones when the last have been taken. What was removed is missing. Rejects only if a taker does.
   */
  followLog(partition: number, from: number, signal: AbortSignal, next: LogReader): Promise<void>

  /** The first entry at or after `from`, as one replica knows it. */
  nextEntry(
    partition: number,
    from: number,
  ): Promise<{ readonly is: 'entry'; readonly seq: number } | { readonly is: 'none' } | { readonly is: 'unanswered' }>

  // Viewer
  /** What the streams' leaders say they hold. */
  extents(partition: number): Promise<Extents | { readonly is: 'unanswered' }>

  // Hints, to be believed only as hints
  /** Every lease somebody tried to write. */
  onLease(listener: (partition: number, lease: Lease) => void): () => void
  heartbeat(beat: Heartbeat): void
  onHeartbeat(listener: (beat: Heartbeat) => void): () => void
  announceUse(use: PartitionUse): void
  onUse(listener: (use: PartitionUse) => void): () => void
  /** What an owner says of its partition every two seconds. */
  announceFigures(figures: OwnerFigures): void
  onFigures(listener: (figures: OwnerFigures) => void): () => void
  /** An admin node tells the others twice a second that it lives. */
  /** `words`: what it has to say to the others. */
  announceAdmin(name: string, words?: string): void
  onAdmin(listener: (name: string, words: string | undefined) => void): () => void
  /** As of the last poll (about once a second). */
  state(partition: number): PartitionState
  /** Undefined while connected to at least one server. */
  disconnected(): string | undefined
  close(): Promise<void>
}
