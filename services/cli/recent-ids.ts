// The ids that were seen lately: of very many the oldest are forgotten, so that it may run for months.

export class RecentIds {
  readonly #most: number
  readonly #ids = new Set<string>()

  constructor(most: number) {
    this.#most = most
  }

  /** False: it was seen lately. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false
    this.#ids.add(id)
    if (this.#ids.size > this.#most) {
      // A set gives its values in the order in which they came.
      for (const oldest of this.#ids) {
        this.#ids.delete(oldest)
        break
      }
    }
    return true
  }
}
