/**
 * Whether a destination is worth trying now, from what became of connections to it. A destination that fails as a whole
 * is left alone, longer each time; one that works and refuses a further connection gets no more of them for a while.
 *
 *   unknown -> proven (a transaction came to a sensible end) -> backing off (nobody answers) -> unknown
 */
import { backOff } from './host-health.ts'
import type { NoConnection } from './no-connection.ts'

/** Connections opened at once to a destination that has not taken a message yet. */
export const FIRST_CONNECTIONS = 5
/** After a failed connection beside working ones, no further one is opened for so long. */
const NO_MORE_MS = 10_000

export class LaneHealth {
  #isProven = false
  /** Fresh connections in a row that were good for nothing. */
  #senseless = 0
  #failures = 0
  #backOffUntil = 0
  #failure: NoConnection | undefined
  #openNotBefore = 0

  /** Why nothing is tried now; undefined if it is. */
  failure(now: number): NoConnection | undefined {
    return this.#backOffUntil > now ? this.#failure : undefined
  }

  isBackingOff(now: number): boolean {
    return this.#backOffUntil > now
  }

  /** Connections it may have at once. */
  most(limit: number, now: number): number {
    if (this.#openNotBefore > now) return 0
    return this.#isProven ? limit : Math.min(FIRST_CONNECTIONS, limit)
  }

  worked(): void {
    this.#isProven = true
    this.#failures = 0
    this.#senseless = 0
    this.#backOffUntil = 0
  }

  /** A host let us connect and hung up: no better than one that does not answer. True when that is enough. */
  wasSenseless(othersLeft: number): boolean {
    this.#senseless += 1
    return this.#senseless >= FIRST_CONNECTIONS || othersLeft === 0
  }

  /** One connection could not be had while others work: the host has enough of us, or one of its addresses is down. */
  hasEnough(now: number): void {
    this.#openNotBefore = now + NO_MORE_MS
  }

  /** Nobody answers. */
  failed(why: NoConnection, now: number): void {
    this.#senseless = 0
    // Nothing is known of the destination: it is tried again as soon as we may have found a way out.
    if (why.is === 'cut off') {
      this.#failure = why
      this.#backOffUntil = now + backOff(1)
      return
    }
    this.#isProven = false
    // What the DNS rules out is asked of it anew each time.
    if (why.is === 'unroutable') return
    this.#failures += 1
    this.#failure = why
    this.#backOffUntil = now + backOff(this.#failures)
  }
}
