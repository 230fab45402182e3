import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { expectation } from '@posthouse/runtime/settings/check'
import type { Format } from '@posthouse/runtime/settings/formats'
import { loadSettings } from '@posthouse/runtime/settings/load'
import { defineSettings, type SettingRow, type SettingsTable } from '@posthouse/runtime/settings/table'
import { settingsTables } from '../check/generate.ts'
import type { JsonSchema } from './values-note.ts'
import { ownedSettings, ownerOf } from './values-owned.ts'
import { settingsDefinitions, settingsSchema } from './values-settings.ts'
import { misfits } from './values-validator.ts'

const tables = await settingsTables()
const services = ['edge', 'delivery', 'admin'] as const

function schemaOf(table: SettingsTable, owned = {}): JsonSchema {
  return { ...settingsSchema(table, owned), definitions: settingsDefinitions }
}

/** Whether the loader takes a file with these settings. */
function loads(table: SettingsTable, settings: unknown): boolean {
  const file = { name: 'settings.yaml', text: JSON.stringify(settings) }
  return loadSettings(table, { file, environment: {}, readFile: () => 'a secret' }).ok
}

function nested(path: string, value: unknown): unknown {
  return path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value)
}

const RIGHT: Readonly<Record<Format, string>> = {
  'host:port': 'mx.example.org:25',
  host: 'mx.example.org',
  ip: '192.0.2.1',
  cidr: '192.0.2.0/24',
  url: 'http://collector:4318',
  name: 'edge-1',
  path: 'tls/key.pem',
}

const junk = fc.oneof(
  fc.constantFrom(
    null,
    true,
    false,
    0,
    1,
    -1,
    1.5,
    25,
    70_000,
    2 ** 53,
    2 ** 60,
    '',
    '0',
    '10',
    'yes',
    'true',
    ' ',
    [],
    [''],
    {},
  ),
  fc.string({ maxLength: 6 }),
  fc.constantFrom(...Object.values(RIGHT)),
  fc.array(fc.constantFrom<unknown>(...Object.values(RIGHT), 'x', 7, null), { maxLength: 4 }),
  fc.integer(),
  fc
    .tuple(fc.nat(120), fc.constantFrom('ms', 's', 'm', 'h', 'd', 'B', 'KiB', 'MiB', 'GiB'))
    .map(([n, unit]) => `${n}${unit}`),
)

/** Values that the row takes, if they can be told from the row. */
function rightValues(row: SettingRow): unknown[] {
  switch (row.type) {
    case 'string':
      return [row.format === undefined ? 'a text' : RIGHT[row.format]]
    case 'integer':
      return [row.min ?? 0, row.max ?? 1]
    case 'duration':
      return [row.default ?? row.min ?? '1m', row.max ?? '1h']
    case 'bytes':
      return [row.default ?? row.min ?? '1MiB', row.max ?? '1GiB']
    case 'enum':
      return [...row.values]
    case 'list':
      return [Array.from({ length: row.min ?? 1 }, () => (row.format === undefined ? 'x' : RIGHT[row.format]))]
    case 'objects': {
      const item = Object.fromEntries(Object.entries(row.item).map(([key, inner]) => [key, rightValues(inner)[0]]))
      return [Array.from({ length: row.min ?? 1 }, () => item)]
    }
    case 'boolean':
      return [true, false]
    case 'secret':
      return ['/run/secret']
  }
}

/** Right values, such as are nearly right, and any. */
function valuesOf(row: SettingRow): fc.Arbitrary<unknown> {
  const right = fc.constantFrom(...rightValues(row))
  if (row.type === 'integer') {
    const near = [row.min, row.max].flatMap((limit) => (limit === undefined ? [] : [limit - 1, limit, limit + 1]))
    return fc.oneof(right, fc.constantFrom(1, ...near), junk)
  }
  if (row.type !== 'objects') return fc.oneof(right, junk)
  const fields = Object.entries(row.item).map(([key, inner]) => [
    key,
    fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...rightValues(inner)) },
      { weight: 1, arbitrary: valuesOf(inner) },
    ),
  ])
  const item = fc.record(Object.fromEntries(fields) as Record<string, fc.Arbitrary<unknown>>, { requiredKeys: [] })
  return fc.oneof(right, fc.array(fc.oneof({ weight: 8, arbitrary: item }, junk), { maxLength: 3 }), junk)
}

/** Everything that a row may be, in one table. */
const everything = defineSettings({
  free: { type: 'string', default: 'x', help: 'A text.' },
  note: { type: 'string', optional: true, help: 'A text that may be empty.' },
  ...Object.fromEntries(
    Object.keys(RIGHT).flatMap((format) => [
      [`form.${format.replace(':', '')}`, { type: 'string', format, help: 'Of a form.' } as SettingRow],
      [`maybe.${format.replace(':', '')}`, { type: 'string', format, default: '', help: 'Or empty.' } as SettingRow],
      [`list.${format.replace(':', '')}`, { type: 'list', format, min: 1, max: 3, help: 'A list.' } as SettingRow],
    ]),
  ),
  texts: { type: 'list', default: [], help: 'Any texts.' },
  any: { type: 'integer', optional: true, help: 'Any number.' },
  token: { type: 'secret', optional: true, help: 'A secret.' },
  routes: {
    type: 'objects',
    max: 2,
    default: [],
    help: 'Objects.',
    item: {
      domain: { type: 'string', format: 'host', help: 'Required.' },
      port: { type: 'integer', min: 1, max: 65535, default: 25, help: 'With a default.' },
      tls: { type: 'enum', values: ['on', 'off'], optional: true, help: 'Optional.' },
      after: { type: 'duration', max: '1h', default: '1m', help: 'A duration.' },
      hosts: { type: 'list', format: 'host:port', default: [], help: 'A list.' },
      dry: { type: 'boolean', default: false, help: 'A switch.' },
    },
  },
})

