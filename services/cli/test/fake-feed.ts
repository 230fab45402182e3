// Events without logs: batches that are given one after the other.
import { once } from 'node:events'
import type { EventBatch, EventCursor, EventFeed } from '@posthouse/queue/event-feed'

export class FakeFeed implements EventFeed {
  readonly partitions = 3
  readonly #batches: readonly EventBatch[]
  readonly #ends: EventCursor
  readonly #trouble: Error | undefined
  /** Where it was read from. */
  from: EventCursor | undefined
  /** Batches that were taken whole. */
  taken = 0
  closed = false

  /** After the batches comes the trouble, if any. */
  constructor(batches: readonly EventBatch[], ends: EventCursor = [9, 9, 2000], trouble?: Error) {
    this.#batches = batches
    this.#ends = ends
    this.#trouble = trouble
  }

  async read(
    from: EventCursor,
    { follow, signal }: { readonly follow: boolean; readonly signal: AbortSignal },
    next: (batch: EventBatch) => Promise<void> | void,
  ): Promise<void> {
    this.from = from
    for (const batch of this.#batches) {
      if (signal.aborted) return
      await next(batch)
      this.taken++
    }
    if (this.#trouble !== undefined) throw this.#trouble
    if (follow && !signal.aborted) await once(signal, 'abort')
  }

  ends(): Promise<EventCursor> {
    return Promise.resolve(this.#ends)
  }

  close(): Promise<void> {
    this.closed = true
    return Promise.resolve()
  }
}
