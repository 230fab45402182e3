import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokenPromises, missed } from './judge.ts'
import type { PhaseFacts, Verdict } from './load.ts'
import { GRACEFUL, SUDDEN, type Bars } from './step.ts'
import { FACTS } from './test/results.ts'

test('a step that nobody noticed misses no bar', () => {
  assert.deepEqual(missed(FACTS, GRACEFUL), [])
})

const TOLERANT: Bars = { gapMs: null, unnoticed: false, duplicates: true, why: 'no promise' }
const steps: readonly [what: string, facts: Partial<PhaseFacts>, bars: Bars, lines: readonly string[]][] = [
  ['a gap over its bar', { gapMs: 1001 }, SUDDEN, ['time without a 250: 1.00 s, the bar is 1 s']],
  ['a gap of just the bar', { gapMs: 1000 }, SUDDEN, []],
  ['a gap where there is no bar', { gapMs: 60_000 }, TOLERANT, []],
  ['a refusal', { refused: 1 }, GRACEFUL, ['1 refused']],
  ['a connection turned away', { turnedAway: 2 }, GRACEFUL, ['2 connections turned away']],
  ['a connection that could not be made', { connectFailures: 3 }, GRACEFUL, ['3 connections that could not be made']],
  ['a connection lost', { lostConnections: 4 }, GRACEFUL, ['4 connections lost']],
  ['all of these when a part died', { refused: 1, turnedAway: 2, connectFailures: 3, lostConnections: 4 }, SUDDEN, []],
  ['a copy too many', { duplicates: 1 }, SUDDEN, ['1 copies too many']],
  ['a copy too many when a delivery node died', { duplicates: 1 }, TOLERANT, []],
  [
    'mail held up for too long',
    { longestDeliveryMs: 20_001 },
    { ...TOLERANT, deliveryMs: 20_000 },
    ['longest delivery: 20.0 s, the bar is 20 s'],
  ],
  ['no delivery at all', { longestDeliveryMs: null }, { ...TOLERANT, deliveryMs: 20_000 }, []],
  ['no mail', { accepted: 0 }, TOLERANT, ['nothing was accepted, so this shows nothing']],
]
for (const [what, facts, bars, lines] of steps) {
  test(`${what}: ${lines.length === 0 ? 'no bar is missed' : lines.join('; ')}`, () => {
    assert.deepEqual(missed({ ...FACTS, ...facts }, bars), lines)
  })
}

const VERDICT: Verdict = {
  judgement: 'sound',
  why: [],
  lost: 0,
  altered: 0,
  unexpected: 0,
  duplicates: 3,
  unknown: 2,
  recipients: { accepted: 10 },
  messages: { accepted: 5 },
  phases: [],
}

test('copies too many break no promise of the mail as a whole: the steps judge them', () => {
  assert.deepEqual(brokenPromises(VERDICT, 'mail'), [])
})

test('whatever is lost, altered or unexpected is told', () => {
  const verdict = { ...VERDICT, judgement: 'faulty' as const, lost: 1, altered: 2, unexpected: 3, why: ['many things'] }
  assert.deepEqual(brokenPromises(verdict, 'mail'), [
    'mail: 1 lost',
    'mail: 2 altered',
    'mail: 3 arrived though refused or never sent',
  ])
})

test('a verdict that is not sound is told with its reason, or that it has none', () => {
  assert.deepEqual(brokenPromises({ ...VERDICT, judgement: 'undecided', why: ['nobody waited'] }, 'mail'), [
    'mail: undecided: nobody waited',
  ])
  assert.deepEqual(brokenPromises({ ...VERDICT, judgement: 'faulty' }, 'mail'), ['mail: faulty: no reason given'])
})
