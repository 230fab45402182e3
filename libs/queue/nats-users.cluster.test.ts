/**
 * The queue on three servers that speak TLS only and know each kind of process as a user of its own, who may do what
 * permissions.ts says and no more: all that the contract promises holds there, and nothing that was not granted is asked for.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, describe, test } from 'node:test'
import { encodeBatch } from '@posthouse/core/batch-codec'
import { mailRecord } from '@posthouse/testkit/mail-record'
import { NatsCluster } from '@posthouse/testkit/nats-cluster'
import { streamInfoOf } from '@posthouse/testkit/stream-info'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { TlsAuthority } from '@posthouse/testkit/tls-authority'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from 'nats'
import { connectAcceptQueue } from './accept-queue.ts'
import { connectDeliverQueue } from './deliver-queue.ts'
import { connectExistingStore, connectStore, makeStreams } from './jetstream/jetstream-store.ts'
import type { NatsTls } from './jetstream/nats-tls.ts'
import { inboxPrefix, permissionsOf, queueUsers, type QueueUser } from './jetstream/permissions.ts'
import { SILENT, type QueueLog } from './log.ts'
import { accept, DELIVERED, mail, queueContract, RecordingEngine } from './queue.contract.ts'
import { connectQueueView } from './queue-view.ts'
import { leftInStreams } from './test/streams-left.ts'

const PARTITIONS = 2
const passwordOf = (user: QueueUser) => `secret of ${user}`

interface Site {
  readonly cluster: NatsCluster
  readonly tls: NatsTls
  /** May do everything. */
  readonly root: NatsConnection
}

const closing: (() => Promise<unknown>)[] = []
after(async () => {
  for (const close of closing.reverse()) await close()
})

let opened: Promise<Site> | undefined
const site = () => (opened ??= open())

async function open(): Promise<Site> {
  const folder = await temporaryFolder('nats-users')
  closing.push(() => folder.remove())
  const authority = await TlsAuthority.create(folder.path)
  const { certFile, keyFile } = await authority.issue(['127.0.0.1'])
  const client = await authority.issue(['posthouse'])
  const { caFile } = authority
  const cluster = await NatsCluster.start({
    servers: 3,
    tls: { caFile, certFile, keyFile, verifyClients: true },
    users: queueUsers.map((user) => ({ user, password: passwordOf(user), ...permissionsOf(user) })),
  })
  closing.push(() => cluster.stop())
  const tls = { caFile, client: { certFile: client.certFile, keyFile: client.keyFile } }
  const { servers, user, password } = cluster
  const root = await connect({
    servers: [...servers],
    user,
    pass: password,
    tls: dialling(tls),
  })
  closing.push(() => root.close())
  await makeStreams({ ...options({ cluster, tls, root }, 'delivery'), name: 'first' })
  return { cluster, tls, root }
}

/** As the library takes it; it cannot tell by itself what address it dialled. */
const dialling = ({ caFile, client }: NatsTls) => ({ caFile, ...client, host: '127.0.0.1' })

function options({ cluster, tls }: Site, user: QueueUser, log: QueueLog = SILENT) {
  const { servers } = cluster
  const common = { servers, tls, user, password: passwordOf(user), name: user, log }
  return { ...common, partitions: PARTITIONS, replicas: 3, holdRemovedMs: 0 }
}

/** What the servers refused, in their words. */
async function violations({ cluster }: Site): Promise<string[]> {
  const logs = await Promise.all(cluster.nodes.map(({ logFile }) => readFile(logFile, 'utf8')))
  return logs.flatMap((log) => log.split('\n').filter((line) => /violation/i.test(line)))
}

queueContract('TLS and a user for each service', async () => {
  const at = await site()
  const manager = await jetstreamManager(at.root)
  const ends: (() => Promise<void>)[] = []
  return {
    edge: async () => {
      const edge = await connectAcceptQueue(options(at, 'edge'))
      ends.push(() => edge.close())
      return edge
    },
    node: async (name, more) => {
      const node = await connectDeliverQueue({ ...options(at, 'delivery'), ...more, name })
      ends.push(() => node.stop(5_000))
      return node
    },
    left: () => leftInStreams(manager, PARTITIONS),
    close: async () => {
      for (const end of ends) await end()
    },
  }
})

