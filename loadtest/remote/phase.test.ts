import assert from 'node:assert/strict'
import { test } from 'node:test'
import { composeMessage } from '../message.ts'
import { seededRandom } from '../random.ts'
import type { Try } from '../sender.ts'
import { ConnectionLost, Unwelcome } from '../smtp-client.ts'
import type { Verdict } from '../smtp-verdict.ts'
import type { Entry } from './book.ts'
import { Phase, type Standing } from './phase.ts'
import type { PhaseSummary } from './phase-summary.ts'

const HOW = { random: seededRandom(1), size: 500, recipients: 1, sender: '', domain: 'd.example', date: new Date(0) }
const MESSAGE = composeMessage('m', HOW)
const STANDING: Standing = {
  at: 10_000,
  gaps: { longest: { ms: 1500, from: 2000, to: 3500 }, long: 1 },
  open: { recipients: 3, deferred: 1, oldestMs: 40 },
}
const ENTRY: Entry = { is: 'expected', copy: 1, altered: false, afterMs: 5 }
const HOW_ARRIVED = { isBounce: false, deferred: false, from: 'delivery-1' }

const nothing = (at: 'idle' | 'MAIL' | 'RCPT' | 'DATA', farewell?: string): Verdict => {
  return { told: 'nothing', noes: [], at, why: 'reset', ...(farewell === undefined ? {} : { farewell }) }
}
const accepted: Verdict = { told: 'accepted', code: 250, recipients: ['a', 'b'], refused: [], noes: [] }
const refused = (stage: 'MAIL' | 'RCPT' | 'DATA' | 'dot', code: number): Verdict => {
  return { told: 'refused', refused: [], noes: [{ stage, code, text: 'not now' }] }
}
const unknown: Verdict = { told: 'unknown', recipients: ['a'], refused: [], noes: [], why: 'reset' }

function summaryOf(happens: (phase: Phase) => void, surplus = 0): PhaseSummary {
  const phase = new Phase('p', 0)
  happens(phase)
  return phase.summary(STANDING, () => surplus)
}

function tried(verdict: Verdict, before?: Try['before'], waitMs?: number) {
  const one = { message: MESSAGE, peer: '10.0.0.1:25 edge-1', verdict, before, startedAt: 1000, endedAt: 1020 }
  return summaryOf((phase) => phase.tried(one, waitMs))
}

/** The counts that are not as in a phase in which nothing happened. */
function changed(summary: PhaseSummary): Record<string, unknown> {
  const empty = summaryOf(() => {})
  return Object.fromEntries(
    Object.entries(summary).filter(([name, value]) => {
      return typeof value === 'number' && value !== empty[name as keyof PhaseSummary] && name !== 'acceptedPerSecond'
    }),
  )
}

const CASES: Record<string, readonly [PhaseSummary, Record<string, number>]> = {
  'a 250': [tried(accepted, undefined, 70), { accepted: 1, acceptedRecipients: 2 }],
  'a 250 after a refusal for now': [tried(accepted, 'refused'), { accepted: 1, acceptedRecipients: 2, retried: 1 }],
  'a 250 after an unknown fate': [tried(accepted, 'unknown'), { accepted: 1, acceptedRecipients: 2, repeated: 1 }],
  'a refusal': [tried(refused('MAIL', 451)), { refused: 1 }],
  'a connection lost after the dot': [tried(unknown), { unknown: 1, lostConnections: 1 }],
  'one lost in the middle': [tried(nothing('RCPT')), { lostConnections: 1 }],
  'one lost at MAIL': [tried(nothing('MAIL')), { lostConnections: 1 }],
  'a session that was over without a word': [tried(nothing('idle')), { closedWithoutWord: 1 }],
  'a 421 while idle': [tried(nothing('idle', 'bye')), { closedInGoodOrder: 1 }],
  'a 421 to MAIL': [tried(nothing('MAIL', 'bye')), { closedInGoodOrder: 1 }],
  'a 421 in the middle of a transaction': [tried(nothing('DATA', 'bye')), { refused: 1 }],
}

for (const [name, [summary, counts]] of Object.entries(CASES)) {
  test(`${name} counts as ${Object.keys(counts).join(', ')} and nothing else`, () => {
    assert.deepEqual(changed(summary), counts)
  })
}

