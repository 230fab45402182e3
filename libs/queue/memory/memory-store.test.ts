import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytes, CONTRACT_PARTITIONS, header, lease, storeContract } from '../store.contract.ts'
import { MemoryServer, type Fault } from './memory-server.ts'

storeContract('memory', async () => {
  const server = new MemoryServer({ partitions: CONTRACT_PARTITIONS })
  return { store: server.connect('a'), other: server.connect('b') }
})

test('a lost request is not stored, a lost answer hides what is', async () => {
  const server = new MemoryServer({ partitions: 1 })
  const store = server.connect()
  const faults: Fault[] = ['lost-request', 'lost-answer', { refuse: 'in-flight' }]
  server.fault = () => faults.shift() ?? 'none'
  assert.deepEqual(await store.appendMail(0, 'a', 1, bytes('a')), { is: 'unanswered' })
  assert.equal(server.partition(0).mail.count, 0)
  assert.deepEqual(await store.appendMail(0, 'a', 1, bytes('a')), { is: 'unanswered' })
  assert.equal(server.partition(0).mail.count, 1)
  assert.deepEqual(await store.appendMail(0, 'a', 1, bytes('a')), { is: 'refused', why: 'in-flight' })
  assert.deepEqual(await store.appendMail(0, 'a', 1, bytes('a')), { is: 'stored', seq: 1, duplicate: true })
})

test('ids are forgotten after the window, and at a restart when their message is gone', async () => {
  let now = 1_000_000
  const server = new MemoryServer({ partitions: 1, now: () => now })
  const store = server.connect()
  await store.appendMail(0, 'a', 1, bytes('a'))
  await store.appendMail(0, 'b', 1, bytes('b'))
  await store.purgeMail(0, 2)
  server.partition(0).mail.restart()
  assert.deepEqual(await store.appendMail(0, 'a', 1, bytes('a')), { is: 'stored', seq: 3, duplicate: false })
  assert.deepEqual(await store.appendMail(0, 'b', 1, bytes('b')), { is: 'stored', seq: 2, duplicate: true })
  now += 6 * 60_000 + 1
  assert.deepEqual(await store.appendMail(0, 'b', 1, bytes('b')), { is: 'stored', seq: 4, duplicate: false })
})

test('a full partition refuses mail and takes entries', async () => {
  const server = new MemoryServer({ partitions: 1, mailBytes: 100 })
  const store = server.connect()
  assert.equal((await store.appendMail(0, 'a', 1, Buffer.alloc(90))).is, 'stored')
  assert.deepEqual(await store.appendMail(0, 'b', 1, Buffer.alloc(90)), { is: 'refused', why: 'full' })
  assert.equal(store.state(0).used, 0.9)
  await store.writeLease(0, lease('l'), 0)
  assert.equal((await store.writeEntry(0, 'e', 'outcome', header(1), bytes(''))).is, 'stored')
})

test('a client that is cut off, or a partition without a leader, stores nothing', async () => {
  const server = new MemoryServer({ partitions: 1 })
  const store = server.connect('a')
  server.cut.add('a')
  assert.equal(store.disconnected(), 'no NATS server is connected')
  assert.equal((await store.appendMail(0, 'a', 1, bytes('a'))).is, 'refused')
  assert.deepEqual(await store.readMail(0, 1, 1000), { is: 'unanswered' })
  server.cut.clear()
  server.leaderless.add(0)
  assert.deepEqual(await store.appendMail(0, 'a', 1, bytes('a')), { is: 'refused', why: 'no-leader' })
  assert.equal(store.state(0).leader, false)
  assert.equal(server.partition(0).mail.count, 0)
})
