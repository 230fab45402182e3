/** The event feed and the questions to admin nodes on three real servers, each process with a NATS user of its own. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, test } from 'node:test'
import { jetstreamManager } from '@nats-io/jetstream'
import { NatsCluster } from '@posthouse/testkit/nats-cluster'
import { connect } from 'nats'
import { connectAcceptQueue } from './accept-queue.ts'
import { connectAdminQueue } from './admin-queue.ts'
import { connectDeliverQueue } from './deliver-queue.ts'
import { acceptedMail, eventsContract } from './events.contract.ts'
import { makeStreams } from './jetstream/jetstream-store.ts'
import { permissionsOf, queueUsers, type QueueUser } from './jetstream/permissions.ts'
import { connectEventFeed } from './log-event-feed.ts'
import { SILENT } from './log.ts'
import { accept, DELIVERED, RecordingEngine } from './queue.contract.ts'
import { connectQueueView } from './queue-view.ts'
import { leftInStreams } from './test/streams-left.ts'
import { askTrace } from './admin-client.ts'

const PARTITIONS = 2
const closing: (() => Promise<void>)[] = []
after(async () => {
  for (const close of closing.toReversed()) await close()
})

const passwordOf = (user: QueueUser) => `of ${user}`

let opened: Promise<NatsCluster> | undefined
const site = () => (opened ??= open())

async function open(): Promise<NatsCluster> {
  const users = queueUsers.map((user) => ({ user, password: passwordOf(user), ...permissionsOf(user) }))
  const cluster = await NatsCluster.start({ servers: 3, users })
  closing.push(() => cluster.stop())
  await makeStreams({ ...options(cluster, 'delivery'), name: 'first' })
  return cluster
}

function options({ servers }: NatsCluster, user: QueueUser) {
  const access = { servers, user, password: passwordOf(user), name: user, log: SILENT }
  return { ...access, partitions: PARTITIONS, replicas: 3, holdRemovedMs: 0 }
}

eventsContract('JetStream, three servers', async () => {
  const cluster = await site()
  const connection = await connect({ servers: [...cluster.servers], user: cluster.user, pass: cluster.password })
  const manager = await jetstreamManager(connection)
  const ends: (() => Promise<void>)[] = [() => connection.close()]
  return {
    edge: async () => {
      const edge = await connectAcceptQueue(options(cluster, 'edge'))
      ends.push(() => edge.close())
      return edge
    },
    node: async (name, more) => {
      const node = await connectDeliverQueue({ ...options(cluster, 'delivery'), ...more, name })
      ends.push(() => node.stop(5_000))
      return node
    },
    feed: async () => {
      const feed = await connectEventFeed(options(cluster, 'cli'))
      ends.push(() => feed.close())
      return feed
    },
    left: () => leftInStreams(manager, PARTITIONS),
    close: async () => {
      for (const end of ends.toReversed()) await end()
    },
  }
})

test('an admin node hears the owners, knows the others, and answers questions of the command line', async () => {
  const cluster = await site()
  const admins = await Promise.all(
    ['admin-b', 'admin-a'].map((name) => connectAdminQueue({ ...options(cluster, 'admin'), name })),
  )
  const node = await connectDeliverQueue({ ...options(cluster, 'delivery'), name: 'owner' })
  const engine = new RecordingEngine()
  await node.start(engine)
  const edge = await connectAcceptQueue(options(cluster, 'edge'))
  try {
    await assert.rejects(askTrace(options(cluster, 'cli'), { query: 'x', limit: 1 }), /no admin node answers/)
    assert.equal((await accept(edge, acceptedMail('known', 3))).is, 'stored')
    await engine.count(1)
    const [delivery] = engine.given
    assert.ok(delivery!.begin())
    delivery!.close([0], { how: 'deferred', facts: {}, due: Date.now() + 3_600_000, destination: 'b.example' })
    const [one] = admins
    // Something of other tests may wait as well.
    const sum = (of: 'later' | 'inFlight') => one!.figures().reduce((total, figures) => total + figures[of], 0)
    while (sum('later') < 1 || sum('inFlight') !== 2 || one!.admins().length !== 2)
      await new Promise((resolve) => setTimeout(resolve, 50))
    assert.deepEqual(one!.admins(), ['admin-a', 'admin-b'])
    const owned = one!.figures().find(({ inFlight }) => inFlight === 2)
    assert.equal(owned?.owner, 'owner')
    assert.equal(owned?.ready, 2)
    const age = Date.now() - (owned?.oldestAt ?? 0)
    assert.ok(age >= -1000 && age < 60_000, `the oldest is ${age} ms old`)
    assert.equal(owned?.destinations[0]?.destination, 'b.example')
    for (const [at, admin] of admins.entries())
      admin.answerTraces(({ query, limit }) =>
        Promise.resolve({ stories: [{ message: `${query}/${limit}`, events: [] }], more: false, node: `admin ${at}` }),
      )
    let answer
    // Both answer after a moment: a subscription takes its way through the servers.
    while (answer === undefined)
      answer = await askTrace(options(cluster, 'cli'), { query: 'known', limit: 5 }).catch(() => undefined)
    assert.deepEqual(answer.stories, [{ message: 'known/5', events: [] }])
    while (one!.view().streams.filter(({ leader }) => leader !== undefined).length < 3 * PARTITIONS)
      await new Promise((resolve) => setTimeout(resolve, 50))
    delivery!.close([1, 2], DELIVERED)
  } finally {
    await edge.close()
    await node.stop(5_000)
    for (const admin of admins) await admin.close()
  }
})

test('a reader misses and repeats nothing while its NATS server is killed', async () => {
  const cluster = await site()
  const feed = await connectEventFeed(options(cluster, 'cli'))
  const node = await connectDeliverQueue({ ...options(cluster, 'delivery'), name: 'one' })
  const engine = new RecordingEngine()
  await node.start(engine)
  const edge = await connectAcceptQueue(options(cluster, 'edge'))
  const from = await feed.ends()
  const names = Array.from({ length: 90 }, (_, n) => `killed${n}`)
  const seen: string[] = []
  const enough = new AbortController()
  const reading = feed.read(from, { follow: true, signal: enough.signal }, ({ events }) => {
    for (const { message, type } of events) if (type === 'delivered') seen.push(message)
    if (names.every((one) => seen.includes(one))) enough.abort()
  })
  try {
    for (const [at, one] of names.entries()) {
      if (at === 30) await cluster.kill(0)
      if (at === 60) await cluster.start(0)
      let fate
      while (fate?.is !== 'stored') fate = await accept(edge, acceptedMail(one))
      await engine.count(at + 1)
      assert.ok(engine.given[at]!.begin())
      engine.given[at]!.close([0], DELIVERED)
    }
    await reading
    assert.deepEqual(seen.toSorted(), names.toSorted())
  } finally {
    enough.abort()
    await edge.close()
    await node.stop(5_000)
    await feed.close()
  }
})

// Last, as its mail stays.
test('the queue is counted although the last entry of a log is the word of an edge', async () => {
  const cluster = await site()
  const feed = await connectEventFeed(options(cluster, 'cli'))
  const from = await feed.ends()
  const edge = await connectAcceptQueue(options(cluster, 'edge'))
  const view = await connectQueueView(options(cluster, 'cli'))
  try {
    assert.equal((await accept(edge, acceptedMail('nobody-takes-it'))).is, 'stored')
    const told = new AbortController()
    await feed.read(from, { follow: true, signal: told.signal }, ({ events }) => {
      if (events.some(({ message }) => message === 'nobody-takes-it')) told.abort()
    })
    assert.equal((await view.show('nobody-takes-it'))[0]?.state, 'ready')
    assert.ok((await view.count()).ready >= 1)
  } finally {
    await view.close()
    await edge.close()
    await feed.close()
  }
})

test('no process lacked a subject', async () => {
  const { nodes } = await site()
  const logs = await Promise.all(nodes.map(({ logFile }) => readFile(logFile, 'utf8')))
  assert.deepEqual(
    logs.flatMap((log) => log.split('\n').filter((line) => /violation/i.test(line))),
    [],
  )
})
