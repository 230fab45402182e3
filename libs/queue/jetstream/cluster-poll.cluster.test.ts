/** What is seen of three real servers while one, and then another, is killed. */
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { NatsCluster } from '@posthouse/testkit/nats-cluster'
import type { ClusterView } from '../admin-port.ts'
import { SILENT } from '../log.ts'
import { ClusterPoll } from './cluster-poll.ts'
import { makeStreams } from './jetstream-store.ts'
import { Links } from './links.ts'

const PARTITIONS = 3
const LOOK_EVERY_MS = 100

const closing: (() => unknown)[] = []
after(async () => {
  for (const close of closing.reverse()) await close()
})

async function until(poll: ClusterPoll, holds: (view: ClusterView) => boolean): Promise<ClusterView> {
  for (;;) {
    const view = poll.view()
    if (holds(view)) return view
    await sleep(LOOK_EVERY_MS)
  }
}

const online = ({ servers }: ClusterView) => servers.filter((server) => server.online).map(({ name }) => name)
const allLed = ({ streams }: ClusterView) => streams.every(({ leader }) => leader !== undefined)

describe('the view of three NATS servers', { timeout: 240_000 }, () => {
  it('tells which are lost, what leads where, and when nothing does', async () => {
    const cluster = await NatsCluster.start()
    closing.push(() => cluster.stop())
    const { servers, user, password } = cluster
    const options = { servers, user, password, log: SILENT }
    await makeStreams({ ...options, name: 'maker', partitions: PARTITIONS, replicas: 3 })
    const links = await Links.open({ ...options, name: 'test' })
    closing.push(() => links.close())
    const poll = new ClusterPoll(links, PARTITIONS)
    closing.push(() => poll.stop())

    const well = await until(poll, (view) => allLed(view) && view.streams.every(({ behind }) => behind === 0))
    assert.deepEqual(online(well), ['nats-1', 'nats-2', 'nats-3'])
    assert.equal(
      well.servers.map(({ leads }) => leads).reduce((sum, leads) => sum + leads),
      PARTITIONS * 3,
    )
    assert.deepEqual(
      well.streams.map(({ name, kind, partition, replicas }) => [name, kind, partition, replicas]),
      [0, 1, 2].flatMap((partition) => [
        [`MAIL_${partition}`, 'mail', partition, 3],
        [`LOG_${partition}`, 'log', partition, 3],
        [`BODY_${partition}`, 'body', partition, 3],
      ]),
    )
    assert(well.streams.every(({ maxBytes }) => maxBytes > 0))

    await cluster.kill(0)
    const oneLost = await until(poll, (view) => allLed(view) && view.streams.every(({ behind }) => behind === 1))
    assert.deepEqual(online(oneLost), ['nats-2', 'nats-3'])
    assert.equal(oneLost.servers.find(({ name }) => name === 'nats-1')?.leads, 0)

    await cluster.kill(1)
    const twoLost = await until(
      poll,
      (view) => view.streams.every(({ leader }) => leader === undefined) && online(view).length === 1,
    )
    assert.deepEqual(online(twoLost), ['nats-3'])
    assert.deepEqual(
      twoLost.servers.map(({ name, leads }) => [name, leads]),
      [
        ['nats-1', 0],
        ['nats-2', 0],
        ['nats-3', 0],
      ],
    )

    await cluster.kill(2)
    const allLost = await until(poll, (view) => view.disconnected !== undefined)
    assert.deepEqual(online(allLost), [])
    assert.equal(allLost.streams.length, PARTITIONS * 3)

    for (const server of [0, 1, 2]) await cluster.start(server)
    await until(poll, (view) => allLed(view) && view.streams.every(({ behind }) => behind === 0))
  })
})
