import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MailEvent } from '@posthouse/core/event'
import { accepted, event, NOON, queueId } from '../test/events.ts'
import { EventIndex } from '../index/event-index.ts'
import { Taker } from './taker.ts'

function index(events: readonly MailEvent[]): EventIndex {
  const made = new EventIndex({ file: undefined, keep: 1e12, room: 1e12, wall: () => NOON, onRebuilt: () => undefined })
  write(made, events)
  return made
}

function write(to: EventIndex, events: readonly MailEvent[]): void {
  for (const _part of to.write({ events, cursor: [] }));
}

function all(taker: Taker): string[] {
  const ids: string[] = []
  for (let more = true; more;) {
    const taken = taker.take()
    assert.equal(taken.missed, 0)
    ids.push(...taken.events.map(({ id }) => id))
    more = taken.more
  }
  return ids
}

const NOTHING = { cursor: [], wanted: [] }

test('takes what lies beyond the cursor of each partition, of the types that are asked for', () => {
  const events = [1, 2, 3].flatMap((n) => [
    event(n, queueId(n)),
    event(n, queueId(n), { type: 'bounced' }),
    event(n + 5, queueId(n + 5), { partition: 2 }),
  ])
  const taker = new Taker(index(events), ['delivered'], { cursor: [2, 0, 6], wanted: [] })
  assert.deepEqual(
    all(taker),
    [events[5], events[6], events[8]].map((one) => one?.id),
  )
  assert.deepEqual(taker.cursor, [3, 0, 8])
  assert.equal(taker.left, 0)
})

test('a cursor is never beyond an entry of which the rest has not been looked at', () => {
  // 128 messages of one entry, and so on: 200 rows end in the middle of the second.
  const events = [1, 2, 3].flatMap((entry) =>
    Array.from({ length: 128 }, (_, n) => accepted(entry, queueId(entry * 1000 + n))),
  )
  const made = index(events)
  const taker = new Taker(made, [], NOTHING)
  assert.equal(taker.take().events.length, 200)
  assert.deepEqual(taker.cursor, [1])
  assert.equal(new Set(all(new Taker(made, [], { cursor: taker.cursor, wanted: [] }))).size, 256)
  assert.equal(all(taker).length, 184)
  assert.deepEqual(taker.cursor, [3])
})

test('what is wanted from before the cursor is taken once it is there', () => {
  const [first, second, third] = [event(1, queueId(1)), event(2, queueId(2)), event(3, queueId(3))]
  const made = index([first])
  const taker = new Taker(made, [], {
    cursor: [2],
    wanted: [first, second].map(({ message, id }) => [message, id] as const),
  })
  assert.deepEqual(
    taker.takeWanted().map(({ id }) => id),
    [first.id],
  )
  assert.deepEqual(taker.wanted, [[second.message, second.id]])
  assert.deepEqual(all(taker), [])
  write(made, [second, third])
  assert.deepEqual(all(taker), [second.id, third.id])
  assert.deepEqual(taker.wanted, [])
})

test('what the index forgot before it was taken is counted', () => {
  let now = NOON
  const made = new EventIndex({
    file: undefined,
    keep: 60_000,
    room: 1e12,
    wall: () => now,
    onRebuilt: () => undefined,
  })
  write(made, [event(1, queueId(1))])
  const taker = new Taker(made, [], NOTHING)
  assert.equal(taker.take().events.length, 1)
  write(made, [event(2, queueId(2)), event(3, queueId(3)), event(600, queueId(4))])
  now = NOON + 600_000
  assert.equal(made.forget().removed, 3)
  assert.deepEqual(
    [taker.take()].map(({ missed, events }) => [missed, events.length]),
    [[2, 1]],
  )
})
