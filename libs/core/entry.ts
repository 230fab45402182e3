/**
 * Entries of a partition's log: which tasks they close, and what a `.later` entry carries on. A task is named by the
 * batch that holds it (stream, sequence), the index of the record and the position of the recipient, never by
 * destination. Plain data; the codec is in entry-codec.ts.
 */
import type { AttemptFacts, How } from './outcome.ts'
import type { AcceptanceFacts, Report } from './record.ts'

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
  /** For readers: when, ms since the epoch by the owner's clock, of whom, to whom (by position). Written since 0.2. */
  readonly at?: number
  readonly from?: string
  readonly to?: readonly string[]
  /** In the first closing of a record out of MAIL, so that no acceptance is missing in the log. */
  readonly accepted?: AcceptedFacts
  /** With `accepted`, if the closing is not of all: every forward-path, unless they are very many. */
  readonly all?: readonly string[]
  /** An owner that died may have delivered it too. */
  readonly possibleDuplicate?: boolean
}

/** Facts of the acceptance, as the log keeps them. */
export interface AcceptedFacts extends AcceptanceFacts {
  readonly helo?: string
  /** Bytes of the content. */
  readonly size: number
  /** How many the message has. */
  readonly recipients: number
  /** ms since the epoch, by the edge's clock. */
  readonly acceptedAt: number
  readonly traceparent?: string
}

/** A message that is in MAIL, in a `.accepted` entry: written by edges, unfenced, for readers alone. */
export interface AcceptedMessage {
  readonly id: string
  readonly from: string
  /** Forward-paths, in the order of the recipients; of very many, only some. */
  readonly to: readonly string[]
  /** Index of the first of them. */
  readonly first: number
  readonly facts: AcceptedFacts
}

/**
 * What a `.later` entry closed, said once more in an `.outcome` entry: the `.later` entry is deleted when its tasks are closed,
 * and what only it said would be missing for whoever reads the log later.
 */
export interface Told {
  /** Sequence of the `.later` entry. */
  readonly later: number
  readonly closing: Closing
  /** ms since the epoch. */
  readonly due: number
  /** Queue id of the report that the entry carries in place of these recipients. */
  readonly bounce?: string
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
  /** Server time, ms, at which the oldest of its messages was first stored; absent: with this entry, or nobody knows. */
  readonly oldest?: number
}

export interface EntryHeader {
  /** Incarnation of the writer, and the sequence of its lease. */
  readonly node: string
  readonly lease: number
  /** Its name, for readers. */
  readonly name?: string
  readonly closes: readonly Closing[]
  /** Present in `.later` entries; the payload is a batch with these records in this order. */
  readonly later?: Later
  /** In `.outcome` entries. It closes nothing. */
  readonly told?: readonly Told[]
}
