/**
 * The two clocks of one machine. The monotonic one drifts, and stands still while the machine is suspended; the wall clock
 * goes right but is set to wrong times, by minutes.
 */
import type { Moment } from '@posthouse/core/owner/effect'
import type { Timeline } from './timeline.ts'

/** The wall clock of somebody who has the right time shows this at the start of a run. */
export const EPOCH = 1_800_000_000_000

export class MachineClock {
  readonly #timeline: Timeline
  /** Monotonic ms per true ms. */
  readonly rate: number
  readonly #start: number
  wallError = 0
  /** True ms spent suspended. */
  #missed = 0

  constructor(timeline: Timeline, rate: number, start: number) {
    this.#timeline = timeline
    this.rate = rate
    this.#start = start
  }

  get mono(): number {
    return this.#start + (this.#timeline.now - this.#missed) * this.rate
  }
  get wall(): number {
    return EPOCH + this.#timeline.now + this.wallError
  }
  get moment(): Moment {
    return { mono: this.mono, wall: this.wall }
  }

  setWallError(ms: number): void {
    this.wallError = ms
  }
  suspendedFor(ms: number): void {
    this.#missed += ms
  }
}
