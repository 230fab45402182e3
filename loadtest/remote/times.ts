// Measured times, as they come, and what is told of them. Eight octets for each.

import { percentile, round } from '../statistics.ts'

/** Milliseconds; null when nothing was measured. */
export interface TimesSummary {
  readonly p50: number | null
  readonly p99: number | null
  readonly longest: number | null
}

export class Times {
  readonly #values: number[] = []

  add(ms: number): void {
    this.#values.push(ms)
  }

  summary(): TimesSummary {
    const at = (share: number) => {
      const value = percentile(this.#values, share)
      return value === undefined ? null : round(value, 1)
    }
    return { p50: at(0.5), p99: at(0.99), longest: at(1) }
  }
}
