import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Arrival, Attempt } from '../history.ts'
import type { Mark } from './fault.ts'
import { explain, type ToExplain } from './explain.ts'
import type { PossibleDuplicate } from './node-logs.ts'

const ORIGIN = 1_000_000_000
const R = 'm.0@site-1.example'

const attempt = (changes: Partial<Attempt> = {}): Attempt => ({
  id: 'm',
  recipients: [R],
  digest: 'd',
  told: 'accepted',
  code: 250,
  queueId: 'Q',
  startedAt: 900,
  endedAt: 910,
  ...changes,
})
const arrival = (at: number, from: string | undefined, changes: Partial<Arrival> = {}): Arrival => ({
  kind: 'mail',
  recipient: R,
  digest: 'd',
  queueId: 'Q',
  at,
  ...(from === undefined ? {} : { from }),
  ...changes,
})
const mark = (at: number, kind: Mark['kind'], node: string, text = 'kill'): Mark => ({ at, kind, nodes: [node], text })
const possible = (at: number, changes: Partial<PossibleDuplicate> = {}): PossibleDuplicate => ({
  at: ORIGIN + at,
  id: 'Q',
  node: 'delivery-2',
  partition: 1,
  recipient: 0,
  because: 'dead owner',
  text: '',
  ...changes,
})

const why = (given: Partial<ToExplain>) =>
  explain({ attempts: [attempt()], arrivals: [], marks: [], possible: [], timeOrigin: ORIGIN, ...given }).map((one) => [
    one.is,
    one.why,
  ])

const TWICE = [arrival(5000, 'delivery-1'), arrival(17_000, 'delivery-2')]
const KILLED = [mark(5100, 'hit', 'delivery-1'), mark(9000, 'heal', 'delivery-1')]
const COUNTED = [possible(16_990)]
const FROM_1 = 'a copy came from delivery-1: kill'

const DUPLICATES: Record<string, [Partial<ToExplain>, string | null]> = {
  'the node was killed between its copy and the stored outcome': [{ marks: KILLED }, FROM_1],
  'the node had been hit shortly before its copy arrived': [{ marks: [mark(4900, 'hit', 'delivery-1')] }, FROM_1],
  'the node was hit long after its copy arrived': [{ marks: [mark(8000, 'hit', 'delivery-1')] }, null],
  'the node was hit and healed long before its copy arrived': [
    { marks: [mark(-9000, 'hit', 'delivery-1'), mark(-7000, 'heal', 'delivery-1')] },
    null,
  ],
  'another node was hit': [{ marks: [mark(5100, 'hit', 'delivery-3')] }, null],
  'an edge was hit': [{ marks: [mark(5100, 'hit', 'edge-1')] }, null],
  'nothing was hit': [{}, null],
  'nobody counted it': [{ marks: KILLED, possible: [] }, null],
  'another mail was counted': [{ marks: KILLED, possible: [possible(16_990, { id: 'P' })] }, null],
  'who counted it was killed before it could write that down': [
    { marks: [...KILLED, mark(17_200, 'hit', 'delivery-2')], possible: [] },
    FROM_1,
  ],
  'nobody knows which node the copies came from, but one was hit': [
    { marks: KILLED, arrivals: [arrival(5000, undefined), arrival(17_000, undefined)] },
    FROM_1,
  ],
  'the copy of the node that was cut off came after the other': [
    {
      marks: [mark(2000, 'hit', 'delivery-1', 'cut'), mark(16_000, 'heal', 'delivery-1')],
      arrivals: [arrival(14_000, 'delivery-2'), arrival(17_000, 'delivery-1')],
    },
    'a copy came from delivery-1: cut',
  ],
  'the servers that keep the outcome were down': [
    { marks: [mark(5100, 'hit', 'nats-1', 'all down')] },
    'its outcome could not be stored: all down',
  ],
  'the site dropped the connection by script': [
    { arrivals: [arrival(5000, 'delivery-1', { unanswered: true }), arrival(6000, 'delivery-1')] },
    'site-1.example took it and dropped the connection at the final dot',
  ],
  'the site dropped the connection by script and nobody counted it': [
    { arrivals: [arrival(5000, 'delivery-1', { unanswered: true }), arrival(6000, 'delivery-1')], possible: [] },
    null,
  ],
  'it was delivered, and then it bounced': [
    { marks: KILLED, arrivals: [TWICE[0] as Arrival, arrival(17_000, 'delivery-2', { kind: 'bounce', queueId: 'B' })] },
    FROM_1,
  ],
  'it was stored twice under two ids': [
    {
      marks: KILLED,
      arrivals: [TWICE[0] as Arrival, arrival(17_000, 'delivery-2', { queueId: 'other' })],
      possible: [],
    },
    null,
  ],
}
for (const [name, [given, expected]] of Object.entries(DUPLICATES)) {
  test(`a duplicate is ${expected === null ? 'not ' : ''}explained when ${name}`, () => {
    const found = why({ arrivals: TWICE, possible: COUNTED, ...given })
    assert.deepEqual(
      found.filter(([is]) => is === 'duplicate'),
      [['duplicate', expected]],
    )
  })
}

