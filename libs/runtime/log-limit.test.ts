import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LogLimit } from './log-limit.ts'

function written(limit: LogLimit, kind: string, tries: number, now: number): number {
  let lines = 0
  for (let i = 0; i < tries; i++) if (limit.take(kind, now)) lines += 1
  return lines
}

test('a burst is written, then so many a second, whatever comes', () => {
  const limit = new LogLimit({ perSecond: 50, burst: 100 })
  assert.equal(written(limit, 'refused', 10_000, 0), 100)
  assert.equal(written(limit, 'refused', 10_000, 1000), 50)
  let lines = 0
  for (let now = 1001; now <= 11_000; now++) lines += written(limit, 'refused', 10, now)
  assert.equal(lines, 500)
})

test('quiet fills the bucket again, up to the burst and no further', () => {
  const limit = new LogLimit({ perSecond: 50, burst: 100 })
  written(limit, 'refused', 1000, 0)
  assert.equal(written(limit, 'refused', 1000, 3_600_000), 100)
})

test('each kind has its own room', () => {
  const limit = new LogLimit({ perSecond: 1, burst: 1 })
  assert.equal(written(limit, 'refused', 10, 0), 1)
  assert.equal(written(limit, 'log-in refused', 10, 0), 1)
})

test('every line is either written or counted, by kind, and a report begins the count anew', () => {
  const limit = new LogLimit({ perSecond: 10, burst: 10 })
  assert.equal(limit.report(), undefined)
  const lines = written(limit, 'refused', 1000, 0) + written(limit, 'connection lost', 15, 0)
  assert.equal(lines, 20)
  assert.deepEqual(limit.report(), { refused: 990, 'connection lost': 5 })
  assert.equal(limit.report(), undefined)
  written(limit, 'refused', 3, 0)
  assert.deepEqual(limit.report(), { refused: 3 })
  assert.deepEqual(limit.suppressed(), { refused: 993, 'connection lost': 5 })
})

test('a clock that goes back neither fills nor blocks', () => {
  const limit = new LogLimit({ perSecond: 10, burst: 1 })
  assert.equal(written(limit, 'refused', 5, 10_000), 1)
  assert.equal(written(limit, 'refused', 5, 0), 0)
  assert.equal(written(limit, 'refused', 5, 100), 1)
})
