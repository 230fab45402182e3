/** The event feed on a store: follows the logs of all partitions and makes events of what their entries say. */
import { eventsOf } from '@posthouse/core/entry-events'
import type { MailEvent } from '@posthouse/core/event'
import type { EventBatch, EventCursor, EventFeed } from './event-feed.ts'
import { connectExistingStore, type LookOptions } from './jetstream/jetstream-store.ts'
import type { QueueLog } from './log.ts'
import type { LogHeader, Store } from './store.ts'

const ASK_AGAIN_MS = 200
const TRIES = 25
/** Nothing has come for so long. */
const QUIET_MS = 5000
/** A replica may lag: so many say the same. */
const SURE = 5

class NoAnswer extends Error {}

export class LogEventFeed implements EventFeed {
  readonly #store: Store
  readonly #log: QueueLog
  /** Up to where old entries were removed, as the owners said last. */
  readonly #trimmed = new Map<number, number>()
  readonly #stopHearing: () => void

  /** The store is the caller's to close, unless `close` is called. */
  constructor(store: Store, log: QueueLog) {
    this.#store = store
    this.#log = log
    this.#stopHearing = store.onLease((partition, { trimmed }) => {
      if (trimmed !== undefined) this.#trimmed.set(partition, trimmed)
    })
  }

  get partitions(): number {
    return this.#store.partitions
  }

  async read(
    from: EventCursor,
    { follow, signal }: { readonly follow: boolean; readonly signal: AbortSignal },
    next: (batch: EventBatch) => Promise<void> | void,
  ): Promise<void> {
    const cursor = Array.from({ length: this.partitions }, (_, partition) => from[partition] ?? 0)
    const ends = follow ? undefined : await this.ends()
    const ended = new AbortController()
    // One batch at a time, whichever partition it comes from.
    let turn = Promise.resolve()
    const give = (partition: number, events: readonly MailEvent[], last: number, gap?: EventBatch['gap']) => {
      turn = turn.then(async () => {
        if (signal.aborted || ended.signal.aborted) return
        cursor[partition] = Math.max(cursor[partition] ?? 0, last)
        await next({ events, cursor: [...cursor], ...(gap === undefined ? {} : { gap }) })
      })
      return turn
    }
    const readers = cursor.map(async (after, partition) => {
      const gap = after === 0 ? undefined : await this.#gap(partition, after, signal)
      if (gap !== undefined) await give(partition, [], after, gap)
      const end = ends?.[partition]
      if (end !== undefined && after >= end) return
      const done = new AbortController()
      const until = AbortSignal.any([signal, ended.signal, done.signal])
      let last = after
      // Only while nothing is being taken: a taker may take its time.
      const wait = () => (end === undefined ? undefined : this.#whenQuiet(partition, () => last, end, done))
      let quiet = wait()
      try {
        await this.#store.followLog(partition, after + 1, until, async (entries) => {
          quiet?.stop()
          const before = last
          last = entries.at(-1)?.seq ?? last
          // Entries are deleted one by one in good order; the lease says what was removed because it was old.
          const trimmed = entries[0]?.seq === before + 1 || before === 0 ? 1 : (this.#trimmed.get(partition) ?? 1)
          const missed = trimmed > before + 1 ? { partition, after: before, first: trimmed } : undefined
          await give(partition, this.#events(partition, entries), last, missed)
          if (end !== undefined && last >= end) done.abort()
          else quiet = wait()
        })
      } finally {
        quiet?.stop()
      }
      if (done.signal.reason instanceof NoAnswer) throw done.signal.reason
    })
    try {
      await Promise.all(readers)
    } finally {
      ended.abort()
    }
  }

  /**
   * The last entries may have been deleted, and nothing comes after them: then a partition that has nothing more, however often it is
   * asked, has said all.
   */
  #whenQuiet(partition: number, last: () => number, end: number, done: AbortController): { readonly stop: () => void } {
    let stopped = false
    let answers = 0
    const look = async () => {
      const next = await this.#store.nextEntry(partition, last() + 1)
      if (stopped) return
      if (next.is === 'unanswered')
        return done.abort(new NoAnswer(`partition ${partition} of the queue does not answer`))
      const isEnd = next.is === 'none' || next.seq > end
      answers = isEnd ? answers + 1 : 0
      if (answers === SURE) return done.abort()
      timer = setTimeout(() => void look(), isEnd ? ASK_AGAIN_MS : QUIET_MS)
    }
    let timer = setTimeout(() => void look(), QUIET_MS)
    return {
      stop: () => {
        stopped = true
        clearTimeout(timer)
      },
    }
  }

  async ends(): Promise<EventCursor> {
    return Promise.all(
      Array.from({ length: this.partitions }, async (_, partition) => {
        for (let tries = 0; tries < TRIES; tries++) {
          const extents = await this.#store.extents(partition)
          if (extents.is === 'extents') return extents.log.last
          await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS))
        }
        throw new Error(`partition ${partition} of the queue does not answer`)
      }),
    )
  }

  close(): Promise<void> {
    this.#stopHearing()
    return this.#store.close()
  }

  #events(partition: number, entries: readonly LogHeader[]): MailEvent[] {
    return entries.flatMap((entry) => {
      try {
        return eventsOf(partition, entry)
      } catch (error) {
        // Of a newer version, most likely: a reader that stopped here would stop for good.
        this.#log.error({ partition, seq: entry.seq, error: String(error) }, 'an entry of the log cannot be read')
        return []
      }
    })
  }

  /** The owner's lease says up to where old entries were removed. */
  async #gap(partition: number, after: number, signal: AbortSignal): Promise<EventBatch['gap']> {
    while (!signal.aborted) {
      const read = await this.#store.readLease(partition)
      if (read.is === 'none') return undefined
      if (read.is === 'lease') {
        const first = read.lease.trimmed ?? 1
        return first > after + 1 ? { partition, after, first } : undefined
      }
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS))
    }
    return undefined
  }
}

/** Rejects with one line that names the setting if the queue cannot be reached. */
export async function connectEventFeed(options: LookOptions): Promise<EventFeed> {
  return new LogEventFeed(await connectExistingStore({ ...options, as: 'cli' }), options.log)
}
