/** The readers of the logs and of what a cluster holds, on real servers with a queue that is used like the services use it. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Closing } from '@posthouse/core/entry'
import type { Outcome } from '@posthouse/core/outcome'
import { type AcceptQueue, connectAcceptQueue } from '@posthouse/queue/accept-queue'
import { connectDeliverQueue } from '@posthouse/queue/deliver-queue'
import { connectExistingStore } from '@posthouse/queue/jetstream/jetstream-store'
import { SILENT } from '@posthouse/queue/log'
import type { Delivery, DeliveryEngine } from '@posthouse/queue/port'
import { accept, DELIVERED, mail } from '@posthouse/queue/queue.contract'
import { NatsCluster } from '@posthouse/testkit/nats-cluster'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { compare, takeCensus, USUAL_LIMITS } from './census.ts'
import { type LogEvent, readLogEvents } from './log-events.ts'

type Bounced = Extract<Outcome, { readonly bounce?: unknown }>
const HOUR_MS = 3_600_000
const closing: (() => Promise<unknown>)[] = []
let cluster: NatsCluster
let edge: AcceptQueue
let queueFile: string

before(async () => {
  cluster = await NatsCluster.start({ servers: 3 })
  closing.push(() => cluster.stop())
  const { servers, user, password } = cluster
  const folder = await temporaryFolder('events')
  closing.push(() => folder.remove())
  queueFile = join(folder.path, 'edge.yaml')
  await writeFile(join(folder.path, 'password'), password)
  // JSON is YAML too. A service's own settings stand beside those of the queue.
  await writeFile(queueFile, JSON.stringify({ name: 'edge-1', nats: { servers, user, passwordFile: 'password' } }))
  const options = { servers, user, password, partitions: 2, replicas: 3, log: SILENT, holdRemovedMs: 0 }
  const delivery = await connectDeliverQueue({ ...options, name: 'one' })
  closing.push(() => delivery.stop(5000))
  await delivery.start(engine)
  edge = await connectAcceptQueue({ ...options, name: 'edge' })
  closing.push(() => edge.close())
})
after(async () => {
  for (const close of closing.reverse()) await close()
})

/** What becomes of a recipient stands in the id of its message. */
const engine: DeliveryEngine = {
  give(delivery) {
    if (!delivery.begin()) return
    const { id, attempts } = delivery.envelope
    if (id.startsWith('half')) {
      delivery.close([0, 2], DELIVERED)
      delivery.close([1], failed('550 5.1.1 nobody'))
    } else if (id.startsWith('reported'))
      delivery.close([0, 1], { ...failed('550 5.1.1 nobody'), bounce: reportOf(delivery) })
    else if (id.startsWith('twice') && attempts.count === 0) delivery.close([0], deferred(0))
    else if (id.startsWith('waits')) delivery.close([0], deferred(HOUR_MS))
    else delivery.close(delivery.recipients, DELIVERED)
  },
  hasRoom: () => true,
  revoke() {},
}
const failed = (reply: string): Bounced => ({ how: 'bounced', facts: { reply, host: 'mx' } })
const deferred = (ms: number): Outcome => ({
  how: 'deferred',
  facts: { reply: '451 4.2.0 later' },
  due: Date.now() + ms,
  destination: 'b.example',
})
function reportOf({ envelope }: Delivery) {
  const { content, envelope: made } = mail(`twice-report-of-${envelope.id}`)
  const report = { record: envelope.id, recipients: [0, 1] }
  return { record: { content, envelope: { ...made, from: '', report } }, destination: 'a.example' }
}

/** Without what differs from run to run, and in an order that does not. */
const words = (events: readonly LogEvent[]) =>
  events
    .map((e) => [e.kind, e.queueId, e.recipientIndex, e.how, e.attempt, ...(e.report === undefined ? [] : [e.report])])
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))

/** Asks until it is as wanted; what never gets there fails by the time limit. */
async function until<T>(look: () => Promise<T>, wanted: (seen: T) => boolean): Promise<T> {
  for (;;) {
    const seen = await look()
    if (wanted(seen)) return seen
  }
}

