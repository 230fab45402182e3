/**
 * One webhook: takes over its events, sends them, and remembers what became of them. Only while it is told to send; else it
 * keeps what it knows, or what the node that sends says.
 */
import type { EventCursor } from '@posthouse/queue/event-feed'
import type { Log } from '@posthouse/runtime/log'
import type { Metrics } from '@posthouse/runtime/metrics/registry'
import type { metricsTable } from '../metrics.ts'
import { Outbox } from './outbox.ts'
import type { Delivery, OutboxSettings, PendingEvent } from './outbox.ts'
import type { Poster } from './post.ts'
import { SIGNATURE_HEADER, sign } from './signature.ts'
import type { EventName, WebhookState } from './state.ts'
import { Taker } from './taker.ts'
import type { TakerIndex } from './taker.ts'

export interface WebhookOptions {
  readonly name: string
  /** For the log: the host and nothing else of the URL. */
  readonly host: string
  readonly secret: string
  readonly types: readonly string[]
  readonly userAgent: string
  readonly limits: OutboxSettings
  readonly index: TakerIndex
  readonly state: WebhookState
  readonly poster: Poster
  readonly metrics: Pick<Metrics<typeof metricsTable>, 'webhookRequests' | 'webhookSeconds' | 'webhookMissed'>
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>
  /** ms since 1970. */
  readonly wall: () => number
  readonly chance: () => number
}

/** How far it is, as another node has to know it. */
export interface WebhookWords {
  readonly cursor: EventCursor
  /** Before the cursor, and not done. */
  readonly open: readonly EventName[]
}

/** Dead letters of one kind are logged with so many ids at most. */
const IDS_IN_LOG = 10

export class Webhook {
  readonly #options: WebhookOptions
  #sending: { readonly outbox: Outbox; readonly taker: Taker } | undefined
  /** While it does not send; undefined: it has never heard of this webhook. */
  #idle: WebhookWords | undefined
  #timer: NodeJS.Timeout | undefined
  #again: NodeJS.Immediate | undefined
  #trouble: string | undefined
  #underWay = 0
  readonly #quiet: (() => void)[] = []

