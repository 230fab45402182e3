import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readValues } from './values-document.ts'
import { readmeMark, readmeMarkdown } from './values-readme.ts'

const VALUES = `
# The *name* of <it>, a|b; see \`a|b *\`.
name: ''
# @ {items: {form: cidr}}
networks: []
# What edges are.
edge:
  # @ {minimum: 0}
  replicas: 2
  # @ {type: [integer, 'null'], minimum: 1, maximum: 9}
  some: null
  # How it is reached.
  service:
    # @ {enum: ['', Local, Cluster]}
    policy: Local
    # @ {additionalProperties: {type: string}}
    labels: { first: a long enough text, second: another one, third: the last of them }
  # @ {settings: edge}
  settings: {}
`

const { values } = readValues(VALUES, 'values.yaml')
const write = (readme: string) => readmeMarkdown(readme, values)

test('every value is a row with what it takes, its default and its documentation, in order', () => {
  const lines = write(`# Head\n\n${readmeMark}\n\nstale\n`).split('\n')
  const rows = lines.filter((line) => line.startsWith('| `'))
  assert.deepEqual(rows.slice(0, 8), [
    '| `name` | string | `""` | The \\*name\\* of \\<it\\>, a\\|b; see `a\\|b *`. |',
    '| `networks` | list: network | `[]` |  |',
    '| `edge.replicas` | 0 or more | `2` |  |',
    '| `edge.some` | 1 to 9 or null | `null` |  |',
    '| `edge.service` |  |  | How it is reached. |',
    '| `edge.service.policy` | `""`, `Local`, `Cluster` | `Local` |  |',
    '| `edge.service.labels` | map: string | `{"first":"a long enough text","second":"another one","third…` |  |',
    '| `edge.settings` | settings | `{}` |  |',
  ])
  const section = lines.indexOf('### edge')
  assert.equal(lines[section + 2], 'What edges are.')
})

test('what the chart sets itself is told, with the services that have it', () => {
  const text = write(readmeMark)
  assert.ok(text.includes('| `hostname` | the chart sets it from hostname | the chart sets it from hostname |'))
  assert.ok(text.includes('| `listeners` | the chart sets it from edge.listeners |  |'))
})

test('what stands above the mark is kept, and what was below is not', () => {
  const first = write(`# Head\n\nby hand\n\n${readmeMark}\n\nstale\n`)
  assert.ok(first.startsWith(`# Head\n\nby hand\n\n${readmeMark}\n\n## Values\n`))
  assert.ok(!first.includes('stale'))
  assert.equal(write(first), first)
})

test('without the mark nothing is written, for nobody knows what to keep', () => {
  assert.throws(() => write('# Head\n'), /^Error: helm\/posthouse\/README.md: there must be a line <!-- From here on/)
})
