import assert from 'node:assert/strict'
import { test } from 'node:test'
import { madeUpResult } from './test/made-up-result.ts'
import { summary, toJson } from './summary.ts'

const planted = madeUpResult({
  name: 'power-cut-without-fsync',
  bars: { gapMs: null, duplicates: true, losses: true },
  lost: 50,
})
const failed = madeUpResult({ name: 'kill-edge', lost: 2, failures: ['2 lost'] })

test('a matrix is a line for each run and the totals of those that must lose nothing', () => {
  assert.deepEqual(summary([madeUpResult(), failed, planted]).split('\n'), [
    'kill-delivery            passed: 0/0/0 lost/altered/unexpected, 2 duplicates, gap 0.31 s, held up 11.6 s, recovery 1.20 s',
    'kill-edge                FAILED: 2/0/0 lost/altered/unexpected, 2 duplicates, gap 0.31 s, held up 11.6 s, recovery 1.20 s; 2 lost',
    'power-cut-without-fsync  passed: it loses mail, as it must: 50/0/0 lost/altered/unexpected, 2 duplicates, gap 0.31 s, held up 11.6 s, recovery 1.20 s',
    '2 of 3 runs passed: 6000 messages, 2 lost, 0 altered, 0 unexpected, 4 duplicates (6 counted as possible)',
  ])
})

test('a program gets every run, the totals, and one word on all of it', () => {
  const { runs, ...totals } = toJson([madeUpResult(), planted], { one: false }) as { runs: object[] }
  assert.deepEqual(
    runs.map((run) => (run as { name: string }).name),
    ['kill-delivery', 'power-cut-without-fsync'],
  )
  assert.deepEqual(totals, {
    messages: 3000,
    lost: 0,
    altered: 0,
    unexpected: 0,
    duplicates: 2,
    possibleDuplicates: 3,
    passedRuns: 2,
    passed: true,
  })
  assert.equal((toJson([madeUpResult(), failed], { one: false }) as { passed: boolean }).passed, false)
})

test('a matrix without a run has not passed', () => {
  assert.equal((toJson([], { one: false }) as { passed: boolean }).passed, false)
  assert.equal((toJson([], { one: true }) as { passed: boolean }).passed, false)
})

test('one run is its result, with long lists cut', () => {
  const explanation = { recipient: 'a@one.example', is: 'duplicate', why: 'delivery-1 was killed' } as const
  const long = madeUpResult({ explanations: Array<typeof explanation>(1000).fill(explanation) })
  const { explanations, ...rest } = toJson([long], { one: true }) as typeof long
  assert.equal(explanations.length, 200)
  const { explanations: _, ...whole } = long
  assert.deepEqual(rest, { ...whole, passed: true })
})
