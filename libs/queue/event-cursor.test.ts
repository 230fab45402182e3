import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { eventSamples } from '@posthouse/core/golden/event-samples'
import { cursorsWithin, decodeCursor, encodeCursor } from './event-cursor.ts'
import type { EventBatch, EventCursor } from './event-feed.ts'

const sequences = fc.array(fc.nat({ max: Number.MAX_SAFE_INTEGER }), { maxLength: 70 })

test('a cursor reads as it was written, and is one word', () => {
  fc.assert(
    fc.property(sequences, (cursor) => {
      const text = encodeCursor(cursor)
      assert.match(text, /^[a-z0-9.]+$/)
      assert.deepEqual(decodeCursor(text), { is: 'cursor', cursor })
    }),
  )
})

test('the start is a cursor of no partition, and a hole is none read', () => {
  assert.equal(encodeCursor([]), 'v1')
  const cursor: number[] = []
  cursor[2] = 7
  assert.equal(encodeCursor(cursor), 'v1.0.0.7')
})

const wrong: readonly [text: string, why: RegExp][] = [
  ['', /^no cursor: one begins with v1$/],
  ['now', /^no cursor/],
  ['1042', /^no cursor/],
  ['v2.1.2', /^a cursor of version 2, this is version 1$/],
  ['v1.', /sequence of partition 0 is no number$/],
  ['v1.4.x', /sequence of partition 1 is no number$/],
  ['v1.4.-1', /sequence of partition 1 is no number$/],
  ['v1.4.1e3', /sequence of partition 1 is no number$/],
  ['v1.9007199254740992', /sequence of partition 0 is no number$/],
  ['v1' + '.1'.repeat(5000), /^a cursor of too many partitions$/],
]

for (const [text, why] of wrong) {
  test(`${JSON.stringify(text.slice(0, 30))} is refused as a cursor`, () => {
    const read = decodeCursor(text)
    assert.match(read.is === 'wrong' ? read.why : '', why)
  })
}

function batch(events: readonly (readonly [partition: number, sequence: number])[], cursor: EventCursor): EventBatch {
  return { events: events.map(([partition, sequence]) => ({ ...eventSamples.delivered, partition, sequence })), cursor }
}

test('within a batch the cursor stays before an entry until its last event', () => {
  const three = batch(
    [
      [0, 5],
      [0, 5],
      [0, 7],
    ],
    [9],
  )
  assert.deepEqual(cursorsWithin(three, [2]), [[4], [6], [9]])
})

test('a partition does not wait for another', () => {
  const mixed = batch(
    [
      [0, 5],
      [1, 8],
      [0, 6],
    ],
    [6, 8],
  )
  assert.deepEqual(cursorsWithin(mixed, [1]), [
    [5, 7],
    [5, 8],
    [6, 8],
  ])
})

test('wherever one leaves off, no event that comes after is skipped, and nothing before the batch is repeated', () => {
  const places = fc.array(fc.tuple(fc.nat({ max: 2 }), fc.integer({ min: 11, max: 20 })), { maxLength: 12 })
  fc.assert(
    fc.property(places, (events) => {
      const cursors = cursorsWithin(batch(events, [20, 20, 20]), [10, 10, 10])
      assert.equal(cursors.length, events.length)
      for (const [i, cursor] of cursors.entries()) {
        for (const [partition, sequence] of events.slice(i + 1)) assert.ok((cursor[partition] ?? 0) < sequence)
        assert.ok(cursor.every((sequence) => sequence >= 10))
      }
      if (events.length > 0) assert.deepEqual(cursors.at(-1), [20, 20, 20])
    }),
  )
})