test('a successor takes over from a node that died, and the command line sees what waits', async () => {
  const at = await site()
  const dying = await connectDeliverQueue({ ...options(at, 'delivery'), name: 'dying' })
  const engine = new RecordingEngine()
  await dying.start(engine)
  const edge = await connectAcceptQueue(options(at, 'edge'))
  for (const id of ['waits', 'open']) assert.equal((await accept(edge, mail(id))).is, 'stored')
  await engine.count(2)
  const [waits, open] = ['waits', 'open'].map((id) => engine.given.find(({ envelope }) => envelope.id === id)!)
  assert.ok(waits!.begin() && open!.begin())
  waits!.close([0], { how: 'deferred', facts: {}, due: Date.now() + 3_600_000, destination: 'b.example' })

  const view = await connectQueueView(options(at, 'cli'))
  const seen = async () => (await view.list(10)).map(({ envelope, state }) => `${envelope.id} ${state}`).sort()
  while ((await seen()).join() !== 'open ready,waits deferred');
  assert.deepEqual(
    (await view.show('waits')).map(({ open: positions }) => positions),
    [[0]],
  )
  assert.equal((await view.count()).later, 1)
  await view.close()

  await dying.stop(0) // nothing is released
  const heir = await connectDeliverQueue({ ...options(at, 'delivery'), name: 'heir' })
  const successor = new RecordingEngine()
  await heir.start(successor)
  await successor.count(1)
  assert.deepEqual([successor.given[0]?.envelope.id, successor.given[0]?.suspect], ['open', true])
  assert.ok(successor.given[0]!.begin())
  successor.given[0]!.close([0], DELIVERED)
  await edge.close()
  await heir.stop(5000)
})

test('a delivery node trims the log, and looks at what lies in the body stream', async () => {
  const at = await site()
  const store = await connectStore({ ...options(at, 'delivery'), as: 'delivery' })
  assert.equal((await store.trimLog(0, 1, 0)).is, 'trimmed')
  assert.equal((await store.listBodies(0, () => false)).is, 'bodies')
  await store.close()
})

test('a delivery node that holds removals back marks the body stream, and purges the body behind the mark', async () => {
  const at = await site()
  const edge = await connectStore({ ...options(at, 'edge'), as: 'edge' })
  const store = await connectStore({ ...options(at, 'delivery'), as: 'delivery', holdRemovedMs: 1 })
  assert.equal((await edge.putChunk(1, 'removed', 0, new Uint8Array(1000), 5000)).is, 'stored')
  assert.equal((await store.purgeBody(1, 'removed')).is, 'done')
  const left = await store.listBodies(1, () => false)
  assert.ok(left.is === 'bodies' && left.bodies.every(({ id }) => id !== 'removed'), JSON.stringify(left))
  await store.close()
  await edge.close()
})

test('in all this no server had to refuse anything, and it would have said so', async () => {
  const at = await site()
  assert.deepEqual(await violations(at), [])
  await refusals(at, 'edge', (nc) => nc.publish('log.0.lease'))
  while ((await violations(at)).length !== 1);
})

