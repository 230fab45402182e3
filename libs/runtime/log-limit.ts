// How many lines of a kind may be written: a token bucket for each kind, and a count of what was left out. Pure: time is an
// argument (ms, monotonic). Kinds are messages of the code, so there are few.

export interface LogLimitOptions {
  /** Lines of one kind in a second, in the long run. */
  readonly perSecond: number
  /** Lines of one kind at once. */
  readonly burst: number
}

/** Lines left out, by kind. */
export type LeftOut = Readonly<Record<string, number>>

interface Bucket {
  tokens: number
  filledAt: number
  /** Since the last report, and in all. */
  leftOut: number
  total: number
}

export class LogLimit {
  readonly #options: LogLimitOptions
  readonly #buckets = new Map<string, Bucket>()

  constructor(options: LogLimitOptions) {
    this.#options = options
  }

  /** May a line of this kind be written now? If not it is counted. */
  take(kind: string, now: number): boolean {
    const { perSecond, burst } = this.#options
    let bucket = this.#buckets.get(kind)
    if (bucket === undefined) {
      bucket = { tokens: burst, filledAt: now, leftOut: 0, total: 0 }
      this.#buckets.set(kind, bucket)
    }
    // A clock that went back fills nothing.
    const passed = Math.max(now - bucket.filledAt, 0)
    bucket.tokens = Math.min(burst, bucket.tokens + (passed * perSecond) / 1000)
    bucket.filledAt = now
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1
      return true
    }
    bucket.leftOut += 1
    bucket.total += 1
    return false
  }

  /** What was left out since the last report; undefined if nothing was. */
  report(): LeftOut | undefined {
    let report: Record<string, number> | undefined
    for (const [kind, bucket] of this.#buckets)
      if (bucket.leftOut > 0) {
        report ??= {}
        report[kind] = bucket.leftOut
        bucket.leftOut = 0
      }
    return report
  }

  /** What was left out since the beginning, by kind. */
  suppressed(): LeftOut {
    const all: Record<string, number> = {}
    for (const [kind, { total }] of this.#buckets) if (total > 0) all[kind] = total
    return all
  }
}
