// Percentiles, medians and gaps of measured times. Pure.

/** The smallest value that at least `share` of the values do not exceed (nearest rank); undefined of nothing. */
export function percentile(values: readonly number[], share: number): number | undefined {
  if (values.length === 0) return undefined
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
}

/** The middle value; of an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined
  const sorted = Float64Array.from(values).sort()
  const middle = sorted.length >> 1
  const upper = sorted[middle] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2
}

/**
 * The longest time in [from, to] in which none of the events happened. The ends count: a run that began with two seconds of
 * silence, or ended with them, had a gap of two seconds.
 */
export function longestGap(times: readonly number[], from: number, to: number): number {
  const sorted = Float64Array.from(times).sort()
  let longest = 0
  let last = from
  for (const time of sorted) {
    if (time < from || time > to) continue
    longest = Math.max(longest, time - last)
    last = time
  }
  return Math.max(longest, to - last)
}

export function round(value: number, digits = 0): number {
  const factor = 10 ** digits
  return Math.round(value * factor) / factor
}
