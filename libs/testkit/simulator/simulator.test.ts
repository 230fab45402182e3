import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulateMany } from './many-seeds.ts'
import { REGRESSIONS } from './regressions.ts'
import { simulate } from './simulation.ts'

const SEEDS = 20_000

test('every promise is kept on 20 000 seeds', async (t) => {
  const sum = await simulateMany({ from: 1, seeds: SEEDS })
  t.diagnostic(
    `${sum.seeds} seeds, ${sum.recipients} recipients, ${sum.duplicates} delivered twice, ${sum.counted} counted`,
  )
  const [first] = sum.broken
  assert.equal(
    sum.broken.length,
    0,
    `${sum.broken.length} broken; npm run -s simulate -- --print ${first?.seed} tells the story of "${first?.text}"`,
  )
  assert.equal(sum.seeds, SEEDS)
})

test('a seed gives the same story each time', () => {
  const [one, two] = [simulate(7, {}, true), simulate(7, {}, true)]
  assert.ok(one.story.length > 100)
  assert.deepEqual(one, two)
})

for (const { seed, was } of REGRESSIONS) {
  test(`seed ${seed} is not broken again: ${was}`, () => {
    assert.equal(simulate(seed).broken, undefined)
  })
}
