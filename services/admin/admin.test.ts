import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { accepted, event, queueId } from './test/events.ts'
import { FakeCluster, FakePort, figures } from './test/fake-port.ts'
import { testAdmin } from './test/test-admin.ts'

const NOW = { time: new Date().toISOString() }

/** The series whose names begin so. */
function some(series: ReadonlyMap<string, number>, ...prefixes: readonly string[]): Record<string, number> {
  return Object.fromEntries([...series].filter(([name]) => prefixes.some((prefix) => name.startsWith(prefix))))
}

test('the figures of the queue are told by partition, and what is not known is left out', async () => {
  await using node = await testAdmin()
  node.port.saysFigures = [
    figures(0, { ready: 7, inFlight: 2, later: 5, bytes: 999, oldestAt: Date.now() + 60_000, saidAgo: 1500 }),
    figures(1, { owner: undefined, ready: 3, saidAgo: undefined }),
  ]
  assert.deepEqual(some(await node.series(), 'posthouse_queue_'), {
    'posthouse_queue_owned{partition="0"}': 1,
    'posthouse_queue_owned{partition="1"}': 0,
    'posthouse_queue_ready_recipients{partition="0"}': 7,
    'posthouse_queue_ready_recipients{partition="1"}': 3,
    'posthouse_queue_in_flight_recipients{partition="0"}': 2,
    'posthouse_queue_in_flight_recipients{partition="1"}': 0,
    'posthouse_queue_later_recipients{partition="0"}': 5,
    'posthouse_queue_later_recipients{partition="1"}': 0,
    'posthouse_queue_bytes{partition="0"}': 999,
    'posthouse_queue_bytes{partition="1"}': 0,
    // The clock of the servers is ahead.
    'posthouse_queue_oldest_age_seconds{partition="0"}': 0,
    'posthouse_queue_words_age_seconds{partition="0"}': 1.5,
  })
})

test('the largest destinations of all partitions are told, twenty of them, with their ages', async () => {
  await using node = await testAdmin()
  const hour = Date.now() - 3_600_000
  node.port.saysFigures = [0, 1].map((partition) =>
    figures(partition, {
      destinations: [
        { destination: 'both.example', later: 100, oldestAt: hour - partition * 3_600_000 },
        ...Array.from({ length: 30 }, (_, n) => ({
          destination: `d${partition}-${n}.example`,
          later: 60 - n,
          oldestAt: hour,
        })),
      ],
    }),
  )
  const series = await node.series()
  const later = some(series, 'posthouse_queue_destination_later')
  const ages = some(series, 'posthouse_queue_destination_oldest')
  assert.equal(Object.keys(later).length, 20)
  assert.equal(later['posthouse_queue_destination_later_recipients{destination="both.example"}'], 200)
  assert.equal(later['posthouse_queue_destination_later_recipients{destination="d1-8.example"}'], 52)
  const age = ages['posthouse_queue_destination_oldest_age_seconds{destination="both.example"}'] ?? 0
  assert.ok(age >= 7200 && age < 7300)
  const names = (of: object): string[] =>
    Object.keys(of)
      .map((name) => name.replace(/.*destination=/, ''))
      .sort()
  assert.deepEqual(names(ages), names(later))
})

test('streams, servers and storage are told as they are seen', async () => {
  await using node = await testAdmin({}, new FakePort({ partitions: 1 }))
  const { port } = node
  const { streams, servers } = port.saysView
  port.saysView = {
    ...port.saysView,
    ago: 3000,
    streams: streams.map((stream) =>
      stream.kind === 'mail' ? { ...stream, leader: undefined, behind: 2, lag: 40 } : stream,
    ),
    servers: servers.map((server, n) => ({ ...server, online: n === 0 })),
    storage: { used: 70, limit: 100 },
  }
  const told = some(await node.series(), 'posthouse_nats_')
  for (const [name, value] of Object.entries({
    'posthouse_nats_stream_leader{kind="mail",partition="0"}': 0,
    'posthouse_nats_stream_leader{kind="log",partition="0"}': 1,
    'posthouse_nats_stream_replicas{kind="body",partition="0"}': 3,
    'posthouse_nats_stream_replicas_behind{kind="mail",partition="0"}': 2,
    'posthouse_nats_stream_lag_operations{kind="mail",partition="0"}': 40,
    'posthouse_nats_stream_messages{kind="log",partition="0"}': 10,
    'posthouse_nats_stream_bytes{kind="log",partition="0"}': 1000,
    'posthouse_nats_stream_max_bytes{kind="log",partition="0"}': 100_000,
    'posthouse_nats_server_online{server="nats-1"}': 1,
    'posthouse_nats_server_online{server="nats-2"}': 0,
    'posthouse_nats_server_leads{server="nats-1"}': 3,
    posthouse_nats_storage_used_bytes: 70,
    posthouse_nats_storage_limit_bytes: 100,
    posthouse_nats_view_age_seconds: 3,
    posthouse_nats_connected: 1,
  }))
    assert.equal(told[name], value, name)
  assert.equal(Object.keys(told).length, 3 * 7 + 2 * 2 + 4)
})

