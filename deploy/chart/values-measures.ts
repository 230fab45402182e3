// Durations and sizes with their ranges, as a schema takes them: patterns, for JSON Schema knows no units. What the loader takes
// (libs/runtime/settings/units.ts) always fits. The reverse holds for one number with one unit; of sums ("1h30m") and decimals
// some that lie just outside of the range fit, too, and are left to the loader;
// so are sizes over 8 PiB, if nothing smaller is the limit, and parts of a byte.
import { parseBytes, parseDuration } from '@posthouse/runtime/settings/units'
import type { BytesRow, DurationRow } from '@posthouse/runtime/settings/table'
import type { JsonSchema } from './values-note.ts'

interface Measure {
  readonly form: string
  /** What lies between number and unit. */
  readonly gap: string
  readonly units: readonly string[]
  /** Several numbers with units in one text. */
  readonly sums: boolean
  /** How many digits behind the point surely count; further ones may be lost in rounding. */
  readonly decimals: number
  readonly parse: (text: string) => number | undefined
}

const DURATION: Measure = {
  form: '^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+(\\.[0-9]+)?s)?([0-9]+ms)?$',
  gap: '',
  units: ['d', 'h', 'm', 's', 'ms'],
  sums: true,
  decimals: 3,
  parse: parseDuration,
}

const BYTES: Measure = {
  form: '^[0-9]+(\\.[0-9]+)? ?(B|KiB|MiB|GiB|TiB)$',
  gap: ' ?',
  units: ['TiB', 'GiB', 'MiB', 'KiB', 'B'],
  sums: false,
  decimals: 1,
  parse: parseBytes,
}

/** The condition under which a text is a value of the row. */
export function measureSchema({ type, min, max }: DurationRow | BytesRow): JsonSchema {
  const measure = type === 'duration' ? DURATION : BYTES
  const least = min === undefined ? 0 : measure.parse(min)!
  const most = max === undefined ? undefined : measure.parse(max)!
  const wrong = [...below(measure, least), ...(most === undefined ? [] : above(measure, most))]
  return {
    type: 'string',
    minLength: 1,
    pattern: measure.form,
    ...(wrong.length === 0 ? {} : { not: { pattern: wrong.join('|') } }),
  }
}

// Texts of one number that are surely less. A decimal that begins with a 9 may be rounded up.
function below({ units, gap, parse }: Measure, least: number): string[] {
  const each = units.flatMap((unit) => {
    const size = parse(`1${unit}`)!
    const whole = lessThan(Math.ceil(least / size))
    if (whole === undefined) return []
    const decimal = lessThan(Math.floor(least / size))
    return decimal === undefined ? [`${whole}${gap}${unit}`] : [`(${whole}|${decimal}\\.[0-8][0-9]*)${gap}${unit}`]
  })
  return each.length === 0 ? [] : [`^0*(${each.join('|')})$`]
}

// Texts of which one part is surely more; or is all there may be, while something follows that is not zero.
function above({ units, gap, parse, decimals, sums }: Measure, most: number): string[] {
  const fraction = decimals === 1 ? '\\.[1-9]' : `\\.0{0,${decimals - 1}}[1-9]`
  const each = units.flatMap((unit) => {
    const size = parse(`1${unit}`)!
    const whole = Math.floor(most / size)
    // Of "500ms" the "500m" are no minutes.
    const wrong = [`(${moreThan(whole)})(\\.[0-9]+)?${gap}${unit}${unit === 'm' ? '([^s]|$)' : ''}`]
    if (most % size !== 0 || whole === 0) return wrong
    if (size > 1) wrong.push(`${whole}${fraction}[0-9]*${gap}${unit}`)
    if (sums) wrong.push(`${whole}(\\.0+)?${unit}[0-9a-z]*([1-9]|${fraction})`)
    return wrong
  })
  // Not in the middle of a number; digits behind a point are no number.
  return [`(^|[a-z])0*(${each.join('|')})`]
}

/** Whole numbers without leading zeros that are less; undefined: there are none. */
export function lessThan(limit: number): string | undefined {
  if (limit <= 0) return undefined
  const digits = String(limit)
  const shorter = digits.length > 1 ? [`[0-9]${times(1, digits.length - 1)}`] : []
  const same = [...digits].flatMap((digit, at) =>
    digit === '0' || (at === 0 && digit === '1' && digits.length > 1)
      ? []
      : [`${digits.slice(0, at)}${oneOf(0, Number(digit) - 1)}${any(digits.length - at - 1)}`],
  )
  return `(${[...shorter, ...same].join('|')})`
}

/** Whole numbers without leading zeros that are more. */
export function moreThan(limit: number): string {
  const digits = String(limit)
  const same = [...digits].flatMap((digit, at) =>
    digit === '9' ? [] : [`${digits.slice(0, at)}${oneOf(Number(digit) + 1, 9)}${any(digits.length - at - 1)}`],
  )
  return [...same, `[1-9][0-9]{${digits.length},}`].join('|')
}

function oneOf(from: number, to: number): string {
  return from === to ? String(from) : `[${from}-${to}]`
}

function any(count: number): string {
  return count === 0 ? '' : count === 1 ? '[0-9]' : `[0-9]{${count}}`
}

function times(from: number, to: number): string {
  return from === to ? '' : `{${from},${to}}`
}
