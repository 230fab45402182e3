import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { fakeClock } from './fake-clock.ts'
import { Clock, type Reading } from './fixtures/clock.ts'

const HOUR = 3_600_000
const skip = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1').length === 0 && 'needs libfaketime'

test('the wall clock of a running process jumps ahead and back, its monotonic clock does not', { skip }, async (t) => {
  await using folder = await temporaryFolder('clock')
  const fake = fakeClock(join(folder.path, 'clock'))
  const clock = new Clock(fake.env)
  t.after(() => clock.end())
  for (const ms of [0, HOUR, -HOUR, 1500.5, 0]) {
    await fake.jump(ms)
    assertAhead(await clock.read(), ms)
  }
})

test('the timers of a process do not see the jump', { skip }, async (t) => {
  await using folder = await temporaryFolder('clock')
  const fake = fakeClock(join(folder.path, 'clock'))
  const clock = new Clock(fake.env)
  t.after(() => clock.end())
  await clock.timer(HOUR, { await: false })
  await fake.jump(2 * HOUR)
  // What was due an hour before now does not fire, and what is set now fires.
  assert.equal((await clock.timer(20, { await: true })).fired, 1)
  const due = clock.timer(100, { await: true })
  await fake.jump(-HOUR)
  assert.equal((await due).fired, 2)
})

test('the clocks of two files are independent, and all processes of one go by it', { skip }, async (t) => {
  await using folder = await temporaryFolder('clock')
  const [one, other] = [fakeClock(join(folder.path, 'one')), fakeClock(join(folder.path, 'other'))]
  const clocks = [new Clock(one.env), new Clock(one.env), new Clock(other.env)]
  t.after(() => Promise.all(clocks.map((clock) => clock.end())))
  await Promise.all(clocks.map((clock) => clock.read()))
  await one.jump(HOUR)
  const [first, second, third] = (await Promise.all(clocks.map((clock) => clock.read()))) as [Reading, Reading, Reading]
  assertAhead(first, HOUR)
  assertAhead(second, HOUR)
  assertAhead(third, 0)
})

/** Processes on a busy machine answer late, but not by a minute. */
function assertAhead(reading: Reading, ms: number) {
  assert.ok(Math.abs(reading.wall - Date.now() - ms) < 60_000, `${reading.wall - Date.now()} ms ahead, not ${ms}`)
  assert.ok(reading.monotonic < 60_000, `the monotonic clock says ${reading.monotonic}`)
}
