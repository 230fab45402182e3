// How numbers are said in the reports of the faults. Pure.

/** `0.31 s`, `11.6 s`; null = it never came to that. */
export function seconds(ms: number | null): string {
  if (ms === null) return 'never'
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`
}

/** Two digits are enough for a bar: `1 s`, `20 s`. */
export function bar(ms: number): string {
  return `${ms / 1000} s`
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : noun.endsWith('s') ? 'es' : 's'}`
}
