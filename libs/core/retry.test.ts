import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { nextAttempt, waitAfter } from './retry.ts'

const minute = 60_000
const hour = 60 * minute
const settings = { first: minute, longest: hour, lifetime: 5 * 24 * hour }

test('the wait doubles from the first to the longest', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 8, 9, 100, 1e9].map((attempts) => waitAfter(attempts, settings, 0.5) / minute)
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60])
})

test('chance moves the wait by a fifth at most, either way', () => {
  assert.equal(waitAfter(1, settings, 0), 48_000)
  assert.equal(waitAfter(1, settings, 1), 72_000)
})

test('the last attempt falls on the end of the lifetime, and after it there is none', () => {
  const rows: [age: number, expected: ReturnType<typeof nextAttempt>][] = [
    [0, { is: 'retry', after: hour }],
    [settings.lifetime - 10 * minute, { is: 'retry', after: 10 * minute }],
    [settings.lifetime - 10, { is: 'retry', after: 1000 }],
    [settings.lifetime, { is: 'expired' }],
    [settings.lifetime + hour, { is: 'expired' }],
  ]
  for (const [age, expected] of rows) assert.deepEqual(nextAttempt(20, age, settings, 0.5), expected)
})

test('whatever the numbers, a message either expires or is tried again within its lifetime and a second', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1e6 }),
      fc.integer({ min: 0, max: 2 * settings.lifetime }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (attempts, age, chance) => {
        const next = nextAttempt(attempts, age, settings, chance)
        if (next.is === 'expired') return age >= settings.lifetime
        return next.after >= 1000 && age + next.after <= settings.lifetime + 1000
      },
    ),
  )
})
