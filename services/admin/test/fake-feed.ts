/** A feed of what a test says, in batches, from any cursor: as the logs would be, and nothing is ever acknowledged. */
import type { MailEvent } from '@posthouse/core/event'
import type { EventBatch, EventCursor, EventFeed } from '@posthouse/queue/event-feed'

export class FakeFeed implements EventFeed {
  readonly partitions: number
  readonly #logs: MailEvent[][]
  readonly #perBatch: number
  #changed = Promise.withResolvers<void>()
  #gap: EventBatch['gap']
  /** The next read fails with it. */
  failNext: Error | undefined
  /** How often it was read from, and from where. */
  readonly reads: EventCursor[] = []

  constructor(partitions: number, perBatch = 3) {
    this.partitions = partitions
    this.#perBatch = perBatch
    this.#logs = Array.from({ length: partitions }, () => [])
  }

  append(...events: readonly MailEvent[]): void {
    for (const event of events) this.#logs[event.partition]!.push(event)
    this.#wake()
  }

  tellGap(gap: NonNullable<EventBatch['gap']>): void {
    this.#gap = gap
    this.#wake()
  }

  async read(
    from: EventCursor,
    { follow, signal }: { readonly follow: boolean; readonly signal: AbortSignal },
    next: (batch: EventBatch) => Promise<void> | void,
  ): Promise<void> {
    this.reads.push([...from])
    const cursor = Array.from({ length: this.partitions }, (_, partition) => from[partition] ?? 0)
    signal.addEventListener('abort', () => this.#wake())
    while (!signal.aborted) {
      const changed = this.#changed.promise
      const { failNext } = this
      this.failNext = undefined
      if (failNext !== undefined) throw failNext
      const batch = this.#batch(cursor)
      if (batch !== undefined) await next(batch)
      else if (follow) await changed
      else return
    }
  }

  ends(): Promise<EventCursor> {
    return Promise.resolve(this.#logs.map((log) => log.at(-1)?.sequence ?? 0))
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #batch(cursor: number[]): EventBatch | undefined {
    const gap = this.#gap
    this.#gap = undefined
    for (const [partition, log] of this.#logs.entries()) {
      const rest = log.filter(({ sequence }) => sequence > (cursor[partition] ?? 0))
      // Entries are whole.
      const last = rest[Math.min(this.#perBatch, rest.length) - 1]?.sequence
      if (last === undefined) continue
      cursor[partition] = last
      const events = rest.filter(({ sequence }) => sequence <= last)
      return { events, cursor: [...cursor], ...(gap !== undefined && { gap }) }
    }
    return gap === undefined ? undefined : { events: [], cursor: [...cursor], gap }
  }

  #wake(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers<void>()
  }
}
