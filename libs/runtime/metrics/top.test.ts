import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from './registry.ts'
import { defineMetrics } from './table.ts'
import { Top } from './top.ts'
import type { Rows } from './top.ts'

function shown(rows: Rows, most = 3): [string | number | undefined, number][] {
  const top = new Top('destination', most)
  top.from(() => rows)
  return top.samples('posthouse_test').map(({ labels, value }) => [labels['destination'], value])
}

test('the largest are shown, the largest first, and no more than so many', () => {
  const rows = Array.from({ length: 100_000 }, (_, i) => [`d${i}`, (i * 7919) % 100_003] as const)
  const expected = rows.toSorted((a, b) => b[1] - a[1]).slice(0, 20)
  assert.deepEqual(shown(rows, 20), expected)
})

test('of equals those that come first stay', () => {
  const rows = ['a', 'b', 'c', 'd', 'e'].map((name) => [name, 1] as const)
  assert.deepEqual(shown([...rows, ['f', 2]]), [
    ['f', 2],
    ['a', 1],
    ['b', 1],
  ])
})

test('few are all shown, and none is no series', () => {
  assert.deepEqual(shown([['a', 0]]), [['a', 0]])
  assert.deepEqual(shown([]), [])
  assert.deepEqual(new Top('destination', 3).samples('posthouse_test'), [])
})

test('they are asked anew each time, and any name is written as text has to be', async () => {
  const table = defineMetrics({
    open: { kind: 'gauge', name: 'posthouse_test_open', help: 'Open.', labels: { destination: { top: 2 } } },
  })
  const registry = createMetrics(table, { service: 'test', version: '1' })
  const lines = async (): Promise<string[]> =>
    (await registry.text()).split('\n').filter((line) => line.startsWith('posthouse_test'))
  assert.deepEqual(await lines(), [])
  const rows = new Map([['a "b"\\\n', 7]])
  registry.metrics.open.from(() => rows)
  assert.deepEqual(await lines(), [String.raw`posthouse_test_open{destination="a \"b\"\\\n"} 7`])
  rows.clear()
  rows.set('c', 1)
  assert.deepEqual(await lines(), ['posthouse_test_open{destination="c"} 1'])
})
