import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampledTraceId } from './trace-id.ts'

const id = '0af7651916cd43dd8448eb211c80319c'

test('a trace that is recorded has an id to show, another has none', () => {
  for (const [flags, isSampled] of [
    ['00', false],
    ['01', true],
    ['02', false],
    ['03', true],
    ['09', true],
    ['0a', false],
    ['0b', true],
    ['fe', false],
    ['ff', true],
  ] as const)
    assert.equal(sampledTraceId(`00-${id}-b7ad6b7169203331-${flags}`), isSampled ? id : undefined, flags)
  // A later version may add to it.
  assert.equal(sampledTraceId(`01-${id}-b7ad6b7169203331-01-more`), id)
})

test('what is no traceparent has none', () => {
  for (const text of [undefined, '', '00', `00-${id}-b7ad6b7169203331`]) assert.equal(sampledTraceId(text), undefined)
})
