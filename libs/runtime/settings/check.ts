// One raw value (from YAML or from the environment) against one row of the table: the typed value, or what is expected in
// words. Pure; the loader adds the path and the place.
import { formats } from './formats.ts'
import type { SettingRow } from './table.ts'
import { parseBytes, parseDuration } from './units.ts'

export type Checked = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly reason: string }

/** What a row takes, with unit and range, as it reads after "must be" and in the docs. */
export function expectation(row: SettingRow): string {
  switch (row.type) {
    case 'string':
      return row.format === undefined ? 'a text' : formats[row.format].words
    case 'integer': {
      const what = row.unit === undefined ? 'an integer' : `a whole number of ${row.unit}`
      return `${what}${range(row.min, row.max)}`
    }
    case 'duration':
      return `a duration${range(row.min, row.max)}, such as ${row.default ?? row.min ?? '10s'}`
    case 'bytes':
      return `a size${range(row.min, row.max)}, such as ${row.default ?? row.min ?? '64KiB'}`
    case 'boolean':
      return 'true or false'
    case 'enum':
      return `one of ${row.values.join(', ')}`
    case 'list': {
      const what = row.format === undefined ? 'a list of texts' : `a list, each ${formats[row.format].words}`
      return `${what}${count(row.min, row.max)}`
    }
    case 'objects':
      return `a list of objects with ${Object.keys(row.item).join(', ')}${count(row.min, row.max)}`
    case 'secret':
      return 'a secret, by file or environment'
  }
}

/** Checks everything but lists of objects, whose items are tables of their own. */
export function checkValue(row: Exclude<SettingRow, { type: 'objects' }>, raw: unknown): Checked {
  const wrong: Checked = { ok: false, reason: `must be ${expectation(row)}, not ${show(raw)}` }
  switch (row.type) {
    case 'string': {
      if (typeof raw !== 'string') return wrong
      if (row.format !== undefined && raw !== '' && !formats[row.format].fits(raw)) return wrong
      // An empty text means "off", and only where that is the default or the setting may be absent.
      if (raw === '' && row.default !== '' && !row.optional) return wrong
      return { ok: true, value: raw === '' && row.optional ? undefined : raw }
    }
    case 'integer':
      return Number.isSafeInteger(raw) && within(raw as number, row.min, row.max) ? { ok: true, value: raw } : wrong
    case 'duration':
      return measured(raw, parseDuration, row.min, row.max) ?? wrong
    case 'bytes':
      return measured(raw, parseBytes, row.min, row.max) ?? wrong
    case 'boolean':
      return typeof raw === 'boolean' ? { ok: true, value: raw } : wrong
    case 'enum':
      return typeof raw === 'string' && row.values.includes(raw) ? { ok: true, value: raw } : wrong
    case 'list': {
      if (!Array.isArray(raw) || !within(raw.length, row.min, row.max)) return wrong
      const { format } = row
      const misfit = (raw as unknown[]).find(
        (item) => typeof item !== 'string' || (format !== undefined && !formats[format].fits(item)),
      )
      if (misfit !== undefined) return { ok: false, reason: `must be ${expectation(row)}, not ${show(misfit)}` }
      return { ok: true, value: raw }
    }
    case 'secret':
      return typeof raw === 'string' && raw !== '' ? { ok: true, value: raw } : { ok: false, reason: 'is empty' }
  }
}

/** The text of a variable as the raw value its row expects; undefined when it cannot be one. */
export function rawFromText(row: SettingRow, text: string, parseYaml: (text: string) => unknown): unknown {
  if (row.type === 'integer') return /^-?\d+$/.test(text.trim()) ? Number(text) : text
  if (row.type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  if (row.type === 'objects') return parseYaml(text)
  if (row.type === 'list')
    return text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
  return text
}

export function show(value: unknown): string {
  if (value === undefined || value === null) return 'empty'
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

function measured(
  raw: unknown,
  parse: (text: string) => number | undefined,
  min: string | undefined,
  max: string | undefined,
): Checked | undefined {
  const value = typeof raw === 'string' ? parse(raw) : undefined
  if (value === undefined) return undefined
  const limit = (text: string | undefined) => (text === undefined ? undefined : parse(text))
  return within(value, limit(min), limit(max)) ? { ok: true, value } : undefined
}

function within(value: number, min: number | undefined, max: number | undefined): boolean {
  return (min === undefined || value >= min) && (max === undefined || value <= max)
}

function range(min: number | string | undefined, max: number | string | undefined): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`
  if (min !== undefined) return ` of at least ${min}`
  return max === undefined ? '' : ` of at most ${max}`
}

function count(min: number | undefined, max: number | undefined): string {
  return min === undefined && max === undefined ? '' : `; entries:${range(min, max).replace(/^ (from|of)/, '')}`
}
