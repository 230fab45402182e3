/**
 * How far the index is behind the logs. The ends of the logs are asked for now and then; once the cursor has passed such an
 * end, the index had everything that there was when it was asked for.
 */
import type { EventCursor } from '@posthouse/queue/event-feed'

export class IndexLag {
  #ends: EventCursor | undefined
  #askedAt = 0
  /** The logs as they were then are in the index; undefined: not yet since the process began. */
  #completeAt: number | undefined

  /** The ends, and when they were asked for (before the answer), by a monotonic clock, ms. */
  heard(ends: EventCursor, askedAt: number, cursor: EventCursor): void {
    this.look(cursor)
    this.#ends = ends
    this.#askedAt = askedAt
    this.look(cursor)
  }

  look(cursor: EventCursor): void {
    if (this.#ends !== undefined && missing(this.#ends, cursor) === 0) this.#completeAt = this.#askedAt
  }

  /** Undefined: unknown, as no end was heard. */
  entries(cursor: EventCursor): number | undefined {
    return this.#ends === undefined ? undefined : missing(this.#ends, cursor)
  }

  /** What was written to the logs so long ago, ms, is in the index; undefined: it is still being built. */
  ms(now: number): number | undefined {
    return this.#completeAt === undefined ? undefined : Math.max(0, now - this.#completeAt)
  }
}

function missing(ends: EventCursor, cursor: EventCursor): number {
  return ends.reduce((sum, end, partition) => sum + Math.max(0, end - (cursor[partition] ?? 0)), 0)
}
