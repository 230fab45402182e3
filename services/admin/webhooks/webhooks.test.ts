import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { accepted, event, queueId } from '../test/events.ts'
import { FakeCluster, FakePort } from '../test/fake-port.ts'
import { Receiver } from '../test/receiver.ts'
import type { Got } from '../test/receiver.ts'
import { testAdmin } from '../test/test-admin.ts'
import type { TestAdmin } from '../test/test-admin.ts'
import { verify } from './signature.ts'

const SECRET = 'planted secret of a webhook'
const PATH = '/planted-key-in-the-path'
const NOW = { time: new Date().toISOString() }

interface Site extends AsyncDisposable {
  readonly receiver: Receiver
  readonly cluster: FakeCluster
  /** A node with one webhook; `folder`: where it keeps its data. */
  node(name: string, options?: { folder?: string; hook?: object; settings?: object }): Promise<TestAdmin>
}

async function site(): Promise<Site> {
  const folder = await temporaryFolder('webhooks')
  const secretFile = join(folder.path, 'secret')
  writeFileSync(secretFile, `${SECRET}\n`)
  const receiver = await Receiver.start()
  const cluster = new FakeCluster()
  const nodes: TestAdmin[] = []
  return {
    receiver,
    cluster,
    async node(name, { folder: data, hook = {}, settings = {} } = {}) {
      const url = `http://127.0.0.1:${receiver.port}${PATH}`
      const [feed] = cluster.nodes.map((port) => port.feed)
      const port = new FakePort({ name, cluster, ...(feed !== undefined && { feed }) })
      const node = await testAdmin(
        {
          data: { folder: data === undefined ? '' : join(folder.path, data) },
          webhooks: [{ name: 'crm', url, secretFile, ...hook }],
          webhookRetry: { first: '100ms', longest: '200ms' },
          ...settings,
        },
        port,
      )
      nodes.push(node)
      return node
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map((node) => node.stop()))
      await receiver[Symbol.asyncDispose]()
      await folder.remove()
    },
  }
}

/** Resolves when the node sends. */
async function sends(node: TestAdmin): Promise<void> {
  await node.until(() => node.lines.some((line) => line.includes('sending events to a webhook')))
}

test('events that come from now on are sent, signed, in the order of each message', async () => {
  await using place = await site()
  const node = await place.node('admin-1')
  node.port.feed.append(accepted(1, queueId(9), NOW))
  await node.until(() => node.admin.index.lastEvent === 1)
  await sends(node)
  const [a, b] = [queueId(1), queueId(2)]
  const events = [
    accepted(2, a, NOW),
    accepted(3, b, { ...NOW, partition: 1 }),
    event(4, a, { ...NOW, type: 'deferred' }),
    event(5, a, NOW),
  ]
  node.port.feed.append(...events)
  await place.receiver.until(() => place.receiver.taken.length === 4)
  const { taken, got } = place.receiver
  assert.deepEqual(new Set(taken), new Set(events.map(({ id }) => id)))
  assert.deepEqual(
    taken.filter((id) => id.includes(a)),
    [events[0], events[2], events[3]].map((one) => one?.id),
  )
  const [first] = got as [Got]
  assert.equal(first.path, PATH)
  assert.equal(first.headers['content-type'], 'application/json')
  assert.equal(first.headers['user-agent'], 'posthouse/test')
  assert.equal(JSON.parse(first.body).webhook, 'crm')
  assert.equal(verify(SECRET, String(first.headers['posthouse-signature']), first.body, Date.now() / 1000, 300), true)
  const sent = got.flatMap((one) => one.events).find(({ id }) => id === events[1]?.id)
  assert.deepEqual(sent, events[1])
})