describe('what is not granted is refused', () => {
  const forbidden: readonly (readonly [QueueUser, string, string, object?])[] = [
    ['edge', 'purge mail', '$JS.API.STREAM.PURGE.MAIL_0', {}],
    ['edge', 'purge bodies', '$JS.API.STREAM.PURGE.BODY_0', {}],
    ['edge', 'purge the log', '$JS.API.STREAM.PURGE.LOG_0', {}],
    ['edge', 'delete mail', '$JS.API.STREAM.MSG.DELETE.MAIL_0', { seq: 1 }],
    ['edge', 'delete a stream', '$JS.API.STREAM.DELETE.MAIL_0'],
    ['edge', 'let mail expire', '$JS.API.STREAM.UPDATE.MAIL_0', { max_age: 1 }],
    ['edge', 'copy mail to a stream of its own', '$JS.API.STREAM.CREATE.COPY', { mirror: { name: 'MAIL_0' } }],
    ['edge', 'read mail', '$JS.API.DIRECT.GET.MAIL_0', { seq: 1 }],
    ['edge', 'read mail from its leader', '$JS.API.STREAM.MSG.GET.MAIL_0', { seq: 1 }],
    ['edge', 'read a body', '$JS.API.DIRECT.GET.BODY_0.body.0.x.0'],
    ['edge', 'read mail by a consumer', '$JS.API.CONSUMER.CREATE.MAIL_0.x', {}],
    ['edge', 'move a leader', '$JS.API.STREAM.LEADER.STEPDOWN.MAIL_0'],
    ['edge', 'take a lease', 'log.0.lease'],
    ['edge', 'close a task', 'log.0.outcome'],
    ['edge', 'pose as a delivery node', 'posthouse.heartbeat.delivery'],
    ['delivery', 'put mail in', 'mail.0.1'],
    ['delivery', 'put a body in', 'body.0.x.1'],
    ['delivery', 'delete a stream', '$JS.API.STREAM.DELETE.MAIL_0'],
    ['delivery', 'restore a stream', '$JS.API.STREAM.RESTORE.MAIL_0', {}],
    ['delivery', 'remove a server', '$JS.API.STREAM.PEER.REMOVE.MAIL_0', {}],
    ['delivery', 'pose as an edge', 'posthouse.use.edge'],
    ['cli', 'put mail in', 'mail.0.1'],
    ['cli', 'take a lease', 'log.0.lease'],
    ['cli', 'purge mail', '$JS.API.STREAM.PURGE.MAIL_0', {}],
    ['cli', 'delete mail', '$JS.API.STREAM.MSG.DELETE.MAIL_0', { seq: 1 }],
    ['cli', 'delete a waiting entry', '$JS.API.STREAM.MSG.DELETE.LOG_0', { seq: 1 }],
    ['cli', 'change a stream', '$JS.API.STREAM.UPDATE.MAIL_0', {}],
    ['cli', 'make a stream', '$JS.API.STREAM.CREATE.OTHER', {}],
    ['cli', 'move a leader', '$JS.API.STREAM.LEADER.STEPDOWN.MAIL_0'],
    ['cli', 'have a body purged', 'posthouse.abandoned.0'],
  ]
  for (const [user, what, subject, body] of forbidden) {
    test(`${user}: ${what}`, async () => {
      const at = await site()
      const refused = await refusals(at, user, (nc) =>
        nc.publish(subject, body === undefined ? '' : JSON.stringify(body)),
      )
      assert.deepEqual(refused, [`publish ${subject}`])
    })
  }
  const unheard: readonly (readonly [QueueUser, string, string])[] = [
    ['edge', 'mail', 'mail.>'],
    ['edge', 'bodies', 'body.>'],
    ['edge', 'entries of the log', 'log.*.later'],
    ['edge', 'answers to others', '_INBOX.>'],
    ['delivery', 'answers to an edge', `${inboxPrefix('edge')}.>`],
    ['cli', 'everything', '>'],
    ['cli', 'mail on its way', 'mail.>'],
    ['cli', 'answers to a delivery node', `${inboxPrefix('delivery')}.>`],
  ]
  for (const [user, what, subject] of unheard) {
    test(`${user}: to hear ${what}`, async () => {
      const at = await site()
      assert.deepEqual(await refusals(at, user, (nc) => nc.subscribe(subject, { callback: () => {} })), [
        `subscription ${subject}`,
      ])
    })
  }
})

