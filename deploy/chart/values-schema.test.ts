import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { root, settingsTables } from '../check/generate.ts'
import { readValues } from './values-document.ts'
import { valuesSchema } from './values-schema.ts'
import { misfits } from './values-validator.ts'

const tables = await settingsTables()
const text = readFileSync(join(root, 'helm/posthouse/values.yaml'), 'utf8')
const schema = valuesSchema(readValues(text, 'values.yaml').values, tables)

function schemaOf(yaml: string) {
  const { values, complaints } = readValues(yaml, 'values.yaml')
  assert.deepEqual(complaints, [])
  return valuesSchema(values, tables)
}

test('the values of the chart fit their own schema', () => {
  assert.deepEqual(misfits(schema, parse(text)), [])
})

test('types follow from the defaults, and notes and documentation are put in', () => {
  const { properties } = schemaOf(`
# A name.
name: ''
count: 2
share: 0.5
on: true
# @ {type: [integer, 'null'], minimum: 1}
some: null
# @ {items: {type: integer}}
ports: [25]
# @ {additionalProperties: {form: ip}}
map: {}
# Parts.
parts:
  # @ {enum: [a, b]}
  kind: a
`)
  const { global: _, enabled: __, ...own } = properties as Record<string, unknown>
  const address = { const: 'an IP address' }
  assert.deepEqual(own, {
    name: { description: 'A name.', type: 'string', default: '' },
    count: { type: 'integer', default: 2 },
    share: { type: 'number', default: 0.5 },
    on: { type: 'boolean', default: true },
    some: { type: ['integer', 'null'], minimum: 1, default: null },
    ports: { type: 'array', items: { type: 'integer' }, default: [25] },
    map: {
      type: 'object',
      additionalProperties: { if: { $ref: '#/definitions/ip' }, else: address, not: address },
      default: {},
    },
    parts: {
      description: 'Parts.',
      type: 'object',
      additionalProperties: false,
      properties: { kind: { type: 'string', enum: ['a', 'b'], default: 'a' } },
    },
  })
})

test('a form may be wherever a schema may, and a text that is empty by default may be empty', () => {
  const formed = schemaOf(`
# @ {form: host}
maybe: ''
# @ {form: host}
always: localhost
# @ {items: {form: cidr}}
networks: []
# @ {items: {type: object, properties: {at: {form: 'host:port'}}}}
servers: []
`)
  const fits: [values: unknown, right: boolean][] = [
    [{ maybe: '' }, true],
    [{ maybe: 'mx.example.org' }, true],
    [{ maybe: 'mx example' }, false],
    [{ always: '' }, false],
    [{ networks: ['10.0.0.0/8', 'fd00::/8'] }, true],
    [{ networks: ['10.0.0.0/33'] }, false],
    [{ networks: [''] }, false],
    [{ servers: [{ at: 'a:1' }] }, true],
    [{ servers: [{ at: 'a' }] }, false],
  ]
  for (const [values, right] of fits) assert.equal(misfits(formed, values).length === 0, right, JSON.stringify(values))
})

test('whatever is in a service may be set, and what is in none may not', () => {
  assert.deepEqual(misfits(schema, { edge: { settings: { limits: { messageSize: '128MiB' } } } }), [])
  assert.deepEqual(misfits(schema, { delivery: { settings: { route: { smarthosts: ['mx.example.org:25'] } } } }), [])
  const wrong: [values: unknown, misfit: string][] = [
    [{ hostnme: 'a' }, '/hostnme: not allowed'],
    [{ edge: { replicas: '2' } }, '/edge/replicas: string, not integer'],
    [
      { edge: { service: { type: 'Loadbalancer' } } },
      '/edge/service/type: must be one of LoadBalancer, NodePort, ClusterIP',
    ],
    [{ edge: { settings: { lifetime: '5d' } } }, '/edge/settings/lifetime: not allowed'],
    [
      { delivery: { settings: { lifetime: '5 days' } } },
      '/delivery/settings/lifetime: must be "a duration from 1m to 30d, such as 5d"',
    ],
    [
      { edge: { settings: { listeners: [] } } },
      '/edge/settings/listeners: must be "left out: the chart sets it from edge.listeners"',
    ],
  ]
  for (const [values, misfit] of wrong) assert.deepEqual(misfits(schema, values), [misfit])
})

test('a parent chart may add its global values and a switch', () => {
  assert.deepEqual(misfits(schema, { global: { any: { thing: 1 } }, enabled: true }), [])
  assert.equal(misfits(schema, { enabled: 'yes' }).length, 1)
})

test('settings of a service that has none are a mistake in values.yaml', () => {
  const { values } = readValues('# @ {settings: egde}\nsettings: {}\n', 'values.yaml')
  assert.throws(() => valuesSchema(values, tables), /^Error: values.yaml: settings: there are no settings of egde$/)
})

// JavaScript's patterns can do more than Go's, in which Helm reads them, and mean something else with classes of letters.
test('the patterns are such that Go reads them as JavaScript does', () => {
  const patterns = JSON.stringify(schema).matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)
  let count = 0
  for (const [, quoted = '""'] of patterns) {
    const pattern = JSON.parse(quoted) as string
    count++
    assert.doesNotMatch(pattern, /\(\?|\\[1-9bBdDsSwWpPku]/, pattern)
    for (const [, times = ''] of pattern.matchAll(/\{\d*,?(\d*)\}/g)) assert.ok(Number(times) <= 1000, pattern)
  }
  assert.ok(count > 20, `only ${count} patterns`)
})