test('a refusal keeps its words, its command and the edge; of many the first are kept and all are counted', () => {
  const summary = summaryOf((phase) => {
    for (let count = 0; count < 30; count++) {
      const verdict = refused(count < 25 ? 'RCPT' : 'dot', 452)
      phase.tried({ message: MESSAGE, peer: 'e', verdict, before: undefined, startedAt: 0, endedAt: 0 }, undefined)
    }
  })
  const at = new Date(performance.timeOrigin).toISOString()
  assert.deepEqual(summary.refusals[0], { at, stage: 'RCPT', code: 452, text: 'not now', edge: 'e' })
  assert.deepEqual([summary.refused, summary.refusals.length], [30, 20])
  assert.deepEqual(summary.refusedAt, { RCPT: 25, dot: 5 })
})

test('no connection and no welcome are told apart', () => {
  const summary = summaryOf((phase) => {
    phase.notConnected('edge:25', new ConnectionLost('connect ECONNREFUSED'), 5)
    phase.notConnected('edge:25', new Unwelcome('AUTH', 535, 'wrong'), 6)
  })
  assert.deepEqual(changed(summary), { connectFailures: 1, turnedAway: 1 })
  assert.equal(summary.connectTroubles[0]?.text, 'connect ECONNREFUSED')
  assert.deepEqual([summary.turnedAwayWith[0]?.stage, summary.turnedAwayWith[0]?.code], ['AUTH', 535])
})

test('times to the 250 are told of the try and of the wait', () => {
  const { acceptMs, waitMs, edges } = tried(accepted, undefined, 70)
  assert.deepEqual([acceptMs.p99, waitMs.longest, edges], [20, 70, { 'edge-1': 1 }])
})

test('deliveries are counted by node, and those that the sink had deferred have times of their own', () => {
  const summary = summaryOf((phase) => {
    phase.arrived('a', ENTRY, HOW_ARRIVED)
    phase.arrived('b', { ...ENTRY, afterMs: 30_000 }, { ...HOW_ARRIVED, deferred: true, from: 'delivery-2' })
    phase.arrived('c', { ...ENTRY, is: 'of another run' }, HOW_ARRIVED)
    phase.deferred()
  })
  assert.deepEqual(changed(summary), { deliveries: 2, deferred: 1 })
  assert.deepEqual([summary.deliveryMs.longest, summary.deferredDeliveryMs.longest], [5, 30_000])
  assert.deepEqual(summary.deliveryNodes, { 'delivery-1': 1, 'delivery-2': 1 })
})

test('what arrives strangely is counted and named', () => {
  const summary = summaryOf((phase) => {
    phase.arrived('a', { ...ENTRY, altered: true }, HOW_ARRIVED)
    phase.arrived('b', { ...ENTRY, is: 'unexpected' }, HOW_ARRIVED)
    phase.arrived('c', ENTRY, { ...HOW_ARRIVED, isBounce: true })
  })
  assert.deepEqual(changed(summary), { deliveries: 3, altered: 1, unexpected: 1, bounced: 1 })
  assert.deepEqual(summary.strange, ['a: altered', 'b: unexpected', 'c: bounced'])
})

test('a second copy is a duplicate as far as no try accounts for it', () => {
  const twice = (phase: Phase) => {
    phase.arrived('a', ENTRY, HOW_ARRIVED)
    phase.arrived('a', { ...ENTRY, copy: 2 }, HOW_ARRIVED)
  }
  assert.deepEqual([summaryOf(twice, 1).duplicates, summaryOf(twice, 0).duplicates], [1, 0])
})

test('a phase that has ended stays as it was', () => {
  const phase = new Phase('p', 1000)
  const now = phase.summary(STANDING, () => 0)
  assert.deepEqual([now.ended, now.seconds, now.gaps.longestMs, now.gaps.overOneSecond], [null, 9, 1500, 1])
  phase.end({ ...STANDING, at: 4000 })
  const later = phase.summary({ at: 90_000, gaps: { longest: undefined, long: 0 }, open: STANDING.open }, () => 0)
  assert.deepEqual([later.seconds, later.gaps.longestMs], [3, 1500])
  assert.equal(later.ended, new Date(performance.timeOrigin + 4000).toISOString())
})
