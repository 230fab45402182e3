import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EPOCH, MachineClock } from './machine-clock.ts'
import { Process } from './process.ts'
import { Random } from './random.ts'
import { Timeline } from './timeline.ts'

test('events happen in the order of their times, and in the order of planning at the same time', () => {
  const timeline = new Timeline()
  const random = new Random(3)
  const planned: { time: number; order: number }[] = []
  const seen: { time: number; order: number }[] = []
  for (let order = 0; order < 500; order++) {
    const event = { time: random.whole(0, 50), order }
    planned.push(event)
    timeline.at(event.time, () => seen.push(event))
  }
  timeline.runTo(50)
  assert.deepEqual(
    seen,
    planned.toSorted((a, b) => a.time - b.time || a.order - b.order),
  )
})

test('the monotonic clock drifts and stands still in a suspended machine, the wall clock is set', () => {
  const timeline = new Timeline()
  const clock = new MachineClock(timeline, 1.01, 500)
  timeline.runTo(1_000)
  assert.equal(Math.round(clock.mono), 1_510)
  clock.suspendedFor(400)
  assert.equal(Math.round(clock.mono), 1_106)
  clock.setWallError(-3_000)
  assert.equal(clock.wall, EPOCH - 2_000)
})

test('a frozen process handles what arrived when it goes on; a new incarnation never hears of it', () => {
  const process = new Process('node', new MachineClock(new Timeline(), 1, 0))
  const heard: string[] = []
  process.begin()
  process.freeze()
  process.run(1, () => heard.push('frozen'))
  assert.equal(heard.length, 0)
  process.thaw()
  assert.equal(heard.join(), 'frozen')
  process.freeze()
  process.run(1, () => heard.push('died with it'))
  process.die()
  process.begin()
  process.run(1, () => heard.push('for the one before'))
  process.run(2, () => heard.push('for the new one'))
  assert.equal(heard.join(), 'frozen,for the new one')
})