/** The answer to a request is written by the server, who may do everything. */
describe('an answer sent elsewhere', () => {
  const requests: readonly (readonly [QueueUser, string, string, readonly string[]])[] = [
    ['cli', '$JS.API.DIRECT.GET.MAIL_0', '{"seq":1}', ['$JS.API.STREAM.PURGE.MAIL_0', 'mail.1.1', 'log.0.lease']],
    [
      'cli',
      '$JS.API.DIRECT.GET.MAIL_0',
      '{"seq":1,"batch":1}',
      ['$JS.API.STREAM.PURGE.MAIL_0', 'mail.1.1', 'log.0.lease'],
    ],
    ['cli', '$JS.API.STREAM.MSG.GET.MAIL_0', '{"seq":1}', ['$JS.API.STREAM.PURGE.MAIL_0', 'mail.1.1', 'log.0.lease']],
    ['cli', '$JS.API.INFO', '', ['$JS.API.STREAM.PURGE.MAIL_0', 'mail.1.1', 'log.0.lease']],
    [
      'edge',
      'mail.1.1',
      'x',
      ['$JS.API.STREAM.PURGE.MAIL_0', '$JS.API.STREAM.DELETE.MAIL_0', '$JS.API.STREAM.MSG.DELETE.MAIL_0'],
    ],
    ['edge', '$JS.API.STREAM.INFO.MAIL_0', '', ['$JS.API.STREAM.PURGE.MAIL_0', '$JS.API.STREAM.DELETE.MAIL_0']],
  ]
  for (const [user, subject, body, targets] of requests) {
    test(`of ${subject} ${body}, asked by the ${user}, neither removes nor forges anything`, async () => {
      const at = await site()
      const manager = await jetstreamManager(at.root)
      const state = async () => {
        const streams = await Promise.all(['MAIL_0', 'LOG_0'].map((name) => streamInfoOf(manager, name)))
        const mail = await streamInfoOf(manager, 'MAIL_1')
        const states = streams.map(({ state: { first_seq: first, last_seq: last } }) => `${first}-${last}`)
        return [...states, user === 'cli' ? mail.state.last_seq : undefined]
      }
      await jetstream(at.root).publish('mail.0.1', 'kept')
      const before = await state()
      const nc = await connectAs(at, user)
      for (const reply of targets) nc.publish(subject, body, { reply })
      // What is asked later is answered later.
      await nc.request('$JS.API.STREAM.INFO.MAIL_0')
      await nc.close()
      await jetstream(at.root).publish('body.0.x.0', 'x')
      assert.deepEqual(await state(), before)
    })
  }
})

async function connectAs(at: Site, user: QueueUser): Promise<NatsConnection> {
  return connect({
    servers: at.cluster.servers,
    user,
    pass: passwordOf(user),
    inboxPrefix: inboxPrefix(user),
    tls: dialling(at.tls),
  })
}

/** What the servers refuse of what is done, seen by a client of its own. */
async function refusals(at: Site, user: QueueUser, work: (nc: NatsConnection) => unknown): Promise<string[]> {
  const nc = await connectAs(at, user)
  const refused: string[] = []
  void (async () => {
    for await (const status of nc.status()) {
      if (status.type !== 'error') continue
      const { operation, subject } = status.error as Error & { operation?: string; subject?: string }
      refused.push(`${operation} ${subject}`)
    }
  })()
  work(nc)
  await nc.flush()
  await new Promise(setImmediate)
  await nc.close()
  return refused
}

describe('a process that lacks a permission', () => {
  test('does not start as the wrong user, and says so', async () => {
    const at = await site()
    await assert.rejects(
      connectDeliverQueue({ ...options(at, 'edge') }),
      /^Error: nats\.user: this NATS user may not do what this process needs: .*Subscription to "_INBOX\.delivery\./,
    )
    await assert.rejects(connectQueueView(options(at, 'edge')), /^Error: nats\.user: .*_INBOX\.cli\./)
  })

  test('says which subject is missing, once for each connection, and goes on without an answer', async () => {
    const at = await site()
    const lines: string[] = []
    const log = {
      ...SILENT,
      error: (facts: object, message: string) => lines.push(`${message} ${JSON.stringify(facts)}`),
    }
    const store = await connectExistingStore({ ...options(at, 'cli', log), as: 'cli' })
    const payload = encodeBatch([mailRecord('a', { recipients: 1 })])
    for (let n = 0; n < 5; n++) assert.equal((await store.appendMail(0, 'x', 1, payload, 200)).is, 'unanswered')
    // A request to the API is answered at once.
    assert.equal((await store.purgeMail(0, 2)).is, 'unanswered')
    await store.close()
    assert.ok(lines.length <= 3, lines.join('\n'))
    assert.match(lines[0] ?? '', /^permissions violation: .*"operation":"publish","subject":"mail\.0\.1"/)
    assert.match(lines.at(-1) ?? '', /^permissions violation: .*"subject":"\$JS\.API\.STREAM\.PURGE\.MAIL_0"/)
  })

  test('cannot make streams, and says that at once', async () => {
    const at = await site()
    // Answers are heard by whoever has the inbox of the user; the streams of one more partition are missing.
    await assert.rejects(
      connectStore({ ...options(at, 'cli'), as: 'cli', partitions: PARTITIONS + 1 }),
      /^Error: nats\.user: .*Publish to "\$JS\.API\.STREAM\.(CREATE|UPDATE)\./,
    )
  })
})
