/**
 * The removal of what is closed, while the lease has its margin: MAIL below the floor, closed `.later` entries below R,
 * bodies nobody needs, and what is old in the log. The sweep of bodies that nobody ever needed goes with it. It goes by the
 * floor and the R of the *stored* lease, so that a successor finds everything from there on, and one try of each is in
 * flight at a time.
 */
import { BodySweep } from './body-sweep.ts'
import type { Moment, OwnerEffect } from './effect.ts'
import type { Holdings } from './holdings.ts'
import type { LeaseHold } from './lease-hold.ts'
import type { RanClock } from './ran-clock.ts'
import { TIMES, type Rules, type Times } from './rules.ts'

const DELETES_AT_ONCE = 16

export interface RemovalOptions {
  readonly rules: Rules
  readonly times: Times
  readonly hold: LeaseHold
  readonly clock: RanClock
  readonly newId: () => string
  readonly chance: () => number
  readonly emit: (effect: OwnerEffect) => void
}

export class Removal {
  readonly sweep: BodySweep
  readonly #options: RemovalOptions
  #purgeAt = -Infinity
  #trimAt = -Infinity
  /** What lies below in the log and only readers want may be gone. */
  trimmed = 1
  /** The purge of MAIL in flight is of what lies below; 0: none. */
  #purging = 0
  /** `.later` entries whose deletion is in flight. */
  #deleting = new Set<number>()

  constructor(options: RemovalOptions) {
    this.#options = options
    this.sweep = new BodySweep(options)
  }

  /** Monotonic time at which remove() has something to do. */
  nextAt({ window, laters, bodies }: Holdings): number {
    const something = window.floor > window.purged || laters.closedCount > 0 || bodies.size > 0
    return something ? this.#purgeAt : Math.max(Math.min(this.#trimAt, this.sweep.nextAt()), this.#purgeAt)
  }

  remove(holdings: Holdings, now: Moment): void {
    const { rules, hold, clock, emit } = this.#options
    if (!hold.hasMargin(clock.at(now)) || now.mono < this.#purgeAt) return
    this.#purgeAt = now.mono + TIMES.purgeEvery
    const { window, laters, bodies } = holdings
    const stored = hold.stored!
    // Up to the stored floor only, so that a successor finds MAIL without a gap from the floor it reads.
    const floor = Math.min(window.floor, stored.floor)
    if (floor > window.purged && this.#purging === 0) {
      this.#purging = floor
      emit({ do: 'purge-mail', before: floor })
    }
    const below = rules.deleteBelowR ? stored.r : Infinity
    for (const { seq } of laters.closed) {
      if (this.#deleting.size >= DELETES_AT_ONCE) break
      if (seq >= below || this.#deleting.has(seq)) continue
      this.#deleting.add(seq)
      emit({ do: 'delete-later', seq })
    }
    if (now.mono >= this.#trimAt) this.#trim(holdings, stored.r, now)
    for (const body of bodies.takeUnneeded(window.floor)) emit({ do: 'purge-body', body })
    this.sweep.sweep(holdings, now)
  }

  /** The rest of the log serves its readers; it goes when it is old, below R, and no repeat can need its ids. */
  #trim(holdings: Holdings, before: number, now: Moment): void {
    const { times, emit } = this.#options
    const first = this.#trimAt === -Infinity
    this.#trimAt = now.mono + times.trimEvery
    if (first) return
    const latest = holdings.window.floorTime - 2 * times.repeatWindow
    const olderThan = Math.min(holdings.serverNow(now) - times.keepLog, latest)
    if (latest > 0) emit({ do: 'trim-log', before, olderThan: Math.max(0, olderThan), latest })
  }

  /** `below`: undefined if there is no answer, and nothing is known. */
  logTrimmed(below: number | undefined): void {
    if (below !== undefined) this.trimmed = Math.max(this.trimmed, below)
  }

  mailPurged(holdings: Holdings, before: number, done: boolean): void {
    if (this.#purging !== before) return
    this.#purging = 0
    if (done) holdings.window.purgedBelow(before)
  }

  laterDeleted(holdings: Holdings, seq: number, done: boolean): void {
    if (!this.#deleting.delete(seq) || !done) return
    holdings.laters.deleted(seq)
    // Many closed entries go in a row, not one handful a second.
    if (this.#deleting.size === 0) this.#purgeAt = -Infinity
  }

  bodyPurged(holdings: Holdings, body: string, done: boolean): void {
    holdings.bodies.purged(body, done)
    this.sweep.purged(body, done)
  }

  /** The lease is gone: answers still to come are about another's partition. */
  forget(): void {
    this.#purging = 0
    this.#deleting = new Set()
    this.trimmed = 1
    this.sweep.forget()
  }
}
