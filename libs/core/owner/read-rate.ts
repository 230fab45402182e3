/** How many batches of MAIL are read from one renewal to the next: it tells how far the next one should let us begin. */
export class ReadRate {
  #sinceRenewal = 0
  #rate = 0

  read(batches: number): void {
    this.#sinceRenewal += batches
  }

  /** Batches for a renewal; it rises at once and falls by halves. Call once for each. */
  renewal(): number {
    this.#rate = Math.max(this.#sinceRenewal, this.#rate * 0.5)
    this.#sinceRenewal = 0
    return this.#rate
  }
}
