import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { encodeAccepted } from '@posthouse/core/accepted-codec'
import { eventsOf, type LoggedHeader } from '@posthouse/core/entry-events'
import { encodeEntry } from '@posthouse/core/entry-codec'
import { EVENT_SCHEMA, eventTypes } from '@posthouse/core/event'
import { eventSamples, olderEvent, wholeEvent } from '@posthouse/core/golden/event-samples'
import { acceptedMessages, entry, toldEntry } from '@posthouse/core/golden/samples'
import type { JsonSchema } from '../chart/values-note.ts'
import { misfits } from '../chart/values-validator.ts'
import { root } from './generate.ts'

const document = readFileSync(join(root, 'docs/events.md'), 'utf8')
const schema = JSON.parse(readFileSync(join(root, 'docs/event.schema.json'), 'utf8')) as JsonSchema

for (const [type, sample] of Object.entries(eventSamples)) {
  test(`the sample of ${type} fits the published schema, and has that type`, () => {
    assert.equal(sample.type, type)
    assert.deepEqual(misfits(schema, sample), [])
  })

  test(`the sample of ${type} no longer fits without a field that is always there`, () => {
    for (const field of schema['required'] as string[]) {
      const rest = Object.fromEntries(Object.entries(sample).filter(([key]) => key !== field))
      assert.ok(misfits(schema, rest).includes(`: lacks ${field}`), field)
    }
  })
}

test('an event of an older version fits, too', () => {
  assert.deepEqual(misfits(schema, olderEvent), [])
})

const wrong: readonly [what: string, event: object, complaint: string][] = [
  ['an acceptance without its facts', omitted(eventSamples.accepted, 'acceptance'), ': lacks acceptance'],
  ['a delivery without its attempt', omitted(eventSamples.delivered, 'attempt'), ': lacks attempt'],
  ['a deferral without its next time', omitted(eventSamples.deferred, 'next'), ': lacks next'],
  ['a time without its date', { ...eventSamples.delivered, time: '12:00' }, '/time: format'],
  ['a type that there is not', { ...eventSamples.delivered, type: 'lost' }, '/type: must be one of'],
  ['another version', { ...eventSamples.delivered, schema: 2 }, '/schema: must be 1'],
]

for (const [what, event, complaint] of wrong) {
  test(`${what} does not fit the schema`, () => {
    assert.ok(misfits(schema, event).some((line) => line.startsWith(complaint)))
  })
}

test('fields may be added: an event with one that the schema does not name fits, at every level', () => {
  const { acceptance, attempt, reports } = wholeEvent
  const more = { ...wholeEvent, acceptance: { ...acceptance, new: 1 }, attempt: { ...attempt, new: 1 }, new: 1 }
  assert.deepEqual(misfits(schema, { ...more, reports: { ...reports, new: 1 } }), [])
})

test('the schema names every field that an event may have, at every level, and none that there is not', () => {
  assert.deepEqual(misfits(closed(schema), wholeEvent), [])
  assert.deepEqual(fieldsOf(schema), pathsOf(wholeEvent))
  // A field that the schema lacks is found by this.
  const { acceptance } = wholeEvent
  assert.deepEqual(misfits(closed(schema), { ...wholeEvent, acceptance: { ...acceptance, new: 1 } }), [
    '/acceptance/new: not allowed',
  ])
})

test('the schema has the version and the types of the events', () => {
  const { schema: version, type } = schema['properties'] as Readonly<Record<string, JsonSchema>>
  assert.deepEqual([version?.['const'], type?.['enum']], [EVENT_SCHEMA, [...eventTypes]])
})

test('what the golden entries of a log come to fits the schema, and nothing in it is unknown', () => {
  const headers: readonly Pick<LoggedHeader, 'kind' | 'value'>[] = [
    { kind: 'accepted', value: encodeAccepted(acceptedMessages) },
    { kind: 'outcome', value: encodeEntry(toldEntry) },
    { kind: 'late', value: encodeEntry(entry) },
  ]
  const events = headers.flatMap((header) => eventsOf(2, { ...header, seq: 7, storedAt: 1_790_000_000_000 }))
  assert.ok(events.length >= 3)
  for (const event of events) assert.deepEqual(misfits(closed(schema), event), [], event.id)
})

test('the document has a row for every type and every field, and for no other', () => {
  const [types = '', fields = ''] = document.split('\n## Fields\n')
  assert.deepEqual(rowsOf(types).toSorted(), [...eventTypes].toSorted())
  assert.deepEqual(rowsOf(fields.split('\n## ')[0] ?? '').toSorted(), fieldsOf(schema))
})

test('the examples of the document are events', () => {
  const examples = [...document.matchAll(/^```json\n(.*?)^```$/gms)].map(([, text = '']) => JSON.parse(text) as unknown)
  assert.ok(examples.length > 0)
  for (const example of examples) assert.deepEqual(misfits(closed(schema), example), [])
})

function omitted(event: object, field: string): object {
  return Object.fromEntries(Object.entries(event).filter(([key]) => key !== field))
}

/** The first cells of a table's rows, where they are names. */
function rowsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^\| `([^`]+)` +\|/gm)].map(([, name = '']) => name)
}

/** The same schema, which allows nothing that it does not name. */
function closed(value: JsonSchema): JsonSchema {
  const text = JSON.stringify(value)
  return JSON.parse(text.replaceAll('"additionalProperties":true', '"additionalProperties":false')) as JsonSchema
}

/** Every property of the schema: "recipients[].index". */
function fieldsOf(value: JsonSchema, path = ''): string[] {
  const properties = Object.entries((value['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>)
  const inner = value['items'] === undefined ? [] : fieldsOf(value['items'] as JsonSchema, `${path}[]`)
  const own = properties.flatMap(([name, one]) => {
    const field = path === '' ? name : `${path}.${name}`
    return [field, ...fieldsOf(one, field)]
  })
  return [...own, ...inner].toSorted()
}

/** Every field of a value, likewise. */
function pathsOf(value: object, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => (isObject(item) ? pathsOf(item, `${path}[]`) : []))
  return Object.entries(value)
    .flatMap(([name, one]: [string, unknown]) => {
      const field = path === '' ? name : `${path}.${name}`
      return [field, ...(isObject(one) ? pathsOf(one, field) : [])]
    })
    .toSorted()
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
