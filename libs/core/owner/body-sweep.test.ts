import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodeBatch, encodeBatch } from '../batch-codec.ts'
import { BodySweep } from './body-sweep.ts'
import type { ListedBody, OwnerEffect, ReadBatch } from './effect.ts'
import { Holdings } from './holdings.ts'
import { NO_LEASE } from './lease-record.ts'
import { ALL_RULES, TIMES } from './rules.ts'

const AGE = 24_000
const at = (ms: number) => ({ mono: ms, wall: ms })

/** A partition whose servers' clocks say what the node's do. */
function setUp() {
  const effects: OwnerEffect[] = []
  const sweep = new BodySweep({
    rules: ALL_RULES,
    times: { ...TIMES, sweepAge: AGE },
    newId: () => 'mark',
    chance: () => 0.5,
    emit: (effect) => effects.push(effect),
  })
  const holdings = new Holdings(NO_LEASE, NO_LEASE.suspects, ALL_RULES)
  holdings.serverTime(0, at(0))
  let seq = 0
  return {
    sweep,
    holdings,
    sweepAt: (ms: number) => sweep.sweep(holdings, at(ms)),
    listedAt: (ms: number, ...bodies: ListedBody[]) => sweep.listed(holdings, bodies, at(ms)),
    reads: (storedAt: number, records: ReadBatch['records'] = []) =>
      holdings.mail({ seq: ++seq, storedAt, id: `b${seq}`, records, bytes: 1 }, at(storedAt)),
    effects: () => effects.splice(0),
  }
}
const body = (id: string, newestAt: number): ListedBody => ({ id, chunks: 2, bytes: 700, newestAt })
const purge = (id: string): OwnerEffect => ({ do: 'purge-body', body: id })

describe('the sweep of bodies', () => {
  it('looks soon after a takeover, and then from time to time', () => {
    const { sweepAt, listedAt, effects } = setUp()
    const looks: number[] = []
    for (let ms = 0; ms < 3_000; ms++) {
      sweepAt(ms)
      if (effects().length === 0) continue
      looks.push(ms)
      listedAt(ms)
    }
    assert.deepEqual(looks, [84, 1_084, 2_084])
  })

  it('takes what is old, when a batch stored that much later has been read', () => {
    const { sweep, sweepAt, listedAt, reads, effects } = setUp()
    listedAt(30_000, body('old', 1_000), body('young', 6_001))
    const [mark, ...others] = effects()
    assert.ok(mark?.do === 'mark-mail' && others.length === 0)
    reads(24_999)
    sweepAt(30_000)
    assert.deepEqual(effects(), [])
    reads(25_000)
    sweepAt(30_001)
    assert.deepEqual(effects(), [purge('old')])
    sweep.purged('old', true)
    assert.deepEqual(effects(), [{ do: 'swept', bodies: 1, bytes: 700 }])
  })

  it('needs no mark where mail comes', () => {
    const { sweepAt, listedAt, reads, effects } = setUp()
    reads(29_000)
    listedAt(30_000, body('old', 1_000))
    sweepAt(30_000)
    assert.deepEqual(effects(), [purge('old')])
  })

  it('spares what a record refers to, also one that is read last', () => {
    const { holdings, sweepAt, listedAt, reads, effects } = setUp()
    holdings.bodies.know('known', 1)
    listedAt(30_000, body('known', 1_000), body('late', 1_000))
    effects()
    holdings.bodies.know('late', 2)
    reads(29_000)
    sweepAt(30_000)
    assert.deepEqual(effects(), [])
  })

  it('counts only what is surely gone, and looks at the rest anew', () => {
    const { sweep, sweepAt, listedAt, reads, effects } = setUp()
    reads(29_000)
    listedAt(30_000, body('a', 1), body('b', 1))
    sweepAt(30_000)
    assert.deepEqual(effects(), [purge('a'), purge('b')])
    sweep.purged('a', false)
    sweep.purged('b', true)
    assert.deepEqual(effects(), [{ do: 'swept', bodies: 1, bytes: 700 }])
    listedAt(30_001, body('a', 1))
    sweepAt(30_001)
    assert.deepEqual(effects(), [purge('a')])
  })

  it('marks MAIL with a batch that any version reads and has nothing to do for', () => {
    const { listedAt, reads, effects, holdings } = setUp()
    listedAt(30_000, body('old', 1))
    const [mark] = effects()
    assert.ok(mark?.do === 'mark-mail')
    const batch = reads(30_000, decodeBatch(encodeBatch(mark.records)))
    assert.equal(batch.open, 0)
    assert.equal(holdings.window.floor, 2)
  })
})