const ONCE = [arrival(17_000, 'delivery-2')]
const lost = (at: number) => [possible(at, { because: 'lost' })]
const LOST = 'the connection of the first try was lost after the final dot'
const NEAR_MISSES: Record<string, [Partial<ToExplain>, string | null]> = {
  'an owner was killed before': [{ marks: KILLED }, 'a former owner may have begun it: kill'],
  'an owner is killed afterwards': [{ marks: [mark(30_000, 'hit', 'delivery-1')] }, null],
  'all servers were down before': [{ marks: [mark(1000, 'hit', 'nats-1')] }, 'a former owner may have begun it: kill'],
  'an edge was hit': [{ marks: [mark(1000, 'hit', 'edge-1')] }, null],
  'the clock of the node that counted it is wrong, and an owner was hit': [
    { marks: KILLED, possible: [possible(-864_000_000)] },
    'a former owner may have begun it: kill',
  ],
  'the link of the node was cut': [
    { marks: [mark(5000, 'hit', 'delivery-2', 'cut'), mark(9000, 'heal', 'delivery-2')], possible: lost(10_000) },
    `${LOST}: cut`,
  ],
  'the link of another node was cut': [{ marks: KILLED, possible: lost(10_000) }, null],
  'the link was cut and healed long before': [
    { marks: [mark(1000, 'hit', 'delivery-2'), mark(2000, 'heal', 'delivery-2')], possible: lost(10_000) },
    null,
  ],
  'the site hung at the dot': [
    { marks: [mark(5000, 'hit', 'site-1.example', 'hangs')], possible: lost(10_000) },
    `${LOST}: hangs`,
  ],
  'another site hung at the dot': [{ marks: [mark(5000, 'hit', 'site-2.example')], possible: lost(10_000) }, null],
}
for (const [name, [given, expected]] of Object.entries(NEAR_MISSES)) {
  test(`a near miss is ${expected === null ? 'not ' : ''}explained when ${name}`, () => {
    assert.deepEqual(why({ arrivals: ONCE, possible: COUNTED, ...given }), [['near miss', expected]])
  })
}

test('a duplicate and its count are one line, further copies need a reason and other counts a line of their own', () => {
  const given = { arrivals: [...TWICE, arrival(30_000, 'delivery-2')], marks: KILLED }
  assert.deepEqual(why({ ...given, possible: [...COUNTED, possible(29_000), possible(29_000, { id: 'P' })] }), [
    ['duplicate', FROM_1],
    ['duplicate', null],
    ['near miss', 'a former owner may have begun it: kill'],
  ])
})

test('what a client sent again may arrive as often as it was sent', () => {
  const attempts = [attempt({ told: 'unknown', code: 0 }), attempt({ queueId: 'other' })]
  assert.deepEqual(why({ attempts, arrivals: [arrival(5000, 'delivery-1'), arrival(5001, 'delivery-1', { queueId: 'other' })] }), []) // prettier-ignore
  assert.deepEqual(why({ attempts, arrivals: TWICE, marks: KILLED, possible: COUNTED }), [['duplicate', FROM_1]])
})

test('a bounce that may have gone out twice is named by whom it reports', () => {
  const bounce = arrival(17_000, 'delivery-2', { kind: 'bounce', queueId: 'B' })
  const found = explain({
    attempts: [attempt()],
    arrivals: [bounce],
    marks: KILLED,
    possible: [possible(16_000, { id: 'B' })],
    timeOrigin: ORIGIN,
  })
  assert.deepEqual(
    found.map(({ recipient, is }) => [recipient, is]),
    [[R, 'near miss']],
  )
})
