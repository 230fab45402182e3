// Some settings out of the settings file of any service, or out of the environment: the command line needs to know how to reach
// the queue, and leaves the rest to those whose settings they are.
import { readFileSync } from 'node:fs'
import { loadSettings, type Loaded } from '@posthouse/runtime/settings/load'
import { environmentName } from '@posthouse/runtime/settings/names'
import type { Settings, SettingsTable } from '@posthouse/runtime/settings/table'
import { parseDocument, stringify } from 'yaml'

export type Environment = Readonly<Record<string, string | undefined>>

/** The settings of the table; other keys of the file and other variables are nobody's business here. `namedBy` is for complaints. */
export function readServiceFile<T extends SettingsTable>(
  table: T,
  file: string | undefined,
  environment: Environment,
  rules?: (settings: Settings<T>) => readonly string[],
  namedBy = '--config',
): Loaded<T> {
  const sources = {
    environment: Object.fromEntries(variables(table).map((name) => [name, environment[name]])),
    readFile: (path: string) => readFileSync(path, 'utf8'),
  }
  if (file === undefined) return loadSettings(table, sources, rules)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    return { ok: false, errors: [`${namedBy}: cannot read the settings file: ${(error as Error).message}`] }
  }
  return loadSettings(table, { ...sources, file: { name: file, text: only(table, text) } }, rules)
}

/** The file with the keys of the table alone. One that is not YAML stays as it is, for the loader to complain about. */
function only(table: SettingsTable, text: string): string {
  const document = parseDocument(text)
  if (document.errors.length > 0) return text
  const found = document.toJS() as unknown
  const kept: Record<string, unknown> = {}
  for (const [path, row] of Object.entries(table)) {
    const parts = `${path}${row.type === 'secret' ? 'File' : ''}`.split('.')
    const value = parts.reduce<unknown>(child, found)
    if (value === undefined) continue
    const last = parts.pop() as string
    let object = kept
    for (const part of parts) object = (object[part] ??= {}) as Record<string, unknown>
    object[last] = value
  }
  return stringify(kept)
}

function child(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined
}

function variables(table: SettingsTable): string[] {
  return Object.entries(table).flatMap(([path, row]) => {
    const name = environmentName(path)
    return row.type === 'secret' ? [name, `${name}_FILE`] : [name]
  })
}
