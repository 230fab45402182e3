/**
 * The events of all partitions, read from their logs: from a cursor on, in the order of each partition, and on as they come.
 * Nothing is acknowledged and no reader is known to the queue: a cursor is the reader's own to keep. What the log no longer
 * holds (docs/events.md says for how long it is kept) is said as a gap.
 */
import type { MailEvent } from '@posthouse/core/event'

/** Of each partition, the sequence of the last log entry that was read; absent: none. */
export type EventCursor = readonly number[]

export interface EventBatch {
  readonly events: readonly MailEvent[]
  /** Where to go on after them: keep it together with what was made of the events. */
  readonly cursor: EventCursor
  /** Entries that the reader has not seen were removed because they were old; told once. */
  readonly gap?: { readonly partition: number; readonly after: number; readonly first: number }
}

export interface EventFeed {
  readonly partitions: number
  /**
   * Gives batch after batch; the next only when the promise of the last has resolved. With `follow` it ends when `signal` is
   * aborted, else at the ends of the logs as they were when it began. Rejects if a partition does not answer for long
   * without `follow`; with it, it goes on asking.
   */
  read(
    from: EventCursor,
    options: { readonly follow: boolean; readonly signal: AbortSignal },
    next: (batch: EventBatch) => Promise<void> | void,
  ): Promise<void>
  /** Of each partition, the sequence of the last log entry there is. Rejects if one does not answer. */
  ends(): Promise<EventCursor>
  close(): Promise<void>
}
