/**
 * Each rule of the design switched off breaks a promise. First the seed that is known to show it, then others: the known one
 * moves when the machine or the simulator changes (`npm run -s simulate -- --rule NAME=off` finds the next).
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulateMany } from './many-seeds.ts'
import { simulate, SIMULATION_RULES, type SimulationRules } from './simulation.ts'

const MOST_SEEDS = 20_000

const SHOWN_BY: Readonly<Record<keyof SimulationRules, number>> = {
  fencedEntries: 1271,
  fencedDot: 5,
  outcomeCap: 6,
  margin: 436,
  readToOwnLease: 3,
  r: 1,
  deleteBelowR: 1,
  bodyRule: 2,
  tasksByIndex: 13,
  firstSending: 2920,
  rememberedIds: 526,
  suspects: 5,
  mayBegin: 484,
  sweepsOld: 2,
  sweepsAfterReading: 1503,
  sweepsUnknown: 56,
  tellsBeforeDelete: 131,
  everyTryRefused: 423,
}

test('the table names every rule', () => {
  assert.deepEqual(Object.keys(SHOWN_BY).toSorted(), Object.keys(SIMULATION_RULES).toSorted())
})

for (const [rule, known] of Object.entries(SHOWN_BY)) {
  test(`without the rule ${rule} a promise is broken`, async (t) => {
    const rules = { [rule]: false }
    const shown = simulate(known, rules).broken
    const [first] =
      shown === undefined
        ? (await simulateMany({ from: 1, seeds: MOST_SEEDS, rules, untilBroken: true })).broken
        : [{ seed: known, ...shown }]
    assert.ok(first !== undefined, `${MOST_SEEDS} seeds do not notice that it is off`)
    t.diagnostic(`seed ${first.seed}: ${first.text}`)
    assert.equal(simulate(first.seed).broken, undefined, `seed ${first.seed} is broken with the rule on as well`)
  })
}
