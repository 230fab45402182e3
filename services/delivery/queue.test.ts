/** The delivery service on the queue itself (its in-memory store): what happens to mail from acceptance to its end. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeLease } from '@posthouse/core/lease-codec'
import { queueIds } from '@posthouse/core/queue-id'
import type { Envelope } from '@posthouse/core/record'
import { scanContent } from '@posthouse/core/scan'
import { acceptQueueOn } from '@posthouse/queue/accept-queue'
import type { AcceptQueue } from '@posthouse/queue/accept-queue'
import { deliverQueueOn } from '@posthouse/queue/deliver-queue'
import { MemoryServer } from '@posthouse/queue/memory/memory-server'
import { DnsZone } from '@posthouse/testkit/dns-zone'
import { FakeMx } from '@posthouse/testkit/fake-mx'
import type { FakeMxOptions } from '@posthouse/testkit/fake-mx'
import { SMALL_MAIL, testNode } from './test/fake-delivery.ts'
import type { TestNode } from './test/fake-delivery.ts'

const nextId = queueIds(randomBytes(5))

class World {
  readonly server = new MemoryServer({ partitions: 2 })
  readonly edge: AcceptQueue = acceptQueueOn(this.server.connect('edge'))
  readonly zone: DnsZone
  readonly mx: FakeMx

  constructor(zone: DnsZone, mx: FakeMx) {
    this.zone = zone
    this.mx = mx
  }

  node(name: string, settings: Readonly<Record<string, unknown>> = {}): Promise<TestNode> {
    const { zone, mx } = this
    const always = { 'dns.servers': [zone.server], 'route.port': mx.port, 'retry.first': '1s', 'dns.cacheFor': '0s' }
    return testNode({ ...always, ...settings }, { queue: deliverQueueOn(this.server.connect(name), { name }) })
  }

  async accept(
    to: readonly string[],
    more: { envelope?: Partial<Envelope>; chunks?: readonly Buffer[] } = {},
  ): Promise<string> {
    const content = more.chunks === undefined ? Buffer.from(SMALL_MAIL) : Buffer.concat(more.chunks)
    const writer = more.chunks === undefined ? undefined : this.edge.openBody()
    for (const chunk of more.chunks ?? []) await writer?.write(chunk)
    const body = await writer?.finish()
    const id = nextId()
    const envelope: Envelope = {
      id,
      from: 'sender@example.org',
      recipients: to.map((address, index) => ({ address, index })),
      acceptedAt: Date.now(),
      storedAt: 0,
      origin: 0,
      attempts: { count: 0 },
      facts: scanContent(content),
      ...(body && { body }),
      ...more.envelope,
    }
    const record = { envelope, content: body === undefined ? content : new Uint8Array(0) }
    const fate = await new Promise((resolve) => this.edge.accept(record, resolve, writer))
    assert.deepEqual(fate, { is: 'stored' })
    return id
  }

  /** Partitions whose last owner has not let go. */
  unreleased(): number[] {
    return this.server.partitions.flatMap(({ log }, partition) => {
      const lease = log.lastOf('lease')
      return lease !== undefined && !decodeLease(lease.payload).released ? [partition] : []
    })
  }

  /** Nothing is left but the log's facts. */
  async empty(): Promise<void> {
    const left = (): number =>
      this.server.partitions.reduce(
        (sum, { mail, body, log }) =>
          sum + mail.count + body.count + [...log.messages()].filter(({ subject }) => subject === 'later').length,
        0,
      )
    while (left() > 0) await sleep(50)
  }
}

async function world(options: FakeMxOptions, work: (world: World) => Promise<void>): Promise<void> {
  const zone = await DnsZone.start({ 'example.com': { a: ['127.0.0.1'] }, 'example.org': { a: ['127.0.0.1'] } })
  const mx = await FakeMx.start(options)
  const made = new World(zone, mx)
  try {
    await work(made)
  } finally {
    await made.edge.close()
    await mx.close()
    await zone.close()
  }
}

