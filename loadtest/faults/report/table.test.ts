import assert from 'node:assert/strict'
import { test } from 'node:test'
import { madeUpResult } from './test/made-up-result.ts'
import { faultTable } from './table.ts'

test('a run is told with its times against their bars, its reasons and its verdict', () => {
  const text = faultTable(madeUpResult())
  const lines = text.split('\n')
  assert.equal(lines[0], 'kill-delivery (seed 7): kill -9 of one delivery node')
  assert.match(text, /^ {2}longest time without a 250 +0\.31 s \(bar 1 s\)$/m)
  assert.match(text, /^ {2}mail was held up at most +11\.6 s \(bar 20 s\)$/m)
  assert.match(text, /^ {2}normal rate again after +1\.20 s \(bar 10 s\)$/m)
  assert.match(text, /^ {2}duplicates +2, counted as possible: 3$/m)
  assert.match(text, /^ {2}2 × duplicate: delivery-1 was killed\n {2}1 × near miss: delivery-1 was killed$/m)
  assert.equal(lines.at(-1), 'kill-delivery: passed')
  assert.doesNotMatch(text, /^!/m)
})

test('whatever is wrong stands behind a mark', () => {
  const flagged = (changes: Parameters<typeof madeUpResult>[0]) => {
    return faultTable(madeUpResult(changes))
      .split('\n')
      .filter((line) => line.startsWith('!'))
  }
  assert.match(flagged({ lost: 4 }).join(), /^! lost +4$/)
  assert.match(flagged({ altered: 1 }).join(), /^! altered +1$/)
  assert.match(flagged({ unexpected: 1 }).join(), /^! unexpected +1$/)
  assert.match(flagged({ undecided: 1, queued: null }).join(), /^! undecided +1$/)
  assert.match(flagged({ bars: { gapMs: 1000, duplicates: false } }).join(), /^! duplicates +2,/)
  assert.match(flagged({ longestAcceptGapMs: 1001 }).join(), /^! longest time without a 250 +1\.00 s \(bar 1 s\)$/)
  assert.match(flagged({ takeoverMs: null }).join(), /^! mail was held up at most +never \(bar 20 s\)$/)
  assert.match(flagged({ recoveryMs: 10_001 }).join(), /^! normal rate again after +10\.0 s \(bar 10 s\)$/)
  assert.match(
    flagged({ events: { ...madeUpResult().events, tasks: 1, doubled: 1, examples: ['a@one.example'] } }).join(),
    /^! log +1 recipient: 0 without an end, 1 with two, 0 contradicted$/,
  )
  assert.match(
    flagged({ explanations: [{ recipient: 'a@one.example', is: 'duplicate', why: null }] }).join(),
    /^! 1 × duplicate: nothing explains it$/,
  )
  assert.deepEqual(flagged({ failures: ['4 lost'], missedBars: ['too slow'] }), ['! 4 lost', '! too slow'])
})

test('the verdict tells a broken promise from a missed bar, and a loss that must be from one that must not', () => {
  const last = (changes: Parameters<typeof madeUpResult>[0]) => faultTable(madeUpResult(changes)).split('\n').at(-1)
  assert.equal(last({ failures: ['4 lost'], missedBars: ['too slow'] }), 'kill-delivery: FAILED')
  assert.equal(last({ missedBars: ['too slow'] }), 'kill-delivery: MISSED A BAR')
  const planted = { gapMs: null, duplicates: true, losses: true, why: 'the test of the test' }
  assert.equal(last({ bars: planted, lost: 9 }), 'kill-delivery: passed: it loses mail, as it must')
  assert.doesNotMatch(faultTable(madeUpResult({ bars: planted, lost: 9, recoveryMs: null })), /^!/m)
  assert.match(faultTable(madeUpResult({ bars: planted })), /^! lost +0$/m)
})

test('where there is no bar the reason stands in its place', () => {
  const bars = { gapMs: null, duplicates: true, why: 'nothing can be stored' }
  assert.match(
    faultTable(madeUpResult({ bars, longestAcceptGapMs: 6890 })),
    /^ {2}longest time without a 250 +6\.89 s \(no bar: nothing can be stored\)$/m,
  )
})
