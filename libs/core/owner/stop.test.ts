import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Owner } from './owner.ts'

const at = (ms: number) => ({ mono: ms, wall: ms })
const hasRoom = () => true

test('a node told to stop while it reads the log lets the partition go as soon as it has read', () => {
  let ids = 0
  const owner = new Owner({ partition: 1, node: 'n', name: 'delivery-1', newId: () => `${++ids}`, chance: () => 0.5 })
  let told: ReturnType<Owner['takeEffects']> = []
  const wake = (ms: number) => {
    owner.wake(at(ms), 0, hasRoom)
    told = owner.takeEffects()
  }
  wake(0)
  owner.leaseRead({ is: 'none' }, at(1))
  wake(2)
  const claim = told.find((effect) => effect.do === 'write-lease')
  assert.ok(claim)
  owner.leaseWritten(claim.lease.id, { is: 'stored', seq: 1, duplicate: false }, at(3))
  assert.equal(owner.phase, 'scanning')

  owner.stop(at(4))
  owner.logScanned(1, true, 5, at(5))
  assert.equal(owner.phase, 'releasing')
  wake(6)
  // The renewal that names the suspects of the takeover goes first.
  const renewal = told.find((effect) => effect.do === 'write-lease')
  assert.ok(renewal)
  owner.leaseWritten(renewal.lease.id, { is: 'stored', seq: 2, duplicate: false }, at(7))
  wake(8)
  assert.ok(told.some((effect) => effect.do === 'write-lease' && effect.lease.released))
})
