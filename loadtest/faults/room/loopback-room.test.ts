import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { openRoom } from '../open-room.ts'
import { isRunning } from './is-running.ts'
import { TestRoom } from './test-room.ts'

const started = await TestRoom.start({ edges: 2, deliveries: 1, edgeSettings: { 'limits.recipients': 123 } })
after(() => started[Symbol.asyncDispose]())
const { room } = started

test('mail goes through it by every door', async () => {
  for (const role of ['relay', 'submission', 'submissions'] as const) await started.pass(role)
})

test('its nodes are told apart by name and kind, and each says that it is ready', async () => {
  assert.deepEqual(
    room.nodes().map(({ name }) => name),
    ['nats-1', 'nats-2', 'nats-3', 'delivery-1', 'edge-1', 'edge-2'],
  )
  assert.equal(room.node('edge-2').kind, 'edge')
  assert.throws(() => room.node('edge-3'), /no node is called edge-3/)
  for (const node of room.nodes()) await node.ready()
})

test('settings of the caller stand over its own', () => {
  assert.match(readFileSync(`${room.dir}/edge-1.yaml`, 'utf8'), /recipients: 123/)
})

test('what is killed stays down until it is started', async () => {
  const edge = room.node('edge-1')
  const before = edge.pid
  assert.ok(before !== undefined && isRunning(before))
  await edge.kill()
  assert.equal(edge.running, false)
  assert.equal(isRunning(before), false)
  await assert.rejects(edge.ready(), /edge-1 does not run/)
  await started.pass()
  await room.start()
  assert.notEqual(edge.pid, before)
})

test('a stop in good order has status 0, and the log holds the life before too', async () => {
  const edge = room.node('edge-1')
  assert.equal(await edge.stop(), 0)
  assert.equal(readFileSync(edge.logFile, 'utf8').match(/"msg":"starting"/g)?.length, 2)
  await room.start()
})

test('a stop that takes too long says so', async () => {
  const edge = room.node('edge-2')
  edge.freeze()
  await assert.rejects(edge.stop(1), /edge-2 has not stopped in time/)
  edge.thaw()
  await edge.kill()
  await room.start()
})

test('a NATS server whose store was thrown away comes back', async () => {
  const server = room.node('nats-2')
  await server.kill()
  await server.disk?.wipe()
  await server.start()
  await server.ready()
  await started.pass()
})

test('a node that is added works, and its name is free again when it is removed', async () => {
  const delivery = await room.add('delivery')
  assert.equal(delivery.name, 'delivery-2')
  await room.remove(room.node('delivery-1'))
  await started.pass()
  assert.equal((await room.add('delivery')).name, 'delivery-1')
  await assert.rejects(room.remove(room.node('nats-1')), /nats-1 is no edge or delivery/)
})

test('what only namespaces can do is refused', async () => {
  await assert.rejects(room.links.cut('edge-1', 'nats-1'), /namespaces only/)
  await assert.rejects(room.powerCut(room.nodes('nats')), /no disk of its own/)
  await assert.rejects(room.node('edge-1').jumpClock(1000), /cannot be set/)
  assert.throws(() => room.delay(10), /delayable/)
  const options = { dir: room.dir, edges: 1, deliveries: 1, signal: AbortSignal.abort(), say: () => {} }
  await assert.rejects(openRoom({ ...options, diskMiB: 256 }), /diskMiB needs namespaces/)
})

test('nothing of it runs once it is closed', async () => {
  const pids = room.nodes().map(({ pid }) => pid)
  assert.ok(pids.length >= 6 && pids.every((pid) => pid !== undefined && isRunning(pid)))
  await started[Symbol.asyncDispose]()
  assert.deepEqual(
    pids.filter((pid) => pid !== undefined && isRunning(pid)),
    [],
  )
})
