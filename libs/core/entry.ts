/**
 * Entries of a partition's log: which tasks they close, and what a `.later` entry carries on. A task is named by the
 * batch that holds it (stream, sequence), the index of the record and the position of the recipient, never by
 * destination. Plain data; the codec is in entry-codec.ts.
 */
import type { AttemptFacts, How } from './outcome.ts'
import type { Report } from './record.ts'

export type BatchStream = 'mail' | 'later'

/** One record's recipients that an entry closes in the same way. */
export interface Closing {
  readonly stream: BatchStream
  readonly seq: number
  /** Index of the record in its batch. */
  readonly record: number
  /** Positions in that record's recipients. */
  readonly positions: readonly number[]
  /** For readers: the queue id and each recipient's index in the accepted message. */
  readonly id: string
  readonly indexes: readonly number[]
  /** MAIL sequence the message came with, and that batch's id (its Nats-Msg-Id): a repeat of it is recognised. */
  readonly origin: number
  readonly batch: string
  readonly body?: string
  readonly report?: Report
  /** 'unknown': a newer version's word. The task is closed all the same. */
  readonly how: How | 'unknown'
  /** Attempts made, this one included. */
  readonly attempt: number
  readonly facts: AttemptFacts
}

/** Head of one record that a `.later` entry carries: enough for a headers-only reader. */
export interface SuccessorHead {
  readonly id: string
  readonly origin: number
  readonly batch: string
  readonly recipients: number
  readonly body?: string
  readonly suspect?: boolean
  readonly report?: Report
}

export interface Later {
  /** ms since the epoch; all tasks of the entry wait together. */
  readonly due: number
  readonly destination: string
  readonly state: 'deferred' | 'parked' | 'held'
  readonly records: readonly SuccessorHead[]
}

export interface EntryHeader {
  /** Incarnation of the writer and the sequence of its lease. */
  readonly node: string
  readonly lease: number
  readonly closes: readonly Closing[]
  /** Present in `.later` entries; the payload is a batch with these records in this order. */
  readonly later?: Later
}
