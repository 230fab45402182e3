/**
 * Lists of positions as they go into JSON: a run of three or more consecutive numbers is written as [first, last],
 * so that a message to a thousand recipients costs a few bytes.
 */
import { asCount, asList, malformed } from './wire-error.ts'

export type PackedNumbers = (number | [number, number])[]

/** More than any message has recipients; a hostile run must not become a huge list. */
const MAX_NUMBERS = 100_000

export function packNumbers(numbers: readonly number[]): PackedNumbers {
  const packed: PackedNumbers = []
  for (let at = 0; at < numbers.length;) {
    const first = numbers[at] as number
    let end = at + 1
    while (end < numbers.length && numbers[end] === first + (end - at)) end++
    if (end - at >= 3) packed.push([first, first + (end - at) - 1])
    else for (let i = at; i < end; i++) packed.push(numbers[i] as number)
    at = end
  }
  return packed
}

export function unpackNumbers(value: unknown, what: string): number[] {
  const numbers: number[] = []
  for (const item of asList(value, what)) {
    if (typeof item === 'number') numbers.push(asCount(item, what))
    else {
      const run = asList(item, what)
      const first = asCount(run[0], what)
      const last = asCount(run[1], what)
      if (run.length !== 2 || last < first || last - first >= MAX_NUMBERS) malformed(`${what} has a bad run`)
      for (let n = first; n <= last; n++) numbers.push(n)
    }
    if (numbers.length > MAX_NUMBERS) malformed(`${what} is too long`)
  }
  return numbers
}
