/**
 * What a process knows of a lease that is not its own: the record last read, since when it has stood unrenewed, and so
 * when it may be claimed. No clocks are compared: the wait is the record's own time, counted on this process's clock from
 * the answer that showed it.
 */
import type { Lease, LeaseRead } from '../lease.ts'
import type { Moment, OwnerEffect } from './effect.ts'
import { NO_LEASE } from './lease-record.ts'
import { TIMES } from './rules.ts'

/** A release that was heard is looked for so often, and so long. */
const RELEASE_LOOK_MS = 20
const RELEASE_SHOWS_MS = 1_000
/** What we released ourselves, nobody having taken it, is ours again after so long. */
const AFTER_OUR_RELEASE_MS = 3_000
/** A look that came to nothing is repeated after so long. */
const LOOK_AGAIN_MS = 250

export class Candidate {
  readonly #emit: (effect: OwnerEffect) => void
  #known: { readonly seq: number; readonly lease: Lease } = { seq: 0, lease: NO_LEASE }
  /** When it may be claimed, by the first in the order of preference (monotonic). */
  #claimFrom = Infinity
  /** Our place in that order at the last wake; undefined: we abstain. */
  #rank: number | undefined
  #reading = false
  #readAt = -Infinity
  #readSoon = true
  #releaseHeard = -Infinity

  constructor(emit: (effect: OwnerEffect) => void) {
    this.#emit = emit
  }

  /** The last lease read, and its sequence; 0: none. */
  get known(): { readonly seq: number; readonly lease: Lease } {
    return this.#known
  }
  /** Monotonic time of the last look. */
  get readAt(): number {
    return this.#readAt
  }

  /** Looks at the lease when it is time to; true: it may be claimed now. */
  follow(now: Moment, rank: number | undefined): boolean {
    this.#rank = rank
    if (now.mono >= this.#nextRead()) this.read(now)
    return rank !== undefined && !this.#reading && now.mono >= this.#claimFrom + rank * TIMES.rankDelay
  }

  /** Monotonic time at which follow() has something to do. */
  nextAt(): number {
    if (this.#reading) return Infinity
    const claim = this.#rank === undefined ? Infinity : this.#claimFrom + this.#rank * TIMES.rankDelay
    return Math.min(this.#nextRead(), claim)
  }

  /** A release is heard when it is sent, before it is stored: look until it shows. */
  #nextRead(): number {
    if (this.#readSoon) return -Infinity
    const again = this.#readAt - this.#releaseHeard < RELEASE_SHOWS_MS ? RELEASE_LOOK_MS : TIMES.renewEvery
    return this.#readAt + again
  }

  /** Asks for the lease record; an owner does so as well when it doubts that the lease is still its own. */
  read(now: Moment): void {
    if (this.#reading) return
    this.#reading = true
    this.#readSoon = false
    this.#readAt = now.mono
    this.#emit({ do: 'read-lease' })
  }

  /** There is an answer to the read, whatever it says. */
  answered(): void {
    this.#reading = false
  }

  /** The answer shows no lease. */
  notRead(is: Exclude<LeaseRead['is'], 'lease'>, following: boolean, now: Moment): void {
    if (is === 'none' && following && this.#known.seq === 0) {
      this.#claimFrom = Math.min(this.#claimFrom, now.mono)
    } else this.#readAt = Math.min(this.#readAt, now.mono - TIMES.renewEvery + LOOK_AGAIN_MS)
    // Who gets no answer cannot tell a dead owner from one that is cut off likewise: the waiting begins anew, so that the
    // owner can renew first when the queue is back.
    if (is === 'unanswered') this.#claimFrom = Infinity
  }

  /** The answer shows another's lease. The wait begins when it is new. */
  sees(seq: number, lease: Lease, now: Moment): void {
    if (seq === this.#known.seq && this.#claimFrom !== Infinity) return
    this.#known = { seq, lease }
    this.#claimFrom = now.mono + (lease.released ? 0 : lease.time)
  }

  hearsRelease(now: Moment): void {
    this.#releaseHeard = now.mono
  }

  /** We try to claim what is known. */
  claims(): void {
    this.#claimFrom = Infinity
  }

  /** Our claim or our lease came to nothing: who has it is to be read first. */
  begins(): void {
    this.#readSoon = true
    this.#claimFrom = Infinity
  }

  /** Our own release is stored. Others are preferred; if nobody takes it, it is ours again after a while. */
  released(seq: number, lease: Lease, now: Moment): void {
    this.#known = { seq, lease }
    this.#claimFrom = now.mono + AFTER_OUR_RELEASE_MS
  }
}