for (const [name, table] of [...tables, ['everything', everything] as const])
  test(`every value of every setting is taken where the loader takes it: ${name}`, () => {
    const schema = schemaOf(table)
    for (const [path, row] of Object.entries(table)) {
      const key = row.type === 'secret' ? `${path}File` : path
      let taken = 0
      fc.assert(
        fc.property(valuesOf(row), (value) => {
          const settings = nested(key, value)
          const wrong = misfits(schema, settings)
          const right = loads({ [path]: row }, settings)
          if (right) taken++
          // What makes a URL is the loader's to say.
          if (right || !holdsUrls(row))
            assert.equal(wrong.length === 0, right, `${key}: ${JSON.stringify(value)}: ${wrong[0]}`)
        }),
        { numRuns: 150 },
      )
      assert.ok(taken > 0, `${key}: nothing was taken`)
    }
  })

function holdsUrls(row: SettingRow): boolean {
  return (row.type === 'string' || row.type === 'list') && row.format === 'url'
}

test('a parent may be empty, and must be nothing else than a parent', () => {
  const table = defineSettings({ 'list.host': { type: 'list', format: 'host', default: [], help: 'Hosts.' } })
  const schema = schemaOf(table)
  for (const [settings, right] of [
    [{}, true],
    [{ list: {} }, true],
    [{ list: null }, true],
    [{ list: [] }, false],
    [{ list: 'x' }, false],
    [{ lst: {} }, false],
    [{ list: { x: [] } }, false],
  ] as const) {
    assert.equal(misfits(schema, settings).length === 0, right, JSON.stringify(settings))
    assert.equal(loads(table, settings), right, JSON.stringify(settings))
  }
})

test('a dotted key is not taken', () => {
  assert.deepEqual(misfits(schemaOf(everything), { 'list.host': ['a'] }), ['/list.host: not allowed'])
})

test("a wrong value is told in the loader's words, and the words are no value", () => {
  const table = defineSettings({
    after: { type: 'duration', min: '1s', max: '1h', default: '5m', help: 'A duration.' },
    hosts: { type: 'list', format: 'host:port', default: [], help: 'Hosts.' },
  })
  const schema = schemaOf(table)
  const words = expectation(table.after)
  assert.deepEqual(misfits(schema, { after: '10' }), [`/after: must be ${JSON.stringify(words)}`])
  assert.deepEqual(misfits(schema, { after: 10 }), [`/after: must be ${JSON.stringify(words)}`])
  assert.equal(misfits(schema, { after: words }).length, 1)
  assert.deepEqual(misfits(schema, { hosts: ['a:1', 'b'] }), ['/hosts/1: must be "host:port, such as 127.0.0.1:4222"'])
})

test('a secret is named by its file only', () => {
  const schema = schemaOf(everything)
  assert.deepEqual(misfits(schema, { tokenFile: '/run/token' }), [])
  assert.match(misfits(schema, { token: 'hunter2' }).join('\n'), /left out: a secret does not belong here; tokenFile/)
})

for (const service of services) {
  const table = tables.get(service)
  assert.ok(table !== undefined)
  const owned = ownedSettings[service]
  const schema = schemaOf(table, owned)

  test(`what the chart sets itself is refused with what it is set from: ${service}`, () => {
    for (const [path, row] of Object.entries(table)) {
      const owner = ownerOf(owned, path)
      const key = row.type === 'secret' ? `${path}File` : path
      const standard = row.type === 'secret' || row.default === undefined ? 'x' : row.default
      const wrong = misfits(schema, nested(key, standard))
      if (owner === undefined) {
        if (row.type !== 'secret' && row.default !== undefined) assert.deepEqual(wrong, [], `the default of ${path}`)
      } else assert.ok(wrong.join('\n').includes(`left out: ${owner}`), `${path}: ${wrong.join(', ')}`)
    }
  })

  test(`what the chart is said to set is a setting: ${service}`, () => {
    const paths = Object.keys(table)
    const strangers = Object.keys(owned).filter(
      (path) => !paths.some((known) => (path.endsWith('.*') ? known.startsWith(path.slice(0, -1)) : known === path)),
    )
    assert.deepEqual(strangers, [])
  })

  test(`a setting that is required and without a default is one that the chart sets: ${service}`, () => {
    for (const [path, row] of Object.entries(table))
      if (row.optional !== true && (row.type === 'secret' || row.default === undefined))
        assert.notEqual(ownerOf(owned, path), undefined, `${path} can only be set by hand`)
  })
}
