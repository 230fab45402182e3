// What the nodes of a cluster say of the queue, as each of them sees it: the figures that no test without a queue can feed.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { FakeMx } from '@posthouse/testkit/fake-mx'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { SmallCluster } from '../grafana/test/small-cluster.ts'
import { until } from './test/prometheus-server.ts'

const PARTITIONS = 6

test('edge and delivery node tell how the queue is for them', { timeout: 180_000 }, async (t) => {
  await using folder = await temporaryFolder('nodes')
  const mx = await FakeMx.start({})
  t.after(() => mx.close())
  const cluster = await SmallCluster.start(join(folder.path, 'cluster'), `127.0.0.1:${mx.port}`)
  t.after(() => cluster.stop())
  await cluster.send({ role: 'relay', from: 'app@example.org', to: ['a@example.net'] })
  await mx.until(({ messages }) => messages.length >= 1)
  const becomes = (node: string, expected: Readonly<Record<string, number>>): Promise<true> =>
    until(t.signal, async (see) => {
      const text = await (await fetch(cluster.facts.metrics[node] ?? '')).text()
      const found = Object.keys(expected).map((series) => {
        const line = text.split('\n').find((one) => one.startsWith(`${series} `))
        return [series, line === undefined ? undefined : Number(line.slice(series.length))] as const
      })
      see(found)
      return found.every(([series, value]) => value === expected[series]) || undefined
    })
  await becomes('edge-1', {
    posthouse_ready: 1,
    'posthouse_edge_partitions{state="usable"}': PARTITIONS,
    'posthouse_edge_partitions{state="leaderless"}': 0,
    posthouse_edge_queue_waiting_messages: 0,
    posthouse_edge_queue_waiting_bytes: 0,
    'posthouse_edge_messages_accepted_total{role="relay"}': 1,
    'posthouse_edge_queue_refused_total{why="full"}': 0,
    posthouse_edge_publish_seconds_count: 1,
  })
  await becomes('delivery-1', {
    posthouse_ready: 1,
    posthouse_delivery_partitions_owned: PARTITIONS,
    'posthouse_delivery_attempts_total{result="delivered"}': 1,
    'posthouse_delivery_replies_total{code="250"}': 1,
    posthouse_delivery_destinations_backed_off: 0,
    posthouse_delivery_accepted_to_delivered_seconds_count: 1,
  })
  const used = /^posthouse_edge_queue_used_ratio (\S+)$/m.exec(
    await (await fetch(cluster.facts.metrics['edge-1'] ?? '')).text(),
  )
  assert.ok(Number(used?.[1]) >= 0 && Number(used?.[1]) < 1, used?.[0])
})