test('one gets the types that it asks for', async () => {
  await using place = await site()
  const node = await place.node('admin-1', { hook: { events: ['bounced', 'expired'] } })
  await sends(node)
  const bounced = event(3, queueId(1), { ...NOW, type: 'bounced' })
  node.port.feed.append(accepted(1, queueId(1), NOW), event(2, queueId(2), NOW), bounced, event(4, queueId(3), NOW))
  await node.until(async () => (await node.series()).get('posthouse_admin_webhook_waiting_events{webhook="crm"}') === 0)
  await place.receiver.until(() => place.receiver.taken.length > 0)
  assert.deepEqual(place.receiver.taken, [bounced.id])
})

test('an event that the receiver cannot stand holds up its own message only, and becomes a dead letter', async () => {
  await using place = await site()
  const { receiver } = place
  const poison = event(2, queueId(1), NOW)
  receiver.status = ({ events }) => (events.some(({ id }) => id === poison.id) ? 400 : 200)
  const node = await place.node('admin-1', {
    settings: { webhookRetry: { first: '100ms', longest: '200ms', giveUpAfter: '1s' } },
  })
  await sends(node)
  const time = { time: new Date().toISOString() }
  const after = event(9, queueId(1), { time: new Date(Date.now() + 3_600_000).toISOString(), type: 'bounced' })
  node.port.feed.append(
    accepted(1, queueId(1), time),
    { ...poison, ...time },
    ...[3, 4, 5].map((n) => event(n, queueId(n), time)),
    after,
  )
  await receiver.until(() => receiver.taken.length >= 3)
  assert.deepEqual(new Set(receiver.taken), new Set([3, 4, 5].map((n) => event(n, queueId(n)).id)))
  await receiver.until(() => receiver.taken.includes(after.id))
  const letters = node.admin.deadLetters('crm', 10)
  assert.deepEqual(
    letters.map(({ event: id, message, reason }) => [id, message, reason]),
    [
      [poison.id, queueId(1), 'status 400'],
      [accepted(1, queueId(1)).id, queueId(1), 'status 400'],
    ],
  )
  assert.deepEqual(JSON.parse(letters[0]?.body ?? ''), { ...poison, ...time })
  assert.equal((await node.series()).get('posthouse_admin_webhook_dead_letters{webhook="crm"}'), 2)
  assert.ok(node.lines.some((line) => line.includes('given up') && line.includes(poison.id)))
})

test('410 is the end of what was sent, and not of the webhook', async () => {
  await using place = await site()
  const { receiver } = place
  receiver.status = () => 410
  const node = await place.node('admin-1')
  await sends(node)
  node.port.feed.append(event(1, queueId(1), NOW))
  await node.until(() => node.admin.deadLetters('crm', 10).length === 1)
  receiver.status = () => 200
  node.port.feed.append(event(2, queueId(1), NOW))
  await receiver.until(() => receiver.taken.length === 1)
  assert.equal(node.admin.deadLetters('crm', 10)[0]?.reason, 'status 410')
  const asked = await node.port.deadLetters?.({ limit: 10 })
  assert.deepEqual(
    asked?.webhooks.map(({ webhook, count, letters }) => [webhook, count, letters.map(({ reason }) => reason)]),
    [['crm', 1, ['status 410']]],
  )
  assert.deepEqual((await node.port.deadLetters?.({ limit: 10, webhook: 'other' }))?.webhooks, [])
})

test('a receiver that is down gets everything when it is back, and the log has neither the path nor the secret', async () => {
  await using place = await site()
  const { receiver } = place
  receiver.status = () => 503
  const node = await place.node('admin-1')
  await sends(node)
  const events = Array.from({ length: 900 }, (_, n) => event(n + 1, queueId(n), NOW))
  node.port.feed.append(...events.slice(0, 300))
  await receiver.until(() => receiver.got.length >= 4)
  node.port.feed.append(...events.slice(300))
  await node.until(
    async () => ((await node.series()).get('posthouse_admin_webhook_waiting_events{webhook="crm"}') ?? 0) >= 899,
  )
  receiver.status = () => 200
  await receiver.until(() => receiver.taken.length >= 900)
  assert.deepEqual(receiver.taken.toSorted(), events.map(({ id }) => id).toSorted())
  const log = node.lines.join('')
  assert.match(log, /"reason":"status 503".*a webhook does not take events/)
  assert.match(log, /a webhook takes events again/)
  assert.ok(!log.includes(SECRET) && !log.includes(PATH))
})

