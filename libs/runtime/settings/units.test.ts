import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatBytes, formatDuration, parseBytes, parseDuration } from './units.ts'

test('durations are read as people write them', () => {
  const table: [string, number | undefined][] = [
    ['250ms', 250],
    ['10s', 10_000],
    ['1.5s', 1500],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['5d', 432_000_000],
    ['0s', 0],
    ['', undefined],
    ['10', undefined],
    ['30m1h', undefined],
    ['-1s', undefined],
    ['1 s', undefined],
    ['10 seconds', undefined],
  ]
  for (const [text, expected] of table) assert.equal(parseDuration(text), expected, text)
})

test('sizes need a unit', () => {
  const table: [string, number | undefined][] = [
    ['512B', 512],
    ['64KiB', 65_536],
    ['1.5MiB', 1_572_864],
    ['64 MiB', 67_108_864],
    ['10GiB', 10_737_418_240],
    ['64', undefined],
    ['64MB', undefined],
    ['0.3B', undefined],
    ['', undefined],
  ]
  for (const [text, expected] of table) assert.equal(parseBytes(text), expected, text)
})

test('what is written is read back the same', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 31 - 1), (n) => {
      assert.equal(parseDuration(formatDuration(n)), n)
      assert.equal(parseBytes(formatBytes(n)), n)
    }),
  )
})
