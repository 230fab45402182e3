import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Arrival, Attempt } from './history.ts'
import { judge, missingOf, reconcile } from './ledger.ts'

const attempt = (recipient: string, told: Attempt['told'], digest = 'd'): Attempt => {
  return {
    id: recipient,
    recipients: [recipient],
    digest,
    told,
    code: told === 'accepted' ? 250 : 0,
    startedAt: 0,
    endedAt: 1,
  }
}
const mail = (recipient: string, digest: string | null = 'd'): Arrival => ({ kind: 'mail', recipient, digest, at: 2 })
const bounce = (recipient: string): Arrival => ({ kind: 'bounce', recipient, digest: '', at: 2 })

interface Case {
  readonly attempts: Attempt[]
  readonly arrivals: Arrival[]
  readonly queued?: number | null
  readonly found: Record<string, number | null>
  readonly judgement: 'sound' | 'faulty' | 'undecided'
}

const CASES: Record<string, Case> = {
  'all that was accepted arrived': {
    attempts: [attempt('a', 'accepted'), attempt('b', 'accepted')],
    arrivals: [mail('a'), mail('b')],
    found: { accepted: 2, delivered: 2, lost: 0, duplicates: 0, unexpected: 0, altered: 0 },
    judgement: 'sound',
  },
  'a planted loss': {
    attempts: [attempt('a', 'accepted'), attempt('b', 'accepted')],
    arrivals: [mail('a')],
    found: { accepted: 2, delivered: 1, lost: 1 },
    judgement: 'faulty',
  },
  'a missing copy that the queue may hold is not lost': {
    attempts: [attempt('a', 'accepted'), attempt('b', 'accepted')],
    arrivals: [mail('a')],
    queued: 1,
    found: { queued: 1, lost: 0, undecided: 0 },
    judgement: 'sound',
  },
  'two are missing and the queue holds one': {
    attempts: [attempt('a', 'accepted'), attempt('b', 'accepted')],
    arrivals: [],
    queued: 1,
    found: { lost: 1 },
    judgement: 'faulty',
  },
  'nobody could ask the queue': {
    attempts: [attempt('a', 'accepted')],
    arrivals: [],
    queued: null,
    found: { lost: 0, undecided: 1 },
    judgement: 'undecided',
  },
  'a planted duplicate': {
    attempts: [attempt('a', 'accepted')],
    arrivals: [mail('a'), mail('a'), mail('a')],
    found: { duplicates: 2, delivered: 3, lost: 0 },
    judgement: 'sound',
  },
  'a bounce after a delivery is a duplicate': {
    attempts: [attempt('a', 'accepted')],
    arrivals: [mail('a'), bounce('a')],
    found: { duplicates: 1, bounced: 1, delivered: 1 },
    judgement: 'sound',
  },
  'a planted alteration': {
    attempts: [attempt('a', 'accepted')],
    arrivals: [mail('a', 'other')],
    found: { altered: 1, lost: 0 },
    judgement: 'faulty',
  },
  'a missing trace header is an alteration': {
    attempts: [attempt('a', 'accepted')],
    arrivals: [mail('a', null)],
    found: { altered: 1 },
    judgement: 'faulty',
  },
  'mail for somebody nobody wrote to': {
    attempts: [attempt('a', 'accepted')],
    arrivals: [mail('a'), mail('x')],
    found: { unexpected: 1, delivered: 1 },
    judgement: 'faulty',
  },
  'a bounce that names nobody': {
    attempts: [attempt('a', 'accepted')],
    arrivals: [mail('a'), bounce('')],
    found: { unexpected: 1 },
    judgement: 'faulty',
  },
  'what was refused arrived': {
    attempts: [attempt('a', 'refused')],
    arrivals: [mail('a')],
    found: { unexpected: 1, refused: 1, delivered: 0 },
    judgement: 'faulty',
  },
  'refused at first, then accepted, arrives once': {
    attempts: [attempt('a', 'refused'), attempt('a', 'accepted')],
    arrivals: [mail('a')],
    found: { accepted: 1, delivered: 1, duplicates: 0 },
    judgement: 'sound',
  },
  'an unknown fate demands nothing': {
    attempts: [attempt('a', 'unknown')],
    arrivals: [],
    found: { unknown: 1, lost: 0, undecided: 0 },
    judgement: 'sound',
  },
  'an unknown fate allows a copy': {
    attempts: [attempt('a', 'unknown')],
    arrivals: [mail('a')],
    found: { unknown: 1, delivered: 1, unexpected: 0, duplicates: 0 },
    judgement: 'sound',
  },
  'a repeat of unknown fate allows two copies': {
    attempts: [attempt('a', 'unknown'), attempt('a', 'accepted')],
    arrivals: [mail('a'), mail('a')],
    found: { duplicates: 0, lost: 0 },
    judgement: 'sound',
  },
  'but not three': {
    attempts: [attempt('a', 'unknown'), attempt('a', 'accepted')],
    arrivals: [mail('a'), mail('a'), mail('a')],
    found: { duplicates: 1 },
    judgement: 'sound',
  },
  'accepted and bounced is accounted for': {
    attempts: [attempt('a', 'accepted')],
    arrivals: [bounce('a')],
    found: { bounced: 1, delivered: 0, lost: 0 },
    judgement: 'sound',
  },
}

for (const [name, { attempts, arrivals, queued, found, judgement }] of Object.entries(CASES)) {
  test(name, () => {
    const ledger = reconcile(attempts, arrivals, queued === undefined ? 0 : queued)
    const seen = Object.fromEntries(Object.keys(found).map((key) => [key, ledger[key as keyof typeof ledger]]))
    assert.deepEqual(seen, found)
    assert.equal(judge(ledger), judgement)
  })
}

test('each recipient of a message has an account of its own', () => {
  const two: Attempt = { ...attempt('a', 'accepted'), recipients: ['a', 'b'] }
  const ledger = reconcile([two], [mail('b')], 0)
  assert.deepEqual([ledger.accepted, ledger.delivered, ledger.lost], [2, 1, 1])
  assert.deepEqual(ledger.examples.missing, ['a'])
  assert.equal(missingOf([two], [mail('b')]), 1)
})
