import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mergeSettings } from './merge-settings.ts'

test('what is given replaces one value at any depth and leaves its neighbours', () => {
  const base = { name: 'edge-1', timeouts: { final: '10m', idle: '10s' }, listeners: [{ port: 25 }] }
  const over = { 'timeouts.final': '20s', limits: { recipients: 5 }, listeners: [{ port: 26 }] }
  assert.deepEqual(mergeSettings(base, over), {
    name: 'edge-1',
    timeouts: { final: '20s', idle: '10s' },
    limits: { recipients: 5 },
    listeners: [{ port: 26 }],
  })
  assert.equal(base.timeouts.final, '10m')
})

test('two paths below the same key come together', () => {
  const over = { 'limits.a': 1, 'limits.b': 2, limits: { c: 3 } }
  assert.deepEqual(mergeSettings({}, over), { limits: { a: 1, b: 2, c: 3 } })
})
