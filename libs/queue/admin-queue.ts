/** The queue as an admin node sees it (admin-port.ts): what the owners say, what the servers say, and what lies in the logs. */
import type { AdminPort, ClusterView, PartitionFigures } from './admin-port.ts'
import type { EventFeed } from './event-feed.ts'
import { ClusterPoll } from './jetstream/cluster-poll.ts'
import { openExistingStore, type LookOptions } from './jetstream/jetstream-store.ts'
import { answerDeadLetters } from './jetstream/dead-letter-channel.ts'
import { answerTraces } from './jetstream/trace-channel.ts'
import { LogEventFeed } from './log-event-feed.ts'
import type { QueueLog } from './log.ts'
import type { Readiness } from './port.ts'
import type { OwnerFigures, Store } from './store.ts'
import type { TraceAnswer, TraceQuestion } from './trace-port.ts'

const BEAT_EVERY_MS = 500
/** Who was not heard for so long is not counted. */
const SILENT_MS = 3000
/** Words of an owner count for so long: its lease, and a little more. */
const BELIEVED_MS = 15_000

export interface AdminQueueParts {
  readonly store: Store
  readonly name: string
  readonly log: QueueLog
  readonly view: () => ClusterView
  readonly answerTraces: AdminPort['answerTraces']
  readonly answerDeadLetters: AdminPort['answerDeadLetters']
  /** Monotonic ms. */
  readonly now: () => number
  readonly stop: () => void
}

interface Said {
  readonly figures: OwnerFigures
  readonly at: number
}

export class AdminQueue implements AdminPort {
  readonly feed: EventFeed
  readonly #parts: AdminQueueParts
  readonly #said = new Map<number, Said>()
  readonly #admins = new Map<string, number>()
  readonly #listeners = new Set<(from: string, words: string) => void>()
  readonly #timer: NodeJS.Timeout
  readonly #stopHearing: readonly (() => void)[]

  /** The store is its own from here on. */
  constructor(parts: AdminQueueParts) {
    const { store, name, log, now } = parts
    this.#parts = parts
    this.feed = new LogEventFeed(store, log)
    this.#stopHearing = [
      store.onFigures((figures) => this.#said.set(figures.partition, { figures, at: now() })),
      store.onLease((partition, { released }) => {
        if (released) this.#released(partition)
      }),
      store.onAdmin((admin, words) => this.#heard(admin, words)),
    ]
    this.#timer = setInterval(() => store.announceAdmin(name), BEAT_EVERY_MS)
    store.announceAdmin(name)
  }

  get partitions(): number {
    return this.#parts.store.partitions
  }

  figures(): PartitionFigures[] {
    const now = this.#parts.now()
    return Array.from({ length: this.partitions }, (_, partition) => {
      const said = this.#said.get(partition)
      if (said === undefined) return unknown(partition, this.#parts.store)
      const { owner, destinations, oldestAt, ...figures } = said.figures
      return {
        ...figures,
        owner: now - said.at > BELIEVED_MS ? undefined : owner || undefined,
        oldestAt: oldestAt === 0 ? undefined : oldestAt,
        destinations: destinations.map(([destination, later, oldest]) => ({ destination, later, oldestAt: oldest })),
        saidAgo: now - said.at,
      }
    })
  }

  view(): ClusterView {
    return this.#parts.view()
  }

  answerTraces(answer: (question: TraceQuestion) => Promise<TraceAnswer>): () => void {
    return this.#parts.answerTraces(answer)
  }

  answerDeadLetters(answer: Parameters<AdminPort['answerDeadLetters']>[0]): () => void {
    return this.#parts.answerDeadLetters(answer)
  }

  admins(): string[] {
    const { name, now } = this.#parts
    const since = now() - SILENT_MS
    const live = new Set([name])
    for (const [admin, at] of this.#admins) {
      if (at < since) this.#admins.delete(admin)
      else live.add(admin)
    }
    return [...live].sort()
  }

  tell(words: string): void {
    this.#parts.store.announceAdmin(this.#parts.name, words)
  }

  onWords(hear: (from: string, words: string) => void): () => void {
    this.#listeners.add(hear)
    return () => this.#listeners.delete(hear)
  }

  notReady(): Readiness {
    const reason = this.#parts.store.disconnected()
    return reason === undefined ? undefined : { why: 'unavailable', reason }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    for (const stop of this.#stopHearing) stop()
    this.#parts.stop()
    await this.#parts.store.close()
  }

  /** One's own words come back from the server. */
  #heard(admin: string, words: string | undefined): void {
    const { name, now } = this.#parts
    if (admin === name) return
    this.#admins.set(admin, now())
    if (words !== undefined) for (const hear of this.#listeners) hear(admin, words)
  }

  /** Nobody owns it until the next one speaks. */
  #released(partition: number): void {
    const said = this.#said.get(partition)
    if (said !== undefined) this.#said.set(partition, { ...said, figures: { ...said.figures, owner: '' } })
  }
}

/** No owner has spoken: what the streams themselves tell. Mail that is closed and not yet purged is counted with it. */
function unknown(partition: number, store: Store): PartitionFigures {
  const { mailMessages, mailBytes } = store.state(partition)
  return {
    partition,
    owner: undefined,
    ready: mailMessages,
    inFlight: 0,
    later: 0,
    bytes: mailBytes,
    oldestAt: undefined,
    destinations: [],
    saidAgo: undefined,
  }
}

/** Resolves when the streams are there, of so many partitions if it is said; rejects with one line that names the setting. */
export async function connectAdminQueue(options: LookOptions & { readonly partitions?: number }): Promise<AdminPort> {
  const { store, links } = await openExistingStore({ ...options, as: 'admin' })
  const poll = new ClusterPoll(links, store.partitions)
  return new AdminQueue({
    store,
    name: options.name,
    log: options.log,
    view: () => poll.view(),
    answerTraces: (answer) => answerTraces(links, answer),
    answerDeadLetters: (answer) => answerDeadLetters(links, answer),
    now: () => performance.now(),
    stop: () => poll.stop(),
  })
}
