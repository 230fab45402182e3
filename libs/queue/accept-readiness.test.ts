import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AcceptReadiness, type PartitionFacts, type ReadinessFacts } from './accept-readiness.ts'

const WELL: PartitionFacts = { leader: true, suspect: false, full: false, used: 0.1 }
const LEADERLESS = { ...WELL, leader: false }
const FULL = { ...WELL, full: true, used: 0.81 }
const SILENT = { ...WELL, suspect: true }

function facts(partitions: readonly PartitionFacts[], more: Partial<ReadinessFacts> = {}): ReadinessFacts {
  return { partitions, disconnected: undefined, heldBytes: 0, maxHeldBytes: 100, ...more }
}

describe('readiness of the accept queue', () => {
  const table: readonly [string, ReadinessFacts, string | undefined][] = [
    ['all well', facts([WELL, WELL]), undefined],
    ['one partition is enough', facts([LEADERLESS, FULL, SILENT, WELL]), undefined],
    ['no leader', facts([LEADERLESS, LEADERLESS]), 'unavailable: no partition has a leader'],
    ['full', facts([FULL, FULL]), 'full: queue 81 % full'],
    ['full where there is a leader', facts([FULL, LEADERLESS]), 'full: queue 81 % full'],
    ['silent', facts([SILENT, SILENT]), 'unavailable: no partition answers'],
    ['not connected', facts([WELL], { disconnected: 'no server answers' }), 'unavailable: no server answers'],
    ['memory', facts([WELL], { heldBytes: 95 * 1048576, maxHeldBytes: 1e8 }), 'unavailable: 95 MiB wait for the queue'],
  ]
  for (const [what, given, expected] of table) {
    it(`says "${expected ?? 'ready'}": ${what}`, () => {
      const not = new AcceptReadiness().update(given, 0)
      assert.equal(not && `${not.why}: ${not.reason}`, expected)
    })
  }

  it('is not ready at once and ready again only after a second without trouble', () => {
    const readiness = new AcceptReadiness()
    const states = [
      [0, WELL],
      [100, LEADERLESS],
      [200, WELL],
      [900, LEADERLESS],
      [1000, WELL],
      [1900, WELL],
      [2000, WELL],
    ] as const
    assert.deepEqual(
      states.map(([at, partition]) => readiness.update(facts([partition]), at) === undefined),
      [true, false, false, false, false, false, true],
    )
  })
})