  constructor(options: WebhookOptions) {
    this.#options = options
    const known = options.state.progress(options.name)
    if (known !== undefined)
      this.#idle = {
        cursor: known.cursor,
        open: [...known.wanted, ...known.pending.map(({ message, id }) => [message, id] as const)],
      }
  }

  get name(): string {
    return this.#options.name
  }

  get sends(): boolean {
    return this.#sending !== undefined
  }

  /** Sends no more, but something is under way still. */
  get isEnding(): boolean {
    return this.#sending === undefined && this.#underWay > 0
  }

  /** Undefined: nothing is known of it. */
  get words(): WebhookWords | undefined {
    if (this.#sending === undefined) return this.#idle
    const { taker, outbox } = this.#sending
    return { cursor: taker.cursor, open: [...taker.wanted, ...namesOf(outbox.events())] }
  }

  /** Events that it has not got, of all types; 0 while it does not send. */
  get waiting(): number {
    return this.#sending === undefined ? 0 : this.#sending.outbox.size + this.#sending.taker.left
  }

  /** When the oldest of them happened. */
  get oldestAt(): number | undefined {
    return this.#sending?.outbox.oldestAt
  }

  /** Another node is further; not while this one sends. */
  adopt(words: WebhookWords): void {
    if (this.#sending !== undefined) return
    this.#idle = words
    this.#options.state.adopt(this.name, words.cursor, words.open)
  }

  /** Sends from now on; `start`: the cursor of a webhook that nobody knows of. */
  begin(start: EventCursor): void {
    if (this.#sending !== undefined) return
    const { state, index, types, limits, name } = this.#options
    const known = state.progress(name) ?? { cursor: start, wanted: [], pending: [] }
    const taker = new Taker(index, types, known)
    const outbox = new Outbox(limits)
    for (const event of known.pending) outbox.add(event)
    const wanted = taker.takeWanted()
    for (const event of wanted) outbox.add(event)
    state.take(name, taker.cursor, taker.wanted, wanted)
    this.#sending = { outbox, taker }
    this.poke()
  }

  /** Sends nothing new; resolves when nothing is under way. */
  async end(): Promise<void> {
    clearTimeout(this.#timer)
    clearImmediate(this.#again)
    this.#again = undefined
    this.#idle = this.words
    this.#sending = undefined
    if (this.#underWay > 0) await new Promise<void>((resolve) => this.#quiet.push(resolve))
    // What was under way has come to its end meanwhile.
    const known = this.#options.state.progress(this.name)
    if (known !== undefined && this.#sending === undefined)
      this.#idle = { cursor: known.cursor, open: [...known.wanted, ...namesOf(known.pending)] }
  }

  /** There may be new events, or something is due. */
  poke(): void {
    if (this.#sending === undefined || this.#again !== undefined) return
    this.#again = setImmediate(() => {
      this.#again = undefined
      try {
        this.#pump()
      } catch (error) {
        this.#options.log.error({ webhook: this.name, err: error }, 'a webhook cannot go on; trying again')
        this.#wake(this.#options.limits.first)
      }
    })
  }

  #pump(): void {
    if (this.#sending === undefined) return
    const { outbox, taker } = this.#sending
    const now = this.#options.wall()
    this.#bury(outbox.giveUp(now))
    let more = false
    if (outbox.hasRoom && taker.left > 0) more = this.#take(outbox, taker)
    for (let delivery = outbox.next(now); delivery !== undefined; delivery = outbox.next(now))
      void this.#send(outbox, delivery)
    if (more && outbox.hasRoom) return this.poke()
    const at = outbox.wakeAt()
    if (at !== undefined) this.#wake(Math.max(at - now, 1))
  }

  #take(outbox: Outbox, taker: Taker): boolean {
    const { events, more, missed } = taker.take()
    if (missed > 0) {
      this.#options.metrics.webhookMissed.inc(missed)
      this.#options.log.warn({ webhook: this.name, missed }, 'events were forgotten before a webhook got them')
    }
    this.#options.state.take(this.name, taker.cursor, taker.wanted, events)
    for (const event of events) outbox.add(event)
    return more
  }

  #wake(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.poke(), Math.min(ms, this.#options.limits.longest))
  }

  async #send(outbox: Outbox, delivery: Delivery): Promise<void> {
    const { name, secret, poster, userAgent, metrics, wall, state, log, chance } = this.#options
    const body = `{"webhook":${JSON.stringify(name)},"events":[${delivery.events.map((event) => event.body).join(',')}]}`
    this.#underWay += 1
    const begun = performance.now()
    try {
      const posted = await poster.post(body, {
        'content-type': 'application/json',
        'user-agent': userAgent,
        [SIGNATURE_HEADER]: sign(secret, Math.floor(wall() / 1000), body),
      })
      metrics.webhookSeconds.observe((performance.now() - begun) / 1000)
      metrics.webhookRequests.with({ result: posted.is }).inc()
      switch (posted.is) {
        case 'delivered':
          state.delivered(name, delivery.events)
          outbox.delivered(delivery)
          this.#say(undefined)
          break
        case 'gone':
          this.#bury(delivery.events.map((event) => ({ event, reason: posted.reason })))
          outbox.gone(delivery)
          break
        case 'failed':
          outbox.failed(delivery, posted, wall(), chance())
          this.#say(posted.reason)
      }
    } catch (error) {
      outbox.failed(delivery, { reason: (error as Error).message, refused: false }, wall(), chance())
      log.error({ webhook: name, err: error }, 'a request to a webhook could not be dealt with')
    } finally {
      this.#underWay -= 1
      if (this.#underWay === 0) for (const resolve of this.#quiet.splice(0)) resolve()
      this.poke()
    }
  }

  #bury(given: readonly { readonly event: PendingEvent; readonly reason: string }[]): void {
    const { state, log, wall, host } = this.#options
    for (const [reason, group] of Map.groupBy(given, (one) => one.reason)) {
      const events = group.map(({ event }) => event)
      state.bury(this.name, events, reason, wall())
      const ids = events.slice(0, IDS_IN_LOG).map(({ id }) => id)
      log.warn({ webhook: this.name, host, events: events.length, ids, reason }, 'events for a webhook were given up')
    }
  }

  /** One line for each change. */
  #say(trouble: string | undefined): void {
    if (trouble === this.#trouble) return
    this.#trouble = trouble
    const { log, name, host } = this.#options
    if (trouble === undefined) log.info({ webhook: name, host }, 'a webhook takes events again')
    else log.warn({ webhook: name, host, reason: trouble }, 'a webhook does not take events')
  }
}

function namesOf(events: Iterable<PendingEvent>): EventName[] {
  return Array.from(events, ({ message, id }) => [message, id] as const)
}
