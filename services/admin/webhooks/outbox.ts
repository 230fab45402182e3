/**
 * The events that one webhook is to get next, and in what order they go: events of a message in their order, never in two
 * requests at once, and none before the ones that failed; messages do not wait for each other. Pure: time (ms since 1970)
 * and chance are arguments.
 *
 * Fresh messages share a request. A request that fails is divided: each message is tried again alone, so that one that the
 * receiver cannot stand holds up nobody else. While the receiver itself is in trouble there is one request at a time, later
 * and later.
 */
import { waitAfter } from '@posthouse/core/retry'

export interface PendingEvent {
  readonly id: string
  /** Queue id. */
  readonly message: string
  /** When it happened, ms since 1970. */
  readonly at: number
  /** JSON. */
  readonly body: string
}

export interface OutboxSettings {
  readonly first: number
  readonly longest: number
  /** An event that failed and is so old is given up, ms. */
  readonly giveUpAfter: number
  readonly requests: number
  readonly eventsPerRequest: number
}

export interface Delivery {
  readonly events: readonly PendingEvent[]
}

export interface Failure {
  readonly reason: string
  readonly refused: boolean
  readonly after?: number
}

interface Message {
  readonly id: string
  readonly events: PendingEvent[]
  busy: boolean
  attempts: number
  due: number
  reason: string
}

/** As much waits here as goes into so many rounds of requests; but their names have to fit what admin nodes say to each other. */
const ROUNDS = 2
const MOST_WAITING = 2000

export class Outbox {
  readonly #settings: OutboxSettings
  readonly #messages = new Map<string, Message>()
  #size = 0
  #inFlight = 0
  /** Requests in a row that failed although nothing need be wrong with the events. */
  #failures = 0
  #blockedUntil = 0

  constructor(settings: OutboxSettings) {
    this.#settings = settings
  }

  /** Events that wait or are in flight. */
  get size(): number {
    return this.#size
  }

  get inFlight(): number {
    return this.#inFlight
  }

  get hasRoom(): boolean {
    const { requests, eventsPerRequest } = this.#settings
    return this.#size < Math.min(requests * eventsPerRequest * ROUNDS, MOST_WAITING)
  }

  get isFailing(): boolean {
    return this.#failures > 0
  }

  /** When the oldest of them happened. */
  get oldestAt(): number | undefined {
    let oldest: number | undefined
    for (const { events } of this.#messages.values())
      for (const { at } of events) if (oldest === undefined || at < oldest) oldest = at
    return oldest
  }

  *events(): Generator<PendingEvent> {
    for (const { events } of this.#messages.values()) yield* events
  }

  add(event: PendingEvent): void {
    const known = this.#messages.get(event.message)
    if (known === undefined)
      this.#messages.set(event.message, {
        id: event.message,
        events: [event],
        busy: false,
        attempts: 0,
        due: 0,
        reason: '',
      })
    else known.events.push(event)
    this.#size += 1
  }

  /** The next request that may go out now; its events are in flight until one of the answers below. */
  next(now: number): Delivery | undefined {
    const { requests, eventsPerRequest } = this.#settings
    if (now < this.#blockedUntil || this.#inFlight >= (this.#failures > 0 ? 1 : requests)) return undefined
    const chosen: Message[] = []
    const events: PendingEvent[] = []
    for (const message of this.#messages.values()) {
      if (message.busy || message.due > now) continue
      if (message.attempts > 0) {
        if (chosen.length > 0) continue
        chosen.push(message)
        events.push(...message.events.slice(0, eventsPerRequest))
        break
      }
      const room = eventsPerRequest - events.length
      if (room === 0) break
      chosen.push(message)
      events.push(...message.events.slice(0, room))
    }
    if (chosen.length === 0) return undefined
    for (const message of chosen) message.busy = true
    this.#inFlight += 1
    return { events }
  }

  /** When to ask for the next one again, if nothing else happens. */
  wakeAt(): number | undefined {
    let first: number | undefined
    for (const { busy, due } of this.#messages.values()) if (!busy && (first === undefined || due < first)) first = due
    return first === undefined ? undefined : Math.max(first, this.#blockedUntil)
  }

  delivered({ events }: Delivery): void {
    this.#inFlight -= 1
    this.#failures = 0
    this.#blockedUntil = 0
    this.#remove(events)
  }

  /** They go, whatever becomes of the receiver. */
  gone({ events }: Delivery): void {
    this.#inFlight -= 1
    this.#remove(events)
  }

  failed({ events }: Delivery, { reason, refused, after = 0 }: Failure, now: number, chance: number): void {
    this.#inFlight -= 1
    const wait = (attempts: number): number =>
      Math.max(waitAfter(attempts, this.#settings, chance), Math.min(after, this.#settings.longest))
    if (refused) this.#failures = 0
    else {
      this.#failures += 1
      this.#blockedUntil = now + wait(this.#failures)
    }
    for (const id of new Set(events.map(({ message }) => message))) {
      const message = this.#messages.get(id)
      if (message === undefined) continue
      message.busy = false
      message.attempts += 1
      message.reason = reason
      message.due = now + wait(message.attempts)
    }
  }

  /** Takes out what has failed and is too old. */
  giveUp(now: number): { readonly event: PendingEvent; readonly reason: string }[] {
    const given: { readonly event: PendingEvent; readonly reason: string }[] = []
    for (const { busy, attempts, reason, events } of this.#messages.values())
      if (!busy && attempts > 0)
        for (const event of events) if (now - event.at >= this.#settings.giveUpAfter) given.push({ event, reason })
    this.#remove(given.map(({ event }) => event))
    return given
  }

  #remove(events: readonly PendingEvent[]): void {
    const ids = new Set(events.map(({ id }) => id))
    for (const id of new Set(events.map(({ message }) => message))) {
      const message = this.#messages.get(id)
      if (message === undefined) continue
      const rest = message.events.filter((event) => !ids.has(event.id))
      this.#size -= message.events.length - rest.length
      this.#messages.delete(id)
      // What is left goes to the end: it is fresh.
      if (rest.length > 0) this.#messages.set(id, { ...message, events: rest, busy: false, attempts: 0, due: 0 })
    }
  }
}
