// `edge.settings` and `delivery.settings` as a schema, from the service's table of settings. A value that the loader accepts is
// never refused here, and one that is refused is told in the loader's own words, where Helm would show a pattern. Not
// taken: dotted keys ("limits.messageSize: 1MiB"), and what the chart sets itself, of which the complaint says from what.
import { expectation } from '@posthouse/runtime/settings/check'
import { formats, type Format } from '@posthouse/runtime/settings/formats'
import type { ListRow, SettingRow, SettingsTable, StringRow } from '@posthouse/runtime/settings/table'
import { formSchemas } from './values-forms.ts'
import { measureSchema } from './values-measures.ts'
import type { JsonSchema } from './values-note.ts'
import { ownerOf, type Owned } from './values-owned.ts'

/** What the schemas of settings refer to: the parent schema holds it as `definitions`. */
export const settingsDefinitions: Readonly<Record<string, JsonSchema>> = formSchemas

type Group = Map<string, Group | JsonSchema>

export function settingsSchema(table: SettingsTable, owned: Owned): JsonSchema {
  const root: Group = new Map()
  for (const [path, row] of Object.entries(table)) {
    const owner = ownerOf(owned, path)
    if (row.type !== 'secret') put(root, path, owner === undefined ? documented(row) : leftOut(owner))
    else {
      put(root, path, leftOut(owner ?? `a secret does not belong here; ${path}File names a file that holds it`))
      put(root, `${path}File`, owner === undefined ? documented(row) : leftOut(owner))
    }
  }
  return { ...groupSchema(root), type: 'object' }
}

function put(root: Group, path: string, schema: JsonSchema): void {
  const parts = path.split('.')
  const last = parts.pop()!
  let group = root
  for (const part of parts) {
    const next = group.get(part) ?? new Map<string, Group | JsonSchema>()
    group.set(part, next)
    group = next as Group
  }
  group.set(last, schema)
}

// The loader passes over a parent that holds nothing. One that holds only what is to be left out is left out itself.
function groupSchema(group: Group): JsonSchema {
  const properties = Object.fromEntries(
    [...group].map(([name, inner]) => [name, inner instanceof Map ? groupSchema(inner) : inner]),
  )
  const words = new Set(Object.values(properties).map(({ const: word }) => word))
  if (words.size === 1 && !words.has(undefined)) return Object.values(properties)[0]!
  return { type: ['object', 'null'], additionalProperties: false, properties }
}

function documented(row: SettingRow): JsonSchema {
  const standard = row.type === 'secret' ? undefined : row.default
  return {
    description: row.help,
    ...rowSchema(row),
    ...(standard === undefined ? {} : { default: standard }),
  }
}

function rowSchema(row: SettingRow): JsonSchema {
  switch (row.type) {
    case 'string':
      return stringSchema(row)
    case 'integer':
      return {
        type: 'integer',
        minimum: row.min ?? Number.MIN_SAFE_INTEGER,
        maximum: row.max ?? Number.MAX_SAFE_INTEGER,
      }
    case 'duration':
    case 'bytes':
      return told(measureSchema(row), expectation(row))
    case 'boolean':
      return { type: 'boolean' }
    case 'enum':
      return { enum: row.values }
    case 'list':
      return { ...listSchema(row), items: row.format === undefined ? { type: 'string' } : formSchema(row.format) }
    case 'objects':
      return { ...listSchema(row), items: itemSchema(row.item) }
    case 'secret':
      return { type: ['string', 'null'] }
  }
}

function listSchema({ min, max }: Pick<ListRow, 'min' | 'max'>): JsonSchema {
  return {
    type: 'array',
    ...(min === undefined ? {} : { minItems: min }),
    ...(max === undefined ? {} : { maxItems: max }),
  }
}

// An empty text means "off", and only where that is the default or the setting may be absent.
function stringSchema(row: StringRow): JsonSchema {
  const orEmpty = row.default === '' || row.optional === true
  if (row.format !== undefined) return formSchema(row.format, orEmpty)
  return { type: 'string', ...(orEmpty ? {} : { minLength: 1 }) }
}

/** A text of a form; `orEmpty`: or an empty one. */
export function formSchema(form: Format, orEmpty = false): JsonSchema {
  const condition = { $ref: `#/definitions/${form}` }
  return told(orEmpty ? { anyOf: [{ const: '' }, condition] } : condition, formats[form].words)
}

// One of a list of objects: its keys are as they are, and null stands for a missing one.
function itemSchema(table: SettingsTable): JsonSchema {
  const properties = Object.entries(table).map(([name, row]) => {
    if (row.type === 'secret') return [name, { description: row.help }] as const
    const mayMiss = row.default !== undefined || row.optional === true
    return [name, mayMiss ? orNull(documented(row)) : documented(row)] as const
  })
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(properties),
    required: Object.entries(table)
      .filter(([, row]) => row.optional !== true && (row.type === 'secret' || row.default === undefined))
      .map(([name]) => name),
  }
}

function orNull(schema: JsonSchema): JsonSchema {
  if ('if' in schema) return { ...schema, if: { anyOf: [{ type: 'null' }, schema.if] } }
  if (Array.isArray(schema.enum)) return { ...schema, enum: [...(schema.enum as unknown[]), null] }
  return { ...schema, type: [schema.type, 'null'].flat() }
}

// Helm shows the value of a `const` that does not match: "value must be 'a duration of at least 1s'". The words themselves are
// no value either.
function told(condition: JsonSchema, words: string): JsonSchema {
  return { if: condition, else: { const: words }, not: { const: words } }
}

function leftOut(why: string): JsonSchema {
  const words = `left out: ${why}`
  return { const: words, not: { const: words } }
}