test('the log of a queue tells how each task ended, and of reports whom they report', { timeout: 60_000 }, async () => {
  const records = [mail('plain', 1), mail('half', 3), mail('reported', 2), mail('twice', 1), mail('waits', 1)]
  const fates = await Promise.all(records.map((record) => accept(edge, record)))
  assert.ok(fates.every(({ is }) => is === 'stored'))
  // What carried a deferral or a report that is done is deleted in the end.
  const events = await until(
    () => readLogEvents(queueFile),
    (seen) => seen.filter(({ kind }) => kind === 'later').length === 1 && seen.length === 7,
  )
  assert.deepEqual(words(events), [
    ['later', 'waits', 0, 'deferred', 1],
    ['outcome', 'half', 0, 'delivered', 1],
    ['outcome', 'half', 1, 'bounced', 1],
    ['outcome', 'half', 2, 'delivered', 1],
    ['outcome', 'plain', 0, 'delivered', 1],
    ['outcome', 'twice', 0, 'delivered', 2],
    ['outcome', 'twice-report-of-reported', 0, 'delivered', 2, { record: 'reported', recipients: [0, 1] }],
  ])
  assert.deepEqual(
    events
      .map(({ queueId, reply, host }) => (queueId === 'half' ? [reply, host] : []))
      .filter(({ length }) => length > 0),
    [
      ['250 2.0.0 Ok', 'sink'],
      ['250 2.0.0 Ok', 'sink'],
      ['550 5.1.1 nobody', 'mx'],
    ],
  )
  assert.deepEqual(
    events.map(({ partition, seq }) => [partition, seq]),
    events.map(({ partition, seq }) => [partition, seq]).sort(([p, s], [q, t]) => p! - q! || s! - t!),
  )
})

test('the word of a former owner is read as what it is', { timeout: 60_000 }, async () => {
  const { servers, user, password } = cluster
  const store = await connectExistingStore({ servers, user, password, name: 'former', log: SILENT, holdRemovedMs: 0 })
  closing.push(() => store.close())
  const closes: Closing = {
    stream: 'mail',
    seq: 1,
    record: 0,
    positions: [2, 3],
    id: 'late',
    indexes: [5, 6],
    origin: 1,
    batch: 'batch',
    how: 'delivered',
    attempt: 1,
    facts: {},
  }
  const written = await store.writeLate(1, 'late-1', { node: 'former', lease: 1, closes: [closes] })
  assert.equal(written.is, 'stored')
  const late = (await readLogEvents(queueFile)).filter(({ kind }) => kind === 'late')
  assert.deepEqual(words(late), [
    ['late', 'late', 5, 'delivered', 1],
    ['late', 'late', 6, 'delivered', 1],
  ])
  assert.ok(late.every(({ partition, at }) => partition === 1 && Math.abs(at - Date.now()) < HOUR_MS))
})

test('a census counts what is left, and tells bodies of ended messages from others', { timeout: 60_000 }, async () => {
  const subject = {
    queueFile,
    processes: [
      { name: 'this', pid: process.pid },
      { name: 'gone', pid: 2 ** 30 },
    ],
    natsMonitors: cluster.nodes.map(({ host, ports }) => `http://${host}:${ports.monitor}`),
  }
  const orphan = edge.openBody()
  await orphan.write(Buffer.alloc(600_000))
  await orphan.finish()
  const census = await until(
    () => takeCensus(subject),
    ({ streams, servers }) =>
      streams['MAIL_0']?.messages === 0 &&
      streams['MAIL_1']?.messages === 0 &&
      Object.values(servers).every(({ storage }) => storage > 600_000),
  )
  assert.deepEqual(Object.keys(census.streams).sort(), ['BODY_0', 'BODY_1', 'LOG_0', 'LOG_1', 'MAIL_0', 'MAIL_1'])
  assert.deepEqual([census.bodies, census.knownBodies], [1, 0])
  const chunks = Object.entries(census.streams).filter(
    ([name, { messages }]) => name.startsWith('BODY') && messages > 0,
  )
  assert.deepEqual(
    chunks.map(([, { messages, bytes }]) => [messages, bytes > 600_000]),
    [[2, true]],
  )
  assert.ok((census.streams['LOG_1']?.last ?? 0) > 0)
  assert.deepEqual(Object.keys(census.servers).sort(), ['nats-1', 'nats-2', 'nats-3'])
  for (const { rss, connections } of Object.values(census.servers)) assert.ok(rss > 1_000_000 && connections > 0)
  assert.deepEqual(Object.keys(census.processes), ['this'])
  const { rss, descriptors, threads } = census.processes['this']!
  assert.ok(rss > 10_000_000 && descriptors > 5 && threads > 5)
  assert.deepEqual(compare(census, census, { ...USUAL_LIMITS, recipients: 10, bodies: 0 }), [
    '1 bodies without a message are left, at most 0 may be',
  ])
})
