// How long no client got a 250 although load was offered: from the 250 before (or, after a rest, from the first message that was
// offered) to the next. Nothing is offered while no client has a message in hand; a message that was given up without a 250
// ends no gap. Pure: times are arguments, monotonic milliseconds.

export interface Gap {
  readonly ms: number
  readonly from: number
  readonly to: number
}

export interface Gaps {
  /** Undefined when nothing was offered. */
  readonly longest: Gap | undefined
  /** Of more than a second. */
  readonly long: number
}

const LONG_MS = 1000

export class GapWatch {
  #inHand = 0
  #offering: boolean
  /** Begin of the gap that is open; undefined: nothing is offered. */
  #since: number | undefined
  #longest: Gap | undefined
  #long = 0

  /** `offering`: whether the clients get messages at all. */
  constructor(offering: boolean) {
    this.#offering = offering
  }

  begun(at: number): void {
    this.#inHand++
    this.#since ??= at
  }

  accepted(at: number): void {
    this.#close(at)
    this.#since = at
  }

  /** `accepted`: whether that message got its 250. */
  settled(at: number, accepted: boolean): void {
    this.#inHand--
    if (this.#inHand === 0 && (accepted || !this.#offering)) this.#rest(at, accepted)
  }

  /** Clients get no more messages, or get them again. */
  offer(at: number, offering: boolean): void {
    this.#offering = offering
    if (!offering && this.#inHand === 0) this.#rest(at, false)
  }

  /** With the gap that is still open, as far as it goes. */
  report(at: number): Gaps {
    const open = this.#since === undefined ? undefined : gap(this.#since, at)
    const longest = open === undefined || open.ms <= (this.#longest?.ms ?? -1) ? this.#longest : open
    return { longest, long: this.#long + (open !== undefined && open.ms > LONG_MS ? 1 : 0) }
  }

  /** Counts anew. A gap that is open goes on, and counts whole where it ends. */
  beginPhase(): void {
    this.#longest = undefined
    this.#long = 0
  }

  #rest(at: number, accepted: boolean): void {
    if (!accepted) this.#close(at)
    this.#since = undefined
  }

  #close(at: number): void {
    if (this.#since === undefined) return
    const closed = gap(this.#since, at)
    if (closed.ms > (this.#longest?.ms ?? -1)) this.#longest = closed
    if (closed.ms > LONG_MS) this.#long++
  }
}

function gap(from: number, to: number): Gap {
  return { ms: to - from, from, to }
}
