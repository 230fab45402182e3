/**
 * Follows the feed and writes it to the index, for as long as the process lives: what goes wrong is logged, and it goes on
 * from the cursor that is stored. Between two parts the event loop turns, so that /livez and /metrics are answered.
 */
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import type { EventType } from '@posthouse/core/event'
import type { EventBatch, EventFeed } from '@posthouse/queue/event-feed'
import type { Log } from '@posthouse/runtime/log'
import type { EventIndex } from './event-index.ts'

export interface ProjectionOptions {
  readonly index: EventIndex
  readonly feed: EventFeed
  readonly log: Pick<Log, 'warn' | 'error'>
  readonly observer: {
    /** One part was written, in so many ms. */
    written(types: readonly EventType[], repeated: number, ms: number): void
    gap(): void
  }
  readonly signal: AbortSignal
  /** Wait after a failure, ms. */
  readonly pause: number
}

export class Projection {
  readonly #options: ProjectionOptions
  #trouble: string | undefined

  constructor(options: ProjectionOptions) {
    this.#options = options
  }

  /** Why nothing can be written to the index; undefined: it can. */
  get trouble(): string | undefined {
    return this.#trouble
  }

  /** Resolves when the signal is aborted. */
  async run(): Promise<void> {
    const { index, feed, signal, log, pause } = this.#options
    while (!signal.aborted) {
      const generation = index.generation
      try {
        await feed.read(index.cursor, { follow: true, signal }, (batch) => this.#take(batch, generation))
        // Who follows ends when told so; a feed that ends by itself is asked again.
        if (!signal.aborted) await wait(pause, undefined, { signal })
      } catch (error) {
        if (signal.aborted) return
        this.#trouble = `the events cannot be indexed: ${(error as Error).message}`
        log.error({ err: error }, 'events could not be indexed; trying again')
        await wait(pause, undefined, { signal }).catch(() => undefined)
      }
    }
  }

  async #take(batch: EventBatch, generation: number): Promise<void> {
    const { index, observer, log, signal } = this.#options
    // The cursor of another index would leave a hole in this one.
    if (generation !== index.generation) throw new Error('the index was made anew')
    if (batch.gap !== undefined) {
      observer.gap()
      log.warn(batch.gap, 'entries of a log had been removed before their events were indexed')
    }
    const parts = index.write(batch)
    for (;;) {
      const begun = performance.now()
      const next = parts.next()
      if (next.done === true) break
      observer.written(next.value.types, next.value.repeated, performance.now() - begun)
      await turn()
      if (signal.aborted) return
    }
    this.#trouble = undefined
  }
}
