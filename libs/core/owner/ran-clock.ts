/**
 * How much time has passed, by the clock that ran further between any two looks at it. The monotonic clock stands still while a
 * machine is suspended, and the wall clock can be set back: added up look by look, neither hides time for long.
 */
import type { Moment } from './effect.ts'

export class RanClock {
  #last: Moment | undefined
  #ran = 0

  /** ms since the first look. */
  at(now: Moment): number {
    const last = this.#last
    if (last !== undefined) this.#ran += Math.max(now.mono - last.mono, now.wall - last.wall, 0)
    this.#last = now
    return this.#ran
  }
}
