// Loads a service's settings from its YAML file and the environment (which wins), checks all of them against the table and
// returns either the typed object or every complaint at once, each one line that names the setting's path, unit and range.
import { dirname, isAbsolute, resolve } from 'node:path'
import { parse } from 'yaml'
import { checkValue, expectation, rawFromText, show } from './check.ts'
import { readDocument } from './document.ts'
import { environmentName, nearest } from './names.ts'
import { readSecret } from './secret.ts'
import type { SettingRow, Settings, SettingsTable } from './table.ts'

export interface SettingsSources {
  /** The settings file, if one was named: how it is called in messages, and its text. */
  readonly file?: { readonly name: string; readonly text: string }
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Reads a secret's file. Throws when it cannot be read. */
  readonly readFile: (path: string) => string
}

/** Where an effective value came from, by path. */
export type Origins = ReadonlyMap<string, 'default' | 'file' | 'environment'>

export type Loaded<T extends SettingsTable> =
  | { readonly ok: true; readonly settings: Settings<T>; readonly origins: Origins; readonly notes: readonly string[] }
  | { readonly ok: false; readonly errors: readonly string[] }

export function loadSettings<T extends SettingsTable>(
  table: T,
  sources: SettingsSources,
  rules?: (settings: Settings<T>) => readonly string[],
): Loaded<T> {
  const errors: string[] = []
  const notes: string[] = []
  const { found, broken } = readDocument(table, sources.file, errors)
  if (broken) return { ok: false, errors }
  const folder = sources.file === undefined ? process.cwd() : dirname(resolve(sources.file.name))
  const origins = new Map<string, 'default' | 'file' | 'environment'>()
  const values = new Map<string, unknown>()
  for (const [path, row] of Object.entries(table)) {
    const variable = environmentName(path)
    const text = sources.environment[variable]
    if (row.type === 'secret') {
      const secret = readSecret(path, row, found, sources, folder, errors)
      values.set(path, secret?.value)
      origins.set(path, secret?.origin ?? 'default')
      continue
    }
    const inFile = found.get(path)
    if (text !== undefined) {
      const raw = rawFromText(row, text, parseOrText)
      values.set(path, accept(path, row, raw, ` (${variable})`, process.cwd(), errors))
      origins.set(path, 'environment')
    } else if (inFile !== undefined) {
      const raw: unknown = inFile.node === null ? null : inFile.node.toJSON()
      values.set(path, accept(path, row, raw, inFile.line, folder, errors))
      origins.set(path, 'file')
    } else {
      if (row.default === undefined && row.optional !== true)
        errors.push(`${path}: is required; it must be ${expectation(row)} (or set ${variable})`)
      const value =
        row.default === undefined ? undefined : accept(path, row, row.default, ' (the default)', folder, errors)
      values.set(path, value)
      origins.set(path, 'default')
    }
  }
  strayVariables(table, sources.environment, errors, notes)
  if (errors.length > 0) return { ok: false, errors }
  const settings = nest(values) as Settings<T>
  const broke = rules?.(settings) ?? []
  return broke.length > 0 ? { ok: false, errors: broke } : { ok: true, settings, origins, notes }
}

function parseOrText(text: string): unknown {
  try {
    return parse(text) as unknown
  } catch {
    return text
  }
}

function accept(path: string, row: SettingRow, raw: unknown, place: string, folder: string, errors: string[]): unknown {
  if (row.type === 'secret') return raw
  if (row.type === 'objects') {
    const fits = Array.isArray(raw) && raw.length >= (row.min ?? 0) && raw.length <= (row.max ?? Infinity)
    if (fits) return raw.map((item, i) => acceptItem(`${path}[${i}]`, row.item, item, place, folder, errors))
    errors.push(`${path}: must be ${expectation(row)}, not ${show(raw)}${place}`)
    return undefined
  }
  const checked = checkValue(row, raw)
  if (!checked.ok) {
    errors.push(`${path}: ${checked.reason}${place}`)
    return undefined
  }
  const { value } = checked
  if (row.type === 'string' && row.format === 'path' && typeof value === 'string' && value !== '')
    return isAbsolute(value) ? value : resolve(folder, value)
  return value
}

function acceptItem(
  path: string,
  table: SettingsTable,
  item: unknown,
  place: string,
  folder: string,
  errors: string[],
): unknown {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) {
    errors.push(`${path}: must be an object with ${Object.keys(table).join(', ')}, not ${show(item)}${place}`)
    return undefined
  }
  const values = new Map<string, unknown>()
  const given = item as Readonly<Record<string, unknown>>
  for (const key of Object.keys(given)) {
    if (Object.hasOwn(table, key)) continue
    const guess = nearest(key, Object.keys(table))
    errors.push(`${path}.${key}: no such setting${guess === undefined ? '' : `; did you mean ${guess}?`}${place}`)
  }
  for (const [key, row] of Object.entries(table)) {
    const raw = given[key] ?? (row.type === 'secret' ? undefined : row.default)
    if (raw !== undefined) values.set(key, accept(`${path}.${key}`, row, raw, place, folder, errors))
    else if (row.optional !== true) errors.push(`${path}.${key}: is required; it must be ${expectation(row)}${place}`)
    else values.set(key, undefined)
  }
  return nest(values)
}

// A variable that is nearly a setting's name is a slip. Others are only mentioned, because a cluster puts its own
// variables beside ours (a Kubernetes service called "posthouse" announces itself as POSTHOUSE_PORT and more).
function strayVariables(
  table: SettingsTable,
  environment: SettingsSources['environment'],
  errors: string[],
  notes: string[],
): void {
  const known = new Set<string>()
  for (const [path, row] of Object.entries(table)) {
    known.add(environmentName(path))
    if (row.type === 'secret') known.add(environmentName(`${path}File`))
  }
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith('POSTHOUSE_') || known.has(name)) continue
    // The command line's own settings file, in the same container. Not among the known: nobody's slip means it.
    if (name === 'POSTHOUSE_CONFIG') continue
    if (/_SERVICE_(HOST|PORT)|_PORT_\d+_(TCP|UDP)/.test(name) || value?.startsWith('tcp://')) continue
    const guess = nearest(name, known)
    if (guess === undefined) notes.push(`${name}: no setting has this variable`)
    else errors.push(`${name}: no setting has this variable; did you mean ${guess}?`)
  }
}

function nest(values: ReadonlyMap<string, unknown>): Record<string, unknown> {
  const root: Record<string, unknown> = {}
  for (const [path, value] of values) {
    const parts = path.split('.')
    const last = parts.pop()!
    let object = root
    for (const part of parts) object = (object[part] ??= {}) as Record<string, unknown>
    object[last] = value
  }
  return root
}
