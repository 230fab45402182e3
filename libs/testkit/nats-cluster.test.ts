import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { connect } from 'nats'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { NatsCluster } from './nats-cluster.ts'
import { temporaryFolder } from './temporary-folder.ts'

const login = (cluster: NatsCluster) => ({ servers: cluster.servers, user: cluster.user, pass: cluster.password })

test('three servers replicate a stream and keep it when one is killed', async (t) => {
  const cluster = await NatsCluster.start({ servers: 3 })
  t.after(() => cluster.stop())
  const client = await connect({ ...login(cluster), reconnectTimeWait: 50 })
  t.after(() => client.close())
  const manager = await jetstreamManager(client)
  await manager.streams.add({ name: 'T', subjects: ['t'], num_replicas: 3, storage: 'file' })
  assert.equal((await jetstream(client).publish('t', 'one')).seq, 1)

  await cluster.kill(2, 'SIGKILL')
  assert.equal(cluster.pids[2], undefined)
  await cluster.start(2)
  await cluster.ready()
  assert.equal(cluster.pids.filter((pid) => pid !== undefined).length, 3)
  // If the killed one led the stream, nobody answers until another is elected.
  const info = async () => (await manager.streams.info('T')).state.messages
  assert.equal(await info().catch(info).catch(info).catch(info), 1)
})

test('a single server keeps what is stored in a folder of the caller', async (t) => {
  await using folder = await temporaryFolder()
  const first = await NatsCluster.start({ servers: 1, dir: folder.path })
  t.after(() => first.stop())
  const client = await connect(login(first))
  await (await jetstreamManager(client)).streams.add({ name: 'T', subjects: ['t'], storage: 'file' })
  await jetstream(client).publish('t', 'one')
  await client.close()
  await first.stop()
  assert.ok(existsSync(folder.path))

  const second = await NatsCluster.start({ servers: 1, dir: folder.path })
  t.after(() => second.stop())
  const again = await connect(login(second))
  t.after(() => again.close())
  assert.equal((await (await jetstreamManager(again)).streams.info('T')).state.messages, 1)
})

test('nobody gets in without the password', async (t) => {
  const cluster = await NatsCluster.start({ servers: 1 })
  t.after(() => cluster.stop())
  await assert.rejects(connect({ servers: cluster.servers, user: cluster.user, pass: 'wrong', reconnect: false }))
})

test('stopping removes the temporary folder, also when a server hangs', async () => {
  const cluster = await NatsCluster.start({ servers: 1 })
  await cluster.kill(0, 'SIGSTOP')
  await cluster.stop()
  assert.equal(existsSync(dirname(dirname(cluster.nodes[0]?.configFile as string))), false)
  assert.deepEqual(cluster.pids, [undefined])
})

test('a port that is taken is named in the error', async (t) => {
  const cluster = await NatsCluster.start({ servers: 1 })
  t.after(() => cluster.stop())
  const ports = cluster.nodes.map((node) => node.ports)
  await assert.rejects(NatsCluster.start({ servers: 1, ports }), /nats-1 ended before it was ready[^]*already in use/)
})
