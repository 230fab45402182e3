import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GapWatch } from './gap-watch.ts'

type Event = readonly [at: number, what: 'begun' | 'accepted' | 'settled' | 'given up' | 'phase' | 'pause' | 'offer']

/** Plays the events; answers with the longest gap until `end`, and how many were over a second. */
function play(events: readonly Event[], end: number) {
  const watch = new GapWatch(true)
  for (const [at, what] of events) {
    if (what === 'begun') watch.begun(at)
    if (what === 'accepted') watch.accepted(at)
    if (what === 'settled') watch.settled(at, true)
    if (what === 'given up') watch.settled(at, false)
    if (what === 'phase') watch.beginPhase()
    if (what === 'pause') watch.offer(at, false)
    if (what === 'offer') watch.offer(at, true)
  }
  const { longest, long } = watch.report(end)
  return { longest: longest === undefined ? undefined : [longest.from, longest.to], long }
}

const message = (from: number, to: number): Event[] => [
  [from, 'begun'],
  [to, 'accepted'],
  [to, 'settled'],
]

interface Case {
  readonly events: readonly Event[]
  readonly end: number
  readonly longest: readonly [number, number] | undefined
  readonly long: number
}

const CASES: Record<string, Case> = {
  'nothing offered is no gap': { events: [], end: 9000, longest: undefined, long: 0 },
  'what is between two messages is no gap': {
    events: [...message(0, 5), ...message(4000, 4010)],
    end: 9000,
    longest: [4000, 4010],
    long: 0,
  },
  'as long as one client has a message in hand, the gap runs from the last 250 of any': {
    events: [
      [0, 'begun'],
      [5, 'begun'],
      [10, 'accepted'],
      [10, 'settled'],
      [1500, 'accepted'],
    ],
    end: 1500,
    longest: [10, 1500],
    long: 1,
  },
  'the gap that is open counts as far as it goes': {
    events: [[100, 'begun']],
    end: 2000,
    longest: [100, 2000],
    long: 1,
  },
  'a message given up ends no gap, and the next one goes on with it': {
    events: [[0, 'begun'], [800, 'given up'], ...message(900, 1900)],
    end: 1900,
    longest: [0, 1900],
    long: 1,
  },
  'a message given up while nothing is offered any more ends with it': {
    events: [
      [0, 'begun'],
      [100, 'pause'],
      [800, 'given up'],
    ],
    end: 9000,
    longest: [0, 800],
    long: 0,
  },
  'a pause after a message was given up is no gap': {
    events: [[0, 'begun'], [300, 'given up'], [700, 'pause'], [5000, 'offer'], ...message(5000, 5200)],
    end: 5200,
    longest: [0, 700],
    long: 0,
  },
  'a gap over the end of a phase counts whole in the next': {
    events: [
      [0, 'begun'],
      [900, 'phase'],
      [1800, 'accepted'],
      [1800, 'settled'],
    ],
    end: 1900,
    longest: [0, 1800],
    long: 1,
  },
  'a new phase forgets the gaps before it': {
    events: [...message(0, 3000), [3500, 'phase'], ...message(4000, 4020)],
    end: 5000,
    longest: [4000, 4020],
    long: 0,
  },
}

for (const [name, { events, end, longest, long }] of Object.entries(CASES)) {
  test(name, () => assert.deepEqual(play(events, end), { longest, long }))
}
