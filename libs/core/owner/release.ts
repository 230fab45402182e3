/**
 * When an owner lets go: when it is no longer the first choice for a while. A release waits for what is in flight, but not
 * for ever: the partition would stand still, so that it is called off for a time.
 */
import type { Moment } from './effect.ts'

/** A first choice that stays another's for so long makes the owner release. */
const UNRANKED_MS = 3_000
/** A release that waits longer for what is in flight is called off, and not tried again for twice as long. */
const CAP_MS = 30_000

export class Release {
  #unrankedSince = Infinity
  #since = Infinity
  #notBefore = -Infinity

  /** Why an owner should release now; undefined: it should not. */
  reason(rank: number | undefined, now: Moment): string | undefined {
    if (rank === 0) {
      this.#unrankedSince = Infinity
      return undefined
    }
    this.#unrankedSince = Math.min(this.#unrankedSince, now.mono)
    if (now.mono - this.#unrankedSince < UNRANKED_MS || now.mono < this.#notBefore) return undefined
    this.#unrankedSince = Infinity
    return rank === undefined ? 'abstaining' : 'another node is preferred'
  }

  begins(now: Moment): void {
    this.#since = now.mono
  }

  /** True: what is in flight takes too long, own on. */
  callOff(now: Moment): boolean {
    if (now.mono - this.#since < CAP_MS) return false
    this.#notBefore = now.mono + 2 * CAP_MS
    return true
  }

  /** The lease is gone. That a release was called off is remembered. */
  forget(): void {
    this.#unrankedSince = Infinity
    this.#since = Infinity
  }
}