test('one of several nodes exports what is of the cluster, and the others have no such series', async () => {
  const cluster = new FakeCluster()
  await using first = await testAdmin({}, new FakePort({ name: 'admin-1', cluster }))
  await using second = await testAdmin({}, new FakePort({ name: 'admin-2', cluster }))
  const ofCluster = async (node: typeof first): Promise<number> => {
    const series = await node.series()
    return Object.keys(some(series, 'posthouse_queue_', 'posthouse_nats_')).length
  }
  const exporting = async (node: typeof first): Promise<number | undefined> =>
    (await node.series()).get('posthouse_admin_exports')
  assert.deepEqual([await exporting(first), await exporting(second)], [1, 0])
  assert.ok((await ofCluster(first)) > 40)
  assert.deepEqual(Object.keys(some(await second.series(), 'posthouse_queue_', 'posthouse_nats_')), [
    'posthouse_nats_connected',
  ])
  // Cut off: the other one hears it no more, and it knows nothing new itself.
  first.port.saysView = { ...first.port.saysView, disconnected: 'no server answers' }
  first.port.lives = false
  assert.deepEqual([await exporting(first), await exporting(second)], [0, 1])
  assert.equal(await ofCluster(first), 1)
  assert.equal((await first.series()).get('posthouse_nats_connected'), 0)
  assert.ok((await ofCluster(second)) > 40)
})

test('events are indexed, counted and told as stories, and the lag is known', async () => {
  await using node = await testAdmin()
  const { port } = node
  const [a, b] = [queueId(1), queueId(2)]
  port.feed.append(
    accepted(1, a, NOW),
    event(2, a, { ...NOW, type: 'deferred' }),
    accepted(1, b, { ...NOW, partition: 1 }),
  )
  port.feed.append(accepted(3, a, { ...NOW, id: accepted(1, a).id }), event(4, a, NOW))
  await node.until(async () => (await node.series()).get('posthouse_admin_index_lag_entries') === 0)
  await node.until(() => node.admin.index.lastEvent === 4)
  const answer = await port.answer?.({ query: 'bob@example.com', limit: 10 })
  assert.deepEqual(
    answer?.stories.find(({ message }) => message === a)?.events.map(({ type }) => type),
    ['accepted', 'deferred', 'delivered'],
  )
  assert.deepEqual([answer?.stories.length, answer?.more, answer?.node], [2, false, 'admin-1'])
  assert.equal(typeof answer?.lagMs, 'number')
  assert.deepEqual((await port.answer?.({ query: 'nobody@example.com', limit: 10 }))?.stories, [])
  const series = await node.series()
  for (const [name, value] of Object.entries({
    'posthouse_admin_events_total{type="accepted"}': 2,
    'posthouse_admin_events_total{type="deferred"}': 1,
    'posthouse_admin_events_total{type="bounced"}': 0,
    posthouse_admin_events_repeated_total: 1,
    posthouse_admin_index_messages: 2,
    posthouse_admin_index_lag_seconds: 0,
    'posthouse_admin_traces_total{result="found"}': 1,
    'posthouse_admin_traces_total{result="none"}': 1,
  }))
    assert.equal(series.get(name), value, name)
})

test('a gap is logged and counted, and what follows it is indexed', async () => {
  await using node = await testAdmin()
  node.port.feed.tellGap({ partition: 1, after: 5, first: 900 })
  node.port.feed.append(event(901, queueId(1), { ...NOW, partition: 1 }))
  await node.until(() => node.admin.index.lastEvent === 1)
  assert.equal((await node.series()).get('posthouse_admin_event_gaps_total'), 1)
  assert.ok(node.lines.some((line) => line.includes('"first":900') && line.includes('had been removed')))
})

test('it is ready once the queue is and the index has what there was', async () => {
  const port = new FakePort()
  port.ready = { why: 'unavailable', reason: 'no partition has a leader' }
  const gate = Promise.withResolvers<number[]>()
  port.feed.ends = () => gate.promise
  await using node = await testAdmin({}, port)
  assert.deepEqual(node.health.whyNot(), [
    { condition: 'queue', reason: 'no partition has a leader' },
    { condition: 'index', reason: 'the index of events is being built' },
  ])
  port.ready = undefined
  gate.resolve([7, 0])
  await node.until(() => node.health.whyNot().length === 1)
  assert.deepEqual(node.health.whyNot(), [
    { condition: 'index', reason: 'the index of events is being built: 7 entries are left' },
  ])
  port.feed.append(event(7, queueId(1), NOW))
  await node.until(() => node.health.isReady)
})

test('a node whose index is being built leaves questions to the others', async () => {
  const cluster = new FakeCluster()
  const port = new FakePort({ name: 'admin-1', cluster })
  const other = new FakePort({ name: 'admin-2', cluster })
  port.feed.append(event(3, queueId(1), NOW))
  const gate = Promise.withResolvers<number[]>()
  port.feed.ends = () => gate.promise
  await using node = await testAdmin({}, port)
  await node.until(() => node.admin.index.lastEvent === 1)
  assert.equal(port.answer, undefined)
  gate.resolve([3, 0])
  await node.until(() => port.answer !== undefined)
  assert.equal(other.answer, undefined)
})

test('a feed that fails is read again from the cursor, and the log says so', async () => {
  await using node = await testAdmin()
  const { feed } = node.port
  feed.append(event(1, queueId(1), NOW))
  await node.until(() => node.admin.index.lastEvent === 1)
  feed.failNext = new Error('the connection is lost')
  feed.append(event(2, queueId(2), NOW))
  await node.until(() => node.admin.index.lastEvent === 2)
  assert.deepEqual(feed.reads, [[], [1, 0]])
  assert.ok(node.lines.some((line) => line.includes('the connection is lost')))
})

test('a folder that another process has ends the start with a line that names the setting', async () => {
  await using folder = await temporaryFolder('admin')
  const data = { data: { folder: join(folder.path, 'data') } }
  await using _node = await testAdmin(data)
  await assert.rejects(testAdmin(data), { setting: 'data.folder', message: /events\.sqlite: another process has it/ })
})

test('a stop takes everything down', async () => {
  const node = await testAdmin()
  await node.until(() => node.port.answer !== undefined)
  await node.stop()
  assert.deepEqual([node.port.answer, node.port.closed], [undefined, true])
})