test('after a restart it goes on where it was, and what was under way is sent again', async () => {
  await using place = await site()
  const { receiver } = place
  const first = await place.node('admin-1', { folder: 'one' })
  await sends(first)
  first.port.feed.append(event(1, queueId(1), NOW))
  await receiver.until(() => receiver.taken.length === 1)
  receiver.status = () => 503
  first.port.feed.append(event(2, queueId(2), NOW))
  await receiver.until(() => receiver.got.length >= 2)
  await first.stop()
  receiver.status = () => 200
  place.cluster.nodes[0]!.feed.append(event(3, queueId(3), NOW))
  await place.node('admin-1', { folder: 'one' })
  await receiver.until(() => receiver.taken.length >= 3)
  assert.deepEqual(
    receiver.taken.toSorted(),
    [1, 2, 3].map((n) => event(n, queueId(n)).id),
  )
})

test('one node sends; when it dies another one goes on from its last words, without a loss', async () => {
  await using place = await site()
  const { receiver, cluster } = place
  const first = await place.node('admin-1')
  const second = await place.node('admin-2')
  await sends(first)
  const events = Array.from({ length: 60 }, (_, n) => event(n + 1, queueId(n), NOW))
  first.port.feed.append(...events.slice(0, 20))
  await receiver.until(() => receiver.taken.length === 20)
  assert.ok(!second.lines.some((line) => line.includes('sending events')))
  // The words of a moment ago have been heard when those of now are.
  const told = Promise.withResolvers<void>()
  second.port.onWords((_from, words) => {
    const { cursor, open } = JSON.parse(words) as { cursor: number[]; open: unknown[] }
    if (cursor[0] === 20 && open.length === 0) told.resolve()
  })
  await told.promise
  // It is cut off with something that it could not send.
  receiver.status = () => 503
  first.port.feed.append(...events.slice(20, 40))
  const before = receiver.got.length
  await receiver.until(() => receiver.got.length > before)
  cluster.nodes[0]!.lives = false
  first.port.saysView = { ...first.port.saysView, disconnected: 'cut off' }
  await sends(second)
  receiver.status = () => 200
  first.port.feed.append(...events.slice(40))
  await receiver.until(() => new Set(receiver.taken).size === 60)
  // The first ones were done, and not sent again.
  const counts = Map.groupBy(receiver.taken, (id) => id)
  for (const { id } of events.slice(0, 20)) assert.equal(counts.get(id)?.length, 1, id)
})

test('one that comes back does not send again what another one sent meanwhile', async () => {
  await using place = await site()
  const { receiver } = place
  const first = await place.node('admin-1', { folder: 'one' })
  await place.node('admin-2', { folder: 'two' })
  await sends(first)
  first.port.feed.append(event(1, queueId(1), NOW))
  await receiver.until(() => receiver.taken.length === 1)
  await first.stop()
  place.cluster.nodes[0]!.feed.append(event(2, queueId(2), NOW))
  await receiver.until(() => receiver.taken.length >= 2)
  const again = await place.node('admin-1', { folder: 'one' })
  await sends(again)
  place.cluster.nodes[0]!.feed.append(event(3, queueId(3), NOW))
  await receiver.until(() => receiver.taken.length >= 3)
  assert.deepEqual(
    receiver.taken,
    [1, 2, 3].map((n) => event(n, queueId(n)).id),
  )
})

test('a secret that is too short or not there ends the start, and names the setting', async () => {
  await using place = await site()
  await using folder = await temporaryFolder('webhooks')
  const secretFile = join(folder.path, 'short')
  writeFileSync(secretFile, 'short\n')
  await assert.rejects(place.node('admin-1', { hook: { secretFile } }), { setting: 'webhooks[0].secretFile' })
  await assert.rejects(place.node('admin-1', { hook: { secretFile: join(folder.path, 'none') } }), /ENOENT/)
})
