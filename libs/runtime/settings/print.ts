// What `--help` and `--print-settings` write: the table in words, and the effective values as YAML with their origin.
// Secrets are never printed, only whether they are there.
import { stringify } from 'yaml'
import { expectation } from './check.ts'
import type { Origins } from './load.ts'
import { environmentName } from './names.ts'
import type { SettingRow, SettingsTable } from './table.ts'
import { formatBytes, formatDuration } from './units.ts'

export function helpText(service: string, table: SettingsTable): string {
  const lines = [
    `Usage: node services/${service}/main.ts --config FILE [--print-settings]`,
    '',
    '  --config FILE      settings as YAML; the environment overrides them',
    '  --print-settings   print the effective settings and exit (78 when they are wrong)',
    '  --help             this text',
    '',
    'Settings:',
  ]
  for (const [path, row] of Object.entries(table)) lines.push(...helpLines(path, row, '  '))
  return `${lines.join('\n')}\n`
}

function helpLines(path: string, row: SettingRow, indent: string): string[] {
  const variable = indent === '  ' ? `, ${environmentName(path)}` : ''
  const key = row.type === 'secret' ? `${path}File` : path
  const lines = [
    `${indent}${key}  (${row.type}${variable})`,
    `${indent}    ${row.help}`,
    `${indent}    ${capital(expectation(row))}; ${defaultText(row)}.`,
  ]
  if (row.type === 'objects')
    for (const [name, item] of Object.entries(row.item)) lines.push(...helpLines(name, item, `${indent}    `))
  return lines
}

/** "default 64MiB", "required", "may be absent". */
export function defaultText(row: SettingRow): string {
  if (row.type !== 'secret' && row.default !== undefined) {
    const { default: value } = row
    if (typeof value !== 'object') return `default ${value === '' ? 'empty' : String(value)}`
    return value.length === 0 ? 'default none' : `default ${JSON.stringify(value)}`
  }
  return row.optional === true ? 'may be absent' : 'required'
}

/** The effective settings as a YAML file that could be read back, each value with where it comes from. */
export function settingsText(table: SettingsTable, settings: object, origins: Origins): string {
  const lines: string[] = []
  let parents: string[] = []
  // Rows of one parent need not be neighbours in the table (spread tables): group them.
  for (const [path, row] of grouped(table)) {
    const parts = path.split('.')
    const name = parts.pop()!
    let shared = 0
    while (shared < parts.length && parts[shared] === parents[shared]) shared++
    for (const [i, part] of parts.entries()) if (i >= shared) lines.push(`${'  '.repeat(i)}${part}:`)
    parents = parts
    const value = path.split('.').reduce<unknown>((o, part) => (o as Record<string, unknown>)[part], settings)
    const indent = '  '.repeat(parts.length)
    const origin = origins.get(path) ?? 'default'
    if (row.type === 'secret')
      lines.push(`${indent}# ${name}: ${value === undefined ? 'not set' : `[redacted] # ${origin}`}`)
    else if (value === undefined) lines.push(`${indent}# ${name}: not set`)
    else lines.push(...valueLines(name, plain(row, value), origin).map((line) => indent + line))
  }
  return `${lines.join('\n')}\n`
}

function grouped(table: SettingsTable): [string, SettingRow][] {
  const groups = new Map<string, [string, SettingRow][]>()
  for (const entry of Object.entries(table)) {
    const head = entry[0].split('.', 1)[0]!
    groups.set(head, [...(groups.get(head) ?? []), entry])
  }
  return [...groups.values()].flat()
}

function valueLines(name: string, value: unknown, origin: string): string[] {
  const lines = stringify({ [name]: value }, { lineWidth: 0 })
    .trimEnd()
    .split('\n')
  lines[0] += ` # ${origin}`
  return lines
}

// The effective value as it would be written in a file.
function plain(row: SettingRow, value: unknown): unknown {
  if (row.type === 'duration') return formatDuration(value as number)
  if (row.type === 'bytes') return formatBytes(value as number)
  if (row.type !== 'objects') return value
  return (value as Readonly<Record<string, unknown>>[]).map((item) =>
    Object.fromEntries(
      Object.entries(row.item)
        .filter(([name]) => item[name] !== undefined)
        .map(([name, itemRow]) => [name, itemRow.type === 'secret' ? '[redacted]' : plain(itemRow, item[name])]),
    ),
  )
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
