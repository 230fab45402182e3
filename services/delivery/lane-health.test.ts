import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FIRST_CONNECTIONS, LaneHealth } from './lane-health.ts'
import { cutOff, unreachable, unroutable } from './no-connection.ts'

/** How long it is left alone after each of these, one after the other. */
function pauses(...whys: Parameters<LaneHealth['failed']>[0][]): number[] {
  const health = new LaneHealth()
  let now = 0
  return whys.map((why) => {
    health.failed(why, now)
    const since = now
    while (health.isBackingOff(now)) now += 1000
    return now - since
  })
}

test('a destination where nobody answers is left alone for longer each time', () => {
  const dead = unreachable('4.4.1', 'dead')
  assert.deepEqual(pauses(dead, dead, dead), [5000, 10_000, 20_000])
  assert.deepEqual(pauses(unroutable('5.1.2', 'no such domain')), [0])
})

test('that we are cut off makes a short pause, which never grows and is not held against the destination', () => {
  const [cut, dead] = [cutOff('no proxy'), unreachable('4.4.1', 'dead')]
  assert.deepEqual(pauses(cut, cut, cut, dead), [5000, 5000, 5000, 5000])
  assert.deepEqual(pauses(dead, cut, dead), [5000, 5000, 10_000])
  const health = new LaneHealth()
  health.worked()
  health.failed(cut, 0)
  assert.equal(health.failure(4999), cut)
  assert.equal(health.failure(5000), undefined)
  // It has taken mail before: it may have all its connections at once again.
  assert.equal(health.most(20, 5000), 20)
  health.failed(dead, 5000)
  assert.equal(health.most(20, 20_000), FIRST_CONNECTIONS)
})
