/** Replicas are added to streams that hold mail, and not taken away. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from 'nats'
import { NatsCluster } from '@posthouse/testkit/nats-cluster'
import { streamInfoOf } from '@posthouse/testkit/stream-info'
import { SILENT } from '../log.ts'
import { connectStore, type StoreOptions } from './jetstream-store.ts'

let cluster: NatsCluster
before(async () => {
  cluster = await NatsCluster.start({ servers: 3 })
})
after(() => cluster.stop())

async function open(as: 'edge' | 'delivery', replicas: number) {
  const { servers, user, password } = cluster
  const options: StoreOptions = { servers, user, password, name: as, as, partitions: 2, replicas, log: SILENT }
  return connectStore(options)
}

test('a delivery node adds replicas to a queue that holds mail; an edge takes it as it is; nobody takes any away', async (t) => {
  const one = await open('delivery', 1)
  t.after(() => one.close())
  assert.equal((await one.appendMail(0, 'kept', 1, Buffer.from('x'), 5000)).is, 'stored')

  const three = await open('delivery', 3)
  t.after(() => three.close())
  const nc = await connect({ servers: [...cluster.servers], user: cluster.user, pass: cluster.password })
  t.after(() => nc.close())
  const manager = await jetstreamManager(nc)
  for (const name of ['MAIL_0', 'LOG_0', 'BODY_0', 'MAIL_1', 'LOG_1', 'BODY_1']) {
    const { config, state } = await streamInfoOf(manager, name)
    assert.equal(config.num_replicas, 3, name)
    if (name === 'MAIL_0') assert.equal(state.messages, 1)
  }

  const edge = await open('edge', 1)
  t.after(() => edge.close())
  assert.equal((await edge.appendMail(0, 'more', 1, Buffer.from('y'), 5000)).is, 'stored')
  await assert.rejects(
    open('delivery', 1),
    /^Error: queue\.replicas: 1, but stream \w+ has 3: replicas are only added here/,
  )
})
