import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokenPromises, missedBars } from './judge-fault.ts'
import { madeUpResult } from './report/test/made-up-result.ts'
import type { FaultResult } from './result.ts'

const SOUND: Partial<FaultResult> = {
  bars: { gapMs: 1000, duplicates: true, takeoverMs: 20_000 },
  duplicates: 0,
  possibleDuplicates: 0,
  explanations: [],
  longestAcceptGapMs: 300,
  takeoverMs: 12_000,
  recoveryMs: 500,
}
const sound = (changes: Partial<FaultResult> = {}) => madeUpResult({ ...SOUND, ...changes })
const DUPLICATE = { recipient: 'a@site-1.example', is: 'duplicate', why: 'delivery-1 was killed' } as const

test('a run in which all is well breaks no promise and misses no bar', () => {
  assert.deepEqual([brokenPromises(sound(), 0), missedBars(sound())], [[], []])
})

const BROKEN: Record<string, [Partial<FaultResult>, RegExp]> = {
  'mail is lost': [{ lost: 1 }, /^1 lost$/],
  'mail is altered': [{ altered: 2 }, /^2 altered$/],
  'refused mail arrives': [{ unexpected: 1 }, /refused or never sent/],
  'nobody knows whether the queue holds it': [{ undecided: 3 }, /undecided/],
  'mail is still queued': [{ queued: 1 }, /still queued/],
  'mail arrives twice though nothing was hit that may do so': [
    { bars: { gapMs: 1000, duplicates: false }, duplicates: 1, possibleDuplicates: 1, explanations: [DUPLICATE] },
    /no delivery node/,
  ],
  'a duplicate has no reason': [
    { duplicates: 1, possibleDuplicates: 1, explanations: [{ ...DUPLICATE, why: null }] },
    /duplicates that nothing explains/,
  ],
  'a near miss has no reason': [
    { possibleDuplicates: 1, explanations: [{ ...DUPLICATE, is: 'near miss', why: null }] },
    /possible duplicates that nothing explains/,
  ],
  'a duplicate was not counted': [{ duplicates: 2, possibleDuplicates: 1 }, /not counted/],
  'the logs miss an end': [{ events: { ...sound().events, missing: 1 } }, /without a final event/],
  'the logs tell two ends': [{ events: { ...sound().events, doubled: 1 } }, /two final events/],
  'an event is missing': [{ events: { ...sound().events, untold: 1 } }, /no event tells/],
  'an end is told twice': [{ events: { ...sound().events, toldTwice: 1 } }, /two events/],
  'the logs contradict the ledger': [{ events: { ...sound().events, contradicted: 1 } }, /contradict/],
  'a planted loss was not seen': [{ bars: { gapMs: null, duplicates: true, losses: true } }, /could not have shown/],
}
for (const [name, [changes, expected]] of Object.entries(BROKEN)) {
  test(`it is a failure when ${name}`, () => assert.match(brokenPromises(sound(changes), 0).join('; '), expected))
}

test('it is a failure when mail bounces that nobody asked to', () => {
  assert.match(brokenPromises(sound(), 1).join(), /1 bounced/)
})

test('a planted loss that is seen is none', () => {
  const bars = { gapMs: null, duplicates: true, losses: true }
  assert.deepEqual(
    [brokenPromises(sound({ bars, lost: 7 }), 0), missedBars(sound({ bars, recoveryMs: null }))],
    [[], []],
  )
})

const LATE: Record<string, [Partial<FaultResult>, RegExp]> = {
  'nothing is accepted for too long': [{ longestAcceptGapMs: 1001 }, /without an acceptance: 1001 ms/],
  'mail is held up for too long': [{ takeoverMs: 20_001 }, /held up: 20001 ms/],
  'mail is held up for ever': [{ takeoverMs: null }, /held up: never/],
  'the rate comes back late': [{ recoveryMs: 10_001 }, /normal rate/],
  'the rate never comes back': [{ recoveryMs: null }, /normal rate after the last heal: never/],
}
for (const [name, [changes, expected]] of Object.entries(LATE)) {
  test(`a bar is missed when ${name}`, () => assert.match(missedBars(sound(changes)).join('; '), expected))
}

test('a fault without a bar for the gap may stop acceptance, and one may take longer to recover', () => {
  const bars = { gapMs: null, duplicates: true, recoveryMs: 20_000, why: 'so it is' }
  assert.deepEqual(missedBars(sound({ bars, longestAcceptGapMs: 60_000, recoveryMs: 19_000 })), [])
})
