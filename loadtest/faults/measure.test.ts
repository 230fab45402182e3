import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Arrival, Attempt } from '../history.ts'
import type { Mark } from './fault.ts'
import { measure, type ToMeasure } from './measure.ts'

const START = 50_000
const LOAD_MS = 40_000

/** A message each 10 ms, accepted at once and delivered 50 ms later, unless `accepts` or `delivers` says otherwise (ms since the start). */
function run(given: {
  readonly accepts?: (ms: number) => boolean
  readonly delivers?: (ms: number) => number | null
  readonly recipients?: (ms: number) => number
  readonly marks?: readonly [number, Mark['kind']][]
}): ToMeasure {
  const attempts: Attempt[] = []
  const arrivals: Arrival[] = []
  for (let ms = 5; ms < LOAD_MS; ms += 10) {
    if (given.accepts?.(ms) === false) continue
    const recipients = Array.from({ length: given.recipients?.(ms) ?? 1 }, (_, index) => `${ms}.${index}@a`)
    const [digest, at] = ['', START + ms]
    attempts.push({ id: String(ms), recipients, digest, told: 'accepted', code: 250, startedAt: at, endedAt: at })
    const delivered = given.delivers === undefined ? ms + 50 : given.delivers(ms)
    if (delivered === null) continue
    for (const recipient of recipients) arrivals.push({ kind: 'mail', recipient, digest, at: START + delivered })
  }
  const marks = (given.marks ?? []).map(([at, kind]) => ({ at: START + at, kind, nodes: ['n'], text: '' }))
  return { attempts, arrivals, marks, startedAt: START, endedAt: START + LOAD_MS }
}

const FAULT: [number, Mark['kind']][] = [
  [10_000, 'hit'],
  [12_000, 'note'],
  [14_000, 'heal'],
  [15_000, 'hit'],
  [20_000, 'heal'],
]
const between = (ms: number, from: number, to: number) => ms >= from && ms < to

test('a fault that nobody felt', () => {
  const { timeline, ...measures } = measure(run({ marks: FAULT }))
  assert.deepEqual(measures, {
    faultMs: 10_000,
    longestAcceptGapMs: 10,
    takeoverMs: 50,
    recoveryMs: 0,
    normalRate: 100,
  })
  assert.deepEqual(timeline.accepted, [...Array<number>(LOAD_MS / 1000).fill(100), 0])
  assert.equal(timeline.delivered.length, timeline.accepted.length)
  assert.equal(
    timeline.delivered.reduce((sum, count) => sum + count),
    4000,
  )
})

test('a run without a fault has a gap and a rate and nothing to recover from', () => {
  const { timeline: _, ...measures } = measure(run({ accepts: (ms) => !between(ms, 5000, 6000) }))
  assert.deepEqual(measures, {
    faultMs: 0,
    longestAcceptGapMs: 1010,
    takeoverMs: 0,
    recoveryMs: 0,
    normalRate: 97.4,
  })
})

test('the gap counts also at the end of the load', () => {
  assert.equal(measure(run({ accepts: (ms) => ms < 37_000 })).longestAcceptGapMs, 3005)
})

const TAKEOVER: Record<string, [(ms: number) => number | null, number | null]> = {
  'mail in flight at the hit is late': [(ms) => (between(ms, 9900, 10_000) ? ms + 12_000 : ms + 50), 11_995],
  'mail accepted after the hit is held up for longer': [
    (ms) => (between(ms, 10_000, 11_000) ? ms + 14_000 : between(ms, 9900, 10_000) ? ms + 12_000 : ms + 50),
    14_000,
  ],
  'only mail accepted after the heal is late': [(ms) => (ms > 20_000 ? ms + 25_000 : ms + 50), 50],
  'mail accepted before the hit never comes': [(ms) => (ms === 9995 ? null : ms + 50), null],
}
for (const [name, [delivers, expected]] of Object.entries(TAKEOVER)) {
  test(`the takeover is ${expected} when ${name}`, () => {
    assert.equal(measure(run({ marks: FAULT, delivers })).takeoverMs, expected)
  })
}

const RECOVERY: Record<string, [Parameters<typeof run>[0], number | null]> = {
  'nothing is accepted for three more seconds': [{ accepts: (ms) => !between(ms, 15_000, 23_000) }, 2700],
  'a third of the mail is accepted for good': [{ accepts: (ms) => ms < 15_000 || ms % 30 === 5 }, null],
  'nine of ten are accepted': [{ accepts: (ms) => ms < 15_000 || ms % 100 !== 5 }, 0],
  'nothing is delivered for three more seconds': [
    { delivers: (ms) => (between(ms, 15_000, 23_000) ? 23_000 : ms + 50) },
    1100,
  ],
  'it is back, but falls again at once': [
    { accepts: (ms) => !between(ms, 15_000, 20_000) && !between(ms, 22_500, 25_000) },
    4700,
  ],
  'some messages have two hundred recipients': [{ recipients: (ms) => (ms % 3000 === 5 ? 200 : 1) }, 0],
}
for (const [name, [given, expected]] of Object.entries(RECOVERY)) {
  test(`the normal rate is back after ${expected} ms when ${name}`, () => {
    assert.equal(measure(run({ marks: FAULT, ...given })).recoveryMs, expected)
  })
}

test('a fault that was not healed has no recovery, and lasts until the end', () => {
  const { faultMs, recoveryMs } = measure(run({ marks: [[10_000, 'hit']] }))
  assert.deepEqual([faultMs, recoveryMs], [30_000, null])
})

test('refused and unknown tries are no acceptances', () => {
  const all = run({})
  const attempts = all.attempts.map((attempt, index) =>
    index % 2 === 0 ? attempt : ({ ...attempt, told: 'refused' } as const),
  )
  assert.equal(measure({ ...all, attempts }).normalRate, 50)
})

test('a run in which nothing happened is measured too', () => {
  const { timeline, ...measures } = measure({ attempts: [], arrivals: [], marks: [], startedAt: 0, endedAt: 1000 })
  assert.deepEqual(measures, { faultMs: 0, longestAcceptGapMs: 1000, takeoverMs: 0, recoveryMs: 0, normalRate: 0 })
  assert.deepEqual(timeline, { startedAt: 0, accepted: [], delivered: [] })
})
