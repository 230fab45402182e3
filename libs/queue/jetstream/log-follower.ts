/**
 * Follows the headers of one stream: an ordered consumer in memory on one replica, which waits for what comes, and is made
 * anew from the message after the last one taken when it falls silent, skips something, dies with its server, or lags behind what
 * the stream's leader is known to hold.
 */
import type { Msg } from 'nats'
import { api } from './api.ts'
import type { Link } from './link.ts'
import type { Links } from './links.ts'
import { createConsumer, readDelivery, type LoggedMessage } from './log-consumer.ts'

const BATCH = 256
const DELETE_MS = 1500
/** A pull waits so long for something new; while it waits the server says so now and then. */
const EXPIRES_MS = 30_000
const IDLE_HEARTBEAT_MS = 2000
const SILENT_MS = 5000
/** Without anything new for so long although the leader has more, another replica is asked. */
const LAGS_MS = 4000
const AGAIN_MS = 200

export interface Following {
  readonly stream: string
  readonly from: number
  readonly signal: AbortSignal
  /** Last sequence of the stream, as far as it is known here. */
  readonly last: () => number
  readonly next: (messages: readonly LoggedMessage[]) => Promise<void> | void
}

/** Ends when the signal is aborted. Rejects if `next` does. */
export async function followStream(links: Links, following: Following): Promise<void> {
  const { stream, signal } = following
  let from = following.from
  const next = async (messages: readonly LoggedMessage[]) => {
    await following.next(messages)
    from = (messages.at(-1)?.seq ?? from - 1) + 1
  }
  while (!signal.aborted) {
    const link = links.current()
    const name = link === undefined ? undefined : await createConsumer(links, { stream, from })
    if (link === undefined || name === undefined) {
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
      continue
    }
    const run = new Run(link, stream, name, from, following, next)
    try {
      await run.ended
    } finally {
      void api(links, `CONSUMER.DELETE.${stream}.${name}`, undefined, DELETE_MS)
    }
    if (!signal.aborted) links.distrust(link)
  }
}

/** The life of one consumer. */
class Run {
  readonly ended: Promise<void>
  readonly #pull: () => void
  readonly #next: (messages: readonly LoggedMessage[]) => Promise<void>
  readonly #following: Following
  #end: (error?: Error) => void = () => {}
  #arrived: LoggedMessage[] = []
  #expected = 1
  #asked = 0
  #seen: number
  #newAt = performance.now()
  #heardAt = performance.now()
  #taking: Promise<void> | undefined
  #over = false

  constructor(
    link: Link,
    stream: string,
    consumer: string,
    from: number,
    following: Following,
    next: (messages: readonly LoggedMessage[]) => Promise<void>,
  ) {
    this.#following = following
    this.#next = next
    this.#seen = from - 1
    const inbox = link.newInbox()
    this.#pull = () => {
      this.#asked = this.#expected - 1 + BATCH
      const body = { batch: BATCH, expires: EXPIRES_MS * 1e6, idle_heartbeat: IDLE_HEARTBEAT_MS * 1e6 }
      link.ask(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, JSON.stringify(body), inbox)
    }
    this.ended = new Promise((resolve, reject) => {
      const stop = () => this.#end()
      const timer = setInterval(() => this.#look(), 1000)
      const unsubscribe = link.subscribe(inbox, (message) => this.#hear(message))
      this.#end = (error) => {
        if (this.#over) return
        this.#over = true
        clearInterval(timer)
        following.signal.removeEventListener('abort', stop)
        unsubscribe()
        // What is being taken is taken to its end: whoever comes after begins behind it.
        if (error === undefined) void Promise.resolve(this.#taking).then(resolve)
        else reject(error)
      }
      following.signal.addEventListener('abort', stop)
      if (following.signal.aborted) stop()
      else this.#pull()
    })
  }

  #hear(message: Msg): void {
    if (this.#over) return
    this.#heardAt = performance.now()
    const code = message.headers?.code ?? 0
    // Idle: the end of the stream as this replica knows it.
    if (code === 100) return
    // A pull that has waited long enough.
    if (code === 408) return this.#pullSoon()
    if (code !== 0) return this.#end()
    const delivered = readDelivery(message)
    if (delivered === undefined || delivered.number !== this.#expected) return this.#end()
    this.#expected += 1
    this.#newAt = performance.now()
    this.#seen = delivered.message.seq
    this.#arrived.push(delivered.message)
    this.#taking ??= new Promise((resolve) => setImmediate(() => void this.#take().then(resolve)))
  }

  /** Only when everything has been taken: whoever is slow is not sent more. */
  #pullSoon(): void {
    if (this.#taking !== undefined) this.#asked = 0
    else this.#pull()
  }

  async #take(): Promise<void> {
    try {
      while (this.#arrived.length > 0 && !this.#over) {
        const messages = this.#arrived
        this.#arrived = []
        await this.#next(messages)
      }
    } catch (error) {
      return this.#end(error as Error)
    }
    this.#taking = undefined
    this.#heardAt = performance.now()
    if (!this.#over && this.#expected - 1 >= this.#asked) this.#pull()
  }

  #look(): void {
    if (this.#taking !== undefined) return
    const now = performance.now()
    const lags = this.#following.last() > this.#seen && now - this.#newAt > LAGS_MS
    if (now - this.#heardAt > SILENT_MS || lags) this.#end()
  }
}