suite('delivery on the queue', { concurrency: true }, () => {
  test('accepted mail arrives, small and large, and leaves nothing behind', () =>
    world({}, async (cluster) => {
      const { mx } = cluster
      await using _node = await cluster.node('one')
      const chunks = Array.from({ length: 5 }, (_, index) => Buffer.alloc(400_000, `${index}.\r\n.${index}\r\n`))
      await cluster.accept(['a@example.com', 'b@example.com'])
      await cluster.accept(['c@example.com'], { chunks })
      await mx.until(() => mx.messages.length === 2)
      const large = mx.messages.find(({ rcpt }) => rcpt[0] === '<c@example.com>')
      assert.ok(large?.content.equals(Buffer.concat(chunks)))
      await cluster.empty()
    }))

  test('a refused recipient is reported to the sender by mail, once, and the others get theirs', () =>
    world({ answer: refusing('550 5.1.1 no such user') }, async (cluster) => {
      const { mx } = cluster
      await using _node = await cluster.node('one')
      const id = await cluster.accept(['no@example.com', 'b@example.com', 'x@missing.example'])
      // The message, and a report for each of the two destinations that refused somebody.
      await mx.until(() => mx.messages.length === 3)
      await cluster.empty()
      assert.equal(mx.messages.length, 3)
      const reports = mx.messages.filter(({ mail }) => mail.startsWith('<> '))
      assert.equal(reports.length, 2)
      for (const { rcpt, content } of reports) {
        assert.deepEqual(rcpt, ['<sender@example.org>'])
        assert.match(content.toString(), new RegExp(`X-Posthouse-Queue-Id: ${id}`))
      }
      const all = reports.map(({ content }) => content.toString()).join('')
      assert.match(all, /Final-Recipient: rfc822; no@example\.com\r\nAction: failed\r\nStatus: 5\.1\.1/)
      assert.match(all, /Final-Recipient: rfc822; x@missing\.example\r\nAction: failed\r\nStatus: 5\.1\.2/)
    }))

  test('a report that cannot be delivered ends there', () =>
    world({ answer: ({ verb }) => (verb === 'RCPT' ? '550 5.1.1 no such user' : undefined) }, async (cluster) => {
      const { mx } = cluster
      await using node = await cluster.node('one')
      await cluster.accept(['no@example.com'])
      await mx.until(() => mx.commands.some((command) => command.startsWith('RCPT TO:<sender@')))
      await cluster.empty()
      assert.equal(mx.commands.filter((command) => command.startsWith('MAIL')).length, 2)
      assert.equal(node.metrics.recipients.with({ outcome: 'bounced' }).value, 2)
    }))

  test('what is deferred comes again, with only those who still wait', () => {
    const asked = new Map<string, number>()
    const answer: FakeMxOptions['answer'] = ({ verb, line }) => {
      if (verb !== 'RCPT') return undefined
      asked.set(line, (asked.get(line) ?? 0) + 1)
      return line.includes('<later@') && asked.get(line) === 1 ? '450 4.2.0 greylisted' : undefined
    }
    return world({ answer }, async (cluster) => {
      const { mx } = cluster
      await using node = await cluster.node('one')
      const id = await cluster.accept(['later@example.com', 'now@example.com'])
      await mx.until(() => mx.messages.length === 2)
      await cluster.empty()
      assert.deepEqual(
        mx.messages.map(({ rcpt }) => rcpt),
        [['<now@example.com>'], ['<later@example.com>']],
      )
      const lines = node.log.filter((line) => line['id'] === id).map(({ msg, attempt }) => [msg, attempt])
      assert.deepEqual(lines.map(String).toSorted(), ['deferred,1', 'delivered,1', 'delivered,2'])
    })
  })

  test('a node that stops hands over what waits, and nothing is delivered twice', () =>
    world({}, async (cluster) => {
      const { mx } = cluster
      const first = await cluster.node('one')
      for (let i = 0; i < 200; i += 1) void cluster.accept([`user${i}@example.com`])
      await mx.until(() => mx.messages.length > 20)
      const second = await cluster.node('two')
      await first[Symbol.asyncDispose]()
      await mx.until(() => mx.messages.length === 200)
      await cluster.empty()
      assert.equal(new Set(mx.messages.map(({ rcpt }) => rcpt[0])).size, 200)
      assert.equal(mx.messages.length, 200)
      await second[Symbol.asyncDispose]()
    }))

  for (const [at, twice] of [
    ['RCPT', false],
    ['DOT', true],
  ] as const)
    test(`a host that hangs at ${at} does not keep a node that stops from releasing its partitions`, () => {
      let sessions = 0
      const answer: FakeMxOptions['answer'] = ({ verb, session, line }) => {
        const isHers = verb === 'DOT' ? session.rcpt.some((to) => to.includes('<slow@')) : line.includes('<slow@')
        return verb === at && isHers && (sessions += 1) === 1 ? { do: 'hang' } : undefined
      }
      return world({ answer }, async (cluster) => {
        const { mx } = cluster
        const first = await cluster.node('one', { 'stop.deadline': '4s' })
        cluster.zone.names.set('silent.example', 'silent')
        // For several destinations, one of which is not even connected: all of it has begun when a part has.
        await cluster.accept(['slow@example.com', 'other@example.org', 'silent@silent.example'])
        await mx.until(() => sessions === 1)
        await first[Symbol.asyncDispose]()
        assert.ok(first.log.some(({ msg }) => msg === 'gave back what hosts kept waiting'))
        assert.equal(first.metrics.lostAfterDot.value, twice ? 1 : 0)
        assert.deepEqual(cluster.unreleased(), [])
        cluster.zone.names.set('silent.example', { a: ['127.0.0.1'] })
        await using _second = await cluster.node('two')
        await cluster.empty()
        const got = mx.messages.flatMap(({ rcpt }) => rcpt).toSorted()
        assert.deepEqual(got, ['<other@example.org>', '<silent@silent.example>', '<slow@example.com>'])
      })
    })

  test('what was deferred under a route of other settings takes the one of now', () =>
    world({}, async (cluster) => {
      const { mx } = cluster
      await using gateway = await FakeMx.start({
        answer: ({ verb }) => (verb === 'RCPT' ? '450 4.7.1 wrong gateway' : undefined),
      })
      const hosts = [`127.0.0.1:${gateway.port}`]
      const first = await cluster.node('one', { 'route.domains': [{ domain: 'example.com', hosts }] })
      await cluster.accept(['a@example.com', 'b@example.com'])
      await gateway.until(({ commands }) => commands.filter((command) => command.startsWith('RCPT')).length >= 2)
      await first[Symbol.asyncDispose]()
      assert.ok(first.log.some(({ msg }) => msg === 'deferred'))
      assert.equal(mx.messages.length, 0)
      {
        // Without the route: to the MX host.
        await using _second = await cluster.node('two')
        await mx.until(() => mx.messages.length === 1)
        assert.deepEqual(mx.messages[0]?.rcpt, ['<a@example.com>', '<b@example.com>'])
        await cluster.empty()
      }
    }))

  test('mail for a site that is down waits in the queue and goes when the site is back', () =>
    world({}, async (cluster) => {
      const { mx, zone } = cluster
      zone.names.set('down.example', { a: ['127.0.0.5'] })
      await using _node = await cluster.node('one')
      await Promise.all(Array.from({ length: 50 }, (_, index) => cluster.accept([`user${index}@down.example`])))
      await cluster.accept(['live@example.com'])
      await mx.until(() => mx.messages.length === 1)
      const site = await FakeMx.start({ host: '127.0.0.5', port: mx.port })
      await site.until(() => site.messages.length === 50)
      await cluster.empty()
      assert.equal(site.messages.length, 50)
      await site.close()
    }))
})

function refusing(reply: string): FakeMxOptions['answer'] {
  return ({ verb, line }) => (verb === 'RCPT' && line.includes('<no@') ? reply : undefined)
}
