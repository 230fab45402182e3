import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { Pace, type Clock } from './pace.ts'

/** A clock that stands until it is moved. */
class Hands implements Clock {
  #now = 0
  readonly #waiting = new Set<{ readonly at: number; readonly call: () => void }>()

  now(): number {
    return this.#now
  }

  wake(ms: number, call: () => void): () => void {
    const one = { at: this.#now + ms, call }
    this.#waiting.add(one)
    return () => this.#waiting.delete(one)
  }

  async move(to: number): Promise<void> {
    await setImmediate() // who is due now takes his turn
    for (;;) {
      const [next] = [...this.#waiting].toSorted((one, other) => one.at - other.at)
      if (next === undefined || next.at > to) break
      this.#now = next.at
      this.#waiting.delete(next)
      next.call()
      await setImmediate()
    }
    this.#now = to
    await setImmediate()
  }

  get calls(): number {
    return this.#waiting.size
  }
}

/** As many who wait for turns as asked, each again and again; the times of all turns. */
function takers(pace: Pace, clock: Clock, count: number): number[] {
  const times: number[] = []
  for (let one = 0; one < count; one++) {
    void (async () => {
      while (await pace.turn()) times.push(clock.now())
    })()
  }
  return times
}

test('turns come at the rate, the first at once', async () => {
  const clock = new Hands()
  const times = takers(new Pace(4, clock), clock, 3)
  await clock.move(1000)
  assert.deepEqual(times, [0, 250, 500, 750, 1000])
})

test('of what nobody could take a second is made up for and no more', async () => {
  const clock = new Hands()
  const pace = new Pace(10, clock)
  await clock.move(60_000)
  const times = takers(pace, clock, 50)
  await setImmediate()
  assert.deepEqual([times.length, new Set(times).size], [11, 1])
})

test('a new rate holds at once, and 0 pauses', async () => {
  const clock = new Hands()
  const pace = new Pace(0, clock)
  const times = takers(pace, clock, 2)
  await clock.move(5000)
  assert.deepEqual(times, [])
  pace.perSecond = 2
  await clock.move(6000)
  assert.deepEqual(times, [5000, 5500, 6000])
  pace.perSecond = 0
  await clock.move(9000)
  assert.equal(times.length, 3)
  assert.equal(clock.calls, 0)
  pace.perSecond = 1000
  await clock.move(9002)
  assert.deepEqual(times.slice(3), [9000, 9001, 9002])
})

test('when it is closed nobody gets a turn, neither who waits nor who comes later', async () => {
  const clock = new Hands()
  const pace = new Pace(0.001, clock)
  assert.equal(await pace.turn(), true)
  const waiting = pace.turn()
  pace.close()
  assert.deepEqual([await waiting, await pace.turn(), clock.calls], [false, false, 0])
})
