// Counts by name. Beyond so many names the others share one count: names come from the other side.

const MOST_NAMES = 100
const OTHERS = 'others'

export class Tally {
  readonly #counts = new Map<string, number>()

  add(name: string): void {
    const known = this.#counts.has(name) || this.#counts.size < MOST_NAMES
    const counted = known ? name : OTHERS
    this.#counts.set(counted, (this.#counts.get(counted) ?? 0) + 1)
  }

  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts)
  }
}
