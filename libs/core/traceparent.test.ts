import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keptTrace } from './traceparent.ts'

const trace = '0af7651916cd43dd8448eb211c80319c'
const span = 'b7ad6b7169203331'

test('a sampled traceparent names its trace; one that is not sampled, malformed or absent names none', () => {
  const table: [string | undefined, string | undefined][] = [
    [`00-${trace}-${span}-01`, trace],
    [`00-${trace}-${span}-03`, trace],
    [`00-${trace}-${span}-0b`, trace],
    [`01-${trace}-${span}-01-more`, trace],
    [`00-${trace}-${span}-00`, undefined],
    [`00-${trace}-${span}-02`, undefined],
    [`ff-${trace}-${span}-01`, undefined],
    [`00-${'0'.repeat(32)}-${span}-01`, undefined],
    [`00-${trace}-${'0'.repeat(16)}-01`, undefined],
    [`00-${trace}-${span}`, undefined],
    [`00-${trace.toUpperCase()}-${span}-01`, undefined],
    ['', undefined],
    [undefined, undefined],
  ]
  for (const [traceparent, expected] of table) assert.equal(keptTrace(traceparent), expected, traceparent)
})
