import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Outbox } from './outbox.ts'
import type { Delivery, OutboxSettings } from './outbox.ts'

const LIMITS: OutboxSettings = {
  first: 1000,
  longest: 60_000,
  giveUpAfter: 3_600_000,
  requests: 3,
  eventsPerRequest: 4,
}
/** No chance: the wait as it is. */
const HALF = 0.5

/** Events by their names, "a1" being the first of message a. */
function outbox(names: string, limits: Partial<OutboxSettings> = {}): Outbox {
  const box = new Outbox({ ...LIMITS, ...limits })
  for (const name of names.split(' ')) box.add({ id: name, message: name.charAt(0), at: 0, body: '{}' })
  return box
}

const names = (delivery: Delivery | undefined): string => delivery?.events.map(({ id }) => id).join(' ') ?? ''
const trouble = { reason: 'status 500', refused: false }
const refusal = { reason: 'status 400', refused: true }

test('fresh messages go together, in their order, and a message is in one request only', () => {
  const box = outbox('a1 b1 a2 c1 d1 a3')
  const first = box.next(0)
  const second = box.next(0)
  assert.equal(names(first), 'a1 a2 a3 b1')
  assert.equal(names(second), 'c1 d1')
  box.add({ id: 'a4', message: 'a', at: 0, body: '{}' })
  assert.equal(box.next(0), undefined)
  box.delivered(first!)
  assert.equal(names(box.next(0)), 'a4')
  box.delivered(second!)
  assert.equal(box.size, 1)
})

test('there are so many requests at a time', () => {
  const box = outbox('a1 b1 c1 d1 e1', { eventsPerRequest: 1 })
  assert.deepEqual(
    [1, 2, 3, 4].map(() => names(box.next(0))),
    ['a1', 'b1', 'c1', ''],
  )
})

test('what one message lacks holds back its own later events, and not those of others', () => {
  const box = outbox('a1 b1')
  box.failed(box.next(0)!, refusal, 0, HALF)
  box.add({ id: 'a2', message: 'a', at: 0, body: '{}' })
  box.add({ id: 'c1', message: 'c', at: 0, body: '{}' })
  assert.equal(names(box.next(0)), 'c1')
  assert.equal(box.next(999), undefined)
  assert.equal(box.wakeAt(), 1000)
  const a = box.next(1000)!
  const b = box.next(1000)!
  assert.deepEqual([names(a), names(b)], ['a1 a2', 'b1'])
  box.failed(a, refusal, 1000, HALF)
  box.delivered(b)
  assert.equal(box.wakeAt(), 3000)
})

test('while the receiver is in trouble there is one request at a time, later and later, until one succeeds', () => {
  const box = outbox('a1 b1 c1', { eventsPerRequest: 1 })
  const [a, b] = [box.next(0)!, box.next(0)!]
  box.failed(a, trouble, 0, HALF)
  assert.equal(box.isFailing, true)
  assert.equal(box.next(500), undefined)
  box.failed(b, trouble, 500, HALF)
  // The second failure in a row: two seconds.
  assert.equal(box.next(2499), undefined)
  const again = box.next(2500)!
  assert.equal(names(again), 'a1')
  assert.equal(box.next(2500), undefined)
  box.delivered(again)
  assert.equal(box.isFailing, false)
  assert.deepEqual([names(box.next(2500)), names(box.next(2500))], ['b1', 'c1'])
})

test('a receiver that says when gets nothing before, but no later than the longest wait', () => {
  const box = outbox('a1')
  box.failed(box.next(0)!, { ...trouble, after: 20_000 }, 0, HALF)
  assert.equal(box.next(19_999), undefined)
  box.failed(box.next(20_000)!, { ...trouble, after: 999_999_999 }, 20_000, HALF)
  assert.equal(names(box.next(80_000)), 'a1')
})

test('an event that failed and is too old is given up, with the reason, and the next one of its message is fresh', () => {
  const box = outbox('a1')
  box.add({ id: 'a2', message: 'a', at: 10_000, body: '{}' })
  assert.deepEqual(box.giveUp(4_000_000), [], 'it was not tried yet')
  box.failed(box.next(3_600_000)!, refusal, 3_600_000, HALF)
  assert.deepEqual(
    box.giveUp(3_600_000).map(({ event, reason }) => [event.id, reason]),
    [['a1', 'status 400']],
  )
  assert.equal(names(box.next(3_600_000)), 'a2')
  assert.equal(box.size, 1)
})

test('what is gone is no trouble of the receiver, and leaves room', () => {
  const box = outbox('a1 b1 c1', { requests: 1, eventsPerRequest: 1 })
  assert.equal(box.hasRoom, false)
  box.gone(box.next(0)!)
  box.gone(box.next(0)!)
  assert.deepEqual([box.hasRoom, box.size, box.isFailing, names(box.next(0))], [true, 1, false, 'c1'])
})

test('the oldest event and the names of all are known', () => {
  const box = outbox('a1')
  box.add({ id: 'b1', message: 'b', at: -5, body: '{}' })
  box.next(0)
  assert.equal(box.oldestAt, -5)
  assert.deepEqual(
    [...box.events()].map(({ id }) => id),
    ['a1', 'b1'],
  )
  assert.equal(outbox('a1').inFlight, 0)
})
