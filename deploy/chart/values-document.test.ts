import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from '../check/generate.ts'
import { readValues, type ChartValue } from './values-document.ts'

const complaintsOf = (text: string) => readValues(text, 'values.yaml').complaints

test('what stands directly above a key is its documentation, and its notes are put together', () => {
  const { values, complaints } = readValues(
    `# The file.

# What an edge is.
edge:
  # Pods,
  # in words.
  # @ {minimum: 0}
  # @ {maximum: 9}
  replicas: 2
  tag: ''
  # @ {additionalProperties: true}
  resources:
    # Not a value of the chart.
    requests: { cpu: 1 }
# Nothing else.
# @ {items: {type: string}}
names: []
`,
    'values.yaml',
  )
  assert.deepEqual(complaints, [])
  const none = { documentation: '', note: {}, children: [] }
  const children = [
    {
      ...none,
      path: 'edge.replicas',
      key: 'replicas',
      documentation: 'Pods, in words.',
      note: { minimum: 0, maximum: 9 },
      default: 2,
    },
    { ...none, path: 'edge.tag', key: 'tag', default: '' },
    {
      ...none,
      path: 'edge.resources',
      key: 'resources',
      note: { additionalProperties: true },
      default: { requests: { cpu: 1 } },
    },
  ]
  assert.deepEqual(values, [
    {
      path: 'edge',
      key: 'edge',
      documentation: 'What an edge is.',
      note: {},
      default: { replicas: 2, tag: '', resources: { requests: { cpu: 1 } } },
      children,
    },
    {
      ...none,
      path: 'names',
      key: 'names',
      documentation: 'Nothing else.',
      note: { items: { type: 'string' } },
      default: [],
    },
  ])
})

test('a comment of another depth, or with a line between, is not of the key', () => {
  const { values } = readValues('# Far.\n\na: 1\nb:\n  c: 1\n# Of d.\nd: 1\n', 'values.yaml')
  assert.deepEqual(
    values.map(({ key, documentation }) => [key, documentation]),
    [
      ['a', ''],
      ['b', ''],
      ['d', 'Of d.'],
    ],
  )
})

test('a value whose schema cannot be told, and a note that says nothing, are complaints with their line', () => {
  const table: [text: string, complaint: string][] = [
    ['a: {}', '1: a: what may be in it? @ {additionalProperties: …}'],
    ['a: []', '1: a: a list of what? @ {items: …}'],
    ['a: [1]', '1: a: a list of what? @ {items: …}'],
    ['a: null', "1: a: null, or else what? @ {type: […, 'null']}"],
    ['a:', "1: a: null, or else what? @ {type: […, 'null']}"],
    ['a b: 1', '1: a b: a name of letters and digits, please'],
    ['# @ {minimum: 0}\na:\n  b: 1', '2: a: has values of its own, which would have the notes'],
    ['# @ {minimum: }}\na: 1', '1: the note is not valid YAML: '],
    ['# @ minimum: 1\na: 1', '1: a note is a map in braces: @ {minimum: 1}'],
    ['# @\na: 1', '1: a note is a map in braces: @ {minimum: 1}'],
    ['# @ {minimun: 1}\na: 1', '1: minimun: no such word; there are '],
    ["# @ {minimum: '1'}\na: 1", '1: minimum: must be a number, not "1"'],
    ["# @ {pattern: '(?=a)'}\na: x", '1: pattern: must be a pattern that Go knows, too, not "(?=a)"'],
    ["# @ {pattern: '(a'}\na: x", '1: pattern: must be a pattern that Go knows, too, not "(a"'],
    ['# @ {type: text}\na: x', '1: type: must be one or several of string, integer'],
    ['# @ {items: {type: strin}}\na: []', '1: items: type: must be one or several of string, integer'],
    ['# @ {items: {properties: {b: {mininum: 1}}}}\na: []', '1: items: properties: mininum: no such word'],
    ['# @ {form: cdir}\na: x', '1: form: must be one of host:port, host, ip, cidr, url, name, path, not "cdir"'],
    ['# @ {items: {settings: edge}}\na: []', '1: items: settings: stands at the value itself only'],
    ['# @ {minimum: 1}\n\na: 1', '1: the note stands above no value'],
    ['# @ {additionalProperties: true}\na:\n  # @ {minimum: 1}\n  b: 1', '3: the note stands above no value'],
    ['a: 1\na: 2', '2: Map keys must be unique'],
    ['- a', '1: must be a map of values'],
  ]
  for (const [text, complaint] of table) {
    const complaints = complaintsOf(text)
    assert.equal(complaints.length, 1, `${text}: ${complaints.join(', ')}`)
    assert.ok(complaints[0]?.startsWith(`values.yaml:${complaint}`), `${text}: ${complaints[0]}`)
  }
})

const { values, complaints } = readValues(readFileSync(join(root, 'helm/posthouse/values.yaml'), 'utf8'), 'values.yaml')

test("the chart's values are as they have to be", () => {
  assert.deepEqual(complaints, [])
  assert.ok(values.length > 10)
})

test('every value of the chart is documented, or the one it is a part of', () => {
  const silent = (all: readonly ChartValue[], parent: string): string[] =>
    all.flatMap(({ path, documentation, children }) => {
      if (children.length > 0) return silent(children, documentation)
      return documentation === '' && parent === '' ? [path] : []
    })
  assert.deepEqual(silent(values, ''), [])
})
