import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Activities } from './activities.ts'

test('a stop hands out no more and waits for those under way', async () => {
  const activities = new Activities()
  const first = activities.begin('smtp session')
  const second = activities.begin('smtp session')
  const third = activities.begin('attempt')
  assert.ok(first && second && third)
  assert.deepEqual(activities.counts(), { 'smtp session': 2, attempt: 1 })
  activities.stop()
  assert.equal(activities.begin('smtp session'), undefined)
  let idle = false
  const waited = activities.idle().then(() => (idle = true))
  first.end()
  first.end()
  third.end()
  await Promise.resolve()
  assert.equal(idle, false)
  assert.deepEqual(activities.counts(), { 'smtp session': 1 })
  second.end()
  await waited
  assert.equal(activities.size, 0)
})

test('an activity ends with the block that uses it, also when that throws', () => {
  const activities = new Activities()
  assert.throws(() => {
    using activity = activities.begin('attempt')
    assert.equal(activity?.name, 'attempt')
    throw new Error('lost')
  })
  assert.equal(activities.size, 0)
})

test('nothing under way is idle at once', async () => {
  await new Activities().idle()
})
