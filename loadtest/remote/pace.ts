// Hands out turns at so many a second, to whoever waits longest; the rate may be changed at any time, and 0 pauses. What could
// not be taken in time is made up for by a second's worth at most: an outage is not followed by a flood. Time is an argument.

export interface Clock {
  /** Monotonic milliseconds. */
  now(): number
  /** Calls back once after so many milliseconds; answers with how to take that back. */
  wake(ms: number, call: () => void): () => void
}

export const REAL: Clock = {
  now: () => performance.now(),
  wake(ms, call) {
    const timer = setTimeout(call, ms)
    return () => clearTimeout(timer)
  },
}

const ARREARS_MS = 1000

export class Pace {
  readonly #clock: Clock
  readonly #waiting: ((turn: boolean) => void)[] = []
  #perSecond: number
  #due: number
  #forget: (() => void) | undefined
  #closed = false

  constructor(perSecond: number, clock: Clock = REAL) {
    this.#perSecond = perSecond
    this.#clock = clock
    this.#due = clock.now()
  }

  get perSecond(): number {
    return this.#perSecond
  }

  set perSecond(perSecond: number) {
    this.#perSecond = perSecond
    this.#due = this.#clock.now()
    this.#serve()
  }

  /** True when it is one's turn; false when there are no more. */
  turn(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#serve()
    })
  }

  /** Whoever waits, now or later, gets no turn any more. */
  close(): void {
    this.#closed = true
    this.#serve()
  }

  #serve(): void {
    this.#forget?.()
    this.#forget = undefined
    if (this.#closed) {
      for (const resolve of this.#waiting.splice(0)) resolve(false)
      return
    }
    if (this.#perSecond <= 0) return
    const now = this.#clock.now()
    this.#due = Math.max(this.#due, now - ARREARS_MS)
    while (this.#waiting.length > 0 && this.#due <= now) {
      this.#due += 1000 / this.#perSecond
      this.#waiting.shift()?.(true)
    }
    if (this.#waiting.length > 0) this.#forget = this.#clock.wake(this.#due - now, () => this.#serve())
  }
}
