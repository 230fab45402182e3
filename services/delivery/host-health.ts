/**
 * Remembers hosts that lately could not be reached or would not talk, so that the next attempt begins with another one.
 * The back-off doubles while a host goes on failing; a success forgets it.
 */

interface Trouble {
  readonly failures: number
  readonly until: number
}

const FIRST_MS = 5000
const LONGEST_MS = 5 * 60_000
const MOST_HOSTS = 10_000

export class HostHealth {
  readonly #troubles = new Map<string, Trouble>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  isWell(host: string): boolean {
    const trouble = this.#troubles.get(host)
    return trouble === undefined || trouble.until <= this.#now()
  }

  failed(host: string): void {
    const failures = (this.#troubles.get(host)?.failures ?? 0) + 1
    this.#troubles.delete(host)
    this.#troubles.set(host, { failures, until: this.#now() + backOff(failures) })
    if (this.#troubles.size <= MOST_HOSTS) return
    for (const oldest of this.#troubles.keys()) {
      this.#troubles.delete(oldest)
      break
    }
  }

  succeeded(host: string): void {
    if (this.#troubles.size > 0) this.#troubles.delete(host)
  }
}

/** ms to leave alone what failed so many times in a row. */
export function backOff(failures: number): number {
  return Math.min(FIRST_MS * 2 ** Math.min(failures - 1, 20), LONGEST_MS)
}
