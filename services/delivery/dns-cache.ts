/**
 * Answers of the DNS, kept as long as they may be and no longer than the settings say, in bounded number; look-ups of the
 * same name under way are one. A failure is kept for seconds, so that a name that cannot be looked up does not cost a
 * time-out for every message.
 */

export interface Timed<T> {
  readonly answer: T
  /** ms the answer may be used again. */
  readonly keepFor: number
}

const MOST_NAMES = 10_000

export class DnsCache<T> {
  readonly #known = new Map<string, { readonly answer: T; readonly until: number }>()
  readonly #underWay = new Map<string, Promise<T>>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  get(name: string, ask: () => Promise<Timed<T>>): Promise<T> {
    const known = this.#known.get(name)
    if (known !== undefined && known.until > this.#now()) return Promise.resolve(known.answer)
    const asked = this.#underWay.get(name)
    if (asked !== undefined) return asked
    const asking = ask().then(
      ({ answer, keepFor }) => {
        this.#underWay.delete(name)
        this.#keep(name, answer, keepFor)
        return answer
      },
      (error: unknown) => {
        this.#underWay.delete(name)
        throw error
      },
    )
    this.#underWay.set(name, asking)
    return asking
  }

  get size(): number {
    return this.#known.size
  }

  #keep(name: string, answer: T, keepFor: number): void {
    this.#known.delete(name)
    if (keepFor <= 0) return
    this.#known.set(name, { answer, until: this.#now() + keepFor })
    if (this.#known.size <= MOST_NAMES) return
    // The oldest answer goes; a Map keeps the order in which they came.
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest)
      break
    }
  }
}
