import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DnsZone } from '@posthouse/testkit/dns-zone'
import type { DnsEntry } from '@posthouse/testkit/dns-zone'
import { FakeMx } from '@posthouse/testkit/fake-mx'
import type { FakeMxOptions } from '@posthouse/testkit/fake-mx'
import { FakeDelivery, testNode } from './test/fake-delivery.ts'
import type { TestNode } from './test/fake-delivery.ts'

interface World {
  readonly zone: DnsZone
  readonly node: TestNode
  /** By address. */
  readonly hosts: ReadonlyMap<string, FakeMx>
}

/** A zone, and hosts on addresses of their own that share a port, as real ones share port 25. */
async function world(
  names: Readonly<Record<string, DnsEntry>>,
  hosts: Readonly<Record<string, FakeMxOptions>>,
  settings: Readonly<Record<string, unknown>>,
  work: (world: World) => Promise<void>,
): Promise<void> {
  const zone = await DnsZone.start(names)
  const running = new Map<string, FakeMx>()
  let port = 0
  for (const [host, options] of Object.entries(hosts)) {
    const mx = await FakeMx.start({ ...options, host, port })
    port = mx.port
    running.set(host, mx)
  }
  try {
    await using node = await testNode({
      'dns.servers': [zone.server],
      'dns.timeout': '200ms',
      ...(port === 0 ? undefined : { 'route.port': port }),
      ...settings,
    })
    await work({ zone, node, hosts: running })
  } finally {
    for (const mx of running.values()) await mx.close()
    await zone.close()
  }
}

const mail = (...to: string[]): FakeDelivery => new FakeDelivery({ to })

test('the MX with the lowest preference gets the mail, the next one when it is down', () =>
  world(
    {
      'example.com': {
        mx: [
          [20, 'mx2.example.com'],
          [10, 'mx1.example.com'],
          [5, 'gone.example.com'],
        ],
      },
      'mx1.example.com': { a: ['127.0.0.2'] },
      'mx2.example.com': { a: ['127.0.0.3'] },
      'gone.example.com': { a: ['127.0.0.9'] },
    },
    { '127.0.0.2': {}, '127.0.0.3': {} },
    {},
    async ({ node, hosts }) => {
      const delivery = await node.deliver(mail('b@example.com'))
      assert.equal(delivery.how(), 'delivered')
      assert.equal(hosts.get('127.0.0.2')?.messages.length, 1)
      assert.equal(hosts.get('127.0.0.3')?.sessions.length, 0)
      const outcome = delivery.outcomes.get(0)
      assert.ok(outcome?.how === 'delivered')
      assert.match(outcome.facts.host ?? '', /^mx1\.example\.com\[127\.0\.0\.2\]:\d+$/)
    },
  ))

test('a domain without MX takes mail at its own address', () =>
  world({ 'example.com': { a: ['127.0.0.2'] } }, { '127.0.0.2': {} }, {}, async ({ node }) => {
    assert.equal((await node.deliver(mail('b@example.com'))).how(), 'delivered')
  }))

test('an address literal needs no DNS', () =>
  world({}, { '127.0.0.2': {} }, {}, async ({ zone, node }) => {
    assert.equal((await node.deliver(mail('b@[127.0.0.2]'))).how(), 'delivered')
    assert.deepEqual(zone.questions, [])
  }))

test('what the DNS says about a domain, row by row', () =>
  world(
    {
      'null.example': { mx: [[0, '']] },
      'nothing.example': {},
      'nohost.example': { mx: [[10, 'missing.example']] },
      'broken.example': 'SERVFAIL',
      'refused.example': 'REFUSED',
      'silent.example': 'silent',
      'half.example': {
        mx: [
          [10, 'missing.example'],
          [20, 'broken.example'],
        ],
      },
      'loop.example': {
        mx: [
          [10, 'relay.test'],
          [20, 'mx.example'],
        ],
      },
      'address.example': { mx: [[10, 'us.example']] },
      'us.example': { a: ['127.0.0.77'] },
      'mx.example': { a: ['127.0.0.2'] },
    },
    {},
    { 'route.ownAddresses': ['127.0.0.77'] },
    async ({ node }) => {
      const rows: [domain: string, how: string, status: string][] = [
        ['null.example', 'bounced', '5.1.10'],
        ['missing.example', 'bounced', '5.1.2'],
        ['nothing.example', 'bounced', '5.4.4'],
        ['nohost.example', 'bounced', '5.4.4'],
        ['broken.example', 'deferred', '4.4.3'],
        ['refused.example', 'deferred', '4.4.3'],
        ['silent.example', 'deferred', '4.4.3'],
        ['half.example', 'deferred', '4.4.3'],
        ['loop.example', 'bounced', '5.4.6'],
        ['address.example', 'bounced', '5.4.4'],
        ['[127.0.0.77]', 'bounced', '5.4.6'],
        ['[nonsense]', 'bounced', '5.1.3'],
      ]
      await Promise.all(
        rows.map(async ([domain, how, status]) => {
          const delivery = await node.deliver(mail(`b@${domain}`))
          assert.equal(delivery.how(), how, `${domain}: ${delivery.reply() ?? ''}`)
          assert.equal(delivery.reply()?.split(' ')[0], status, domain)
        }),
      )
    },
  ))

test('a host that greets with our own name is a loop', () =>
  world(
    { 'example.com': { a: ['127.0.0.2'] } },
    { '127.0.0.2': { name: 'Relay.Test' } },
    {},
    async ({ node, hosts }) => {
      const delivery = await node.deliver(mail('b@example.com'))
      assert.equal(delivery.how(), 'bounced')
      assert.match(delivery.reply() ?? '', /^5\.4\.6 /)
      assert.equal(hosts.get('127.0.0.2')?.messages.length, 0)
    },
  ))

test('the recipients of one message part by domain, and each domain has its own fate', () =>
  world(
    {
      'a.example': { a: ['127.0.0.2'] },
      'b.example': { a: ['127.0.0.3'] },
      'c.example': { mx: [[0, '']] },
    },
    { '127.0.0.2': {}, '127.0.0.3': { answer: ({ verb }) => (verb === 'RCPT' ? '450 4.2.0 later' : undefined) } },
    {},
    async ({ node, hosts }) => {
      const delivery = await node.deliver(mail('1@a.example', '1@c.example', '2@A.example', '1@b.example'))
      assert.deepEqual(
        [0, 1, 2, 3].map((position) => delivery.how(position)),
        ['delivered', 'bounced', 'delivered', 'deferred'],
      )
      assert.deepEqual(hosts.get('127.0.0.2')?.messages[0]?.rcpt, ['<1@a.example>', '<2@A.example>'])
      const deferred = delivery.outcomes.get(3)
      assert.ok(deferred?.how === 'deferred' && deferred.destination === 'b.example')
      // The attempt begins once, before any part of it is closed.
      assert.equal(delivery.began, 1)
    },
  ))

test('an international domain is looked up by its A-labels', () =>
  world({ 'xn--bcher-kva.example': { a: ['127.0.0.2'] } }, { '127.0.0.2': {} }, {}, async ({ node, hosts }) => {
    const delivery = await node.deliver(new FakeDelivery({ to: ['b@bücher.example'], envelope: { smtputf8: true } }))
    assert.equal(delivery.how(), 'delivered')
    assert.deepEqual(hosts.get('127.0.0.2')?.messages[0]?.rcpt, ['<b@bücher.example>'])
  }))

test('the DNS is asked once for many messages at once, and not again while the answer may be kept', () =>
  world(
    { 'example.com': { mx: [[10, 'mx.example.com']] }, 'mx.example.com': { a: ['127.0.0.2'] } },
    { '127.0.0.2': {} },
    { 'limits.messagesPerConnection': 1, 'limits.connectionsPerDestination': 5 },
    async ({ zone, node }) => {
      await Promise.all(Array.from({ length: 20 }, () => node.deliver(mail('b@example.com'))))
      assert.deepEqual(zone.questions.toSorted(), ['a mx.example.com', 'aaaa mx.example.com', 'mx example.com'])
    },
  ))

test('a dead destination slows no other one, and what waits for it is parked', () =>
  world(
    { 'dead.example': { a: ['127.0.0.3'] }, 'live.example': { a: ['127.0.0.2'] } },
    { '127.0.0.2': {}, '127.0.0.3': { answer: ({ verb }) => (verb === 'CONNECT' ? { do: 'hang' } : undefined) } },
    { 'limits.connections': 8 },
    async ({ node }) => {
      const dead = Array.from({ length: 100 }, () => mail('b@dead.example'))
      for (const delivery of dead) node.engine.give(delivery)
      const live = await Promise.all(Array.from({ length: 100 }, () => node.deliver(mail('b@live.example'))))
      assert.ok(live.every((delivery) => delivery.how() === 'delivered'))
      assert.ok(dead.every((delivery) => delivery.closes.length === 0))
      // Five ride with the connections that are being opened; the others do not wait for them.
      await Promise.all(dead.slice(5).map((delivery) => delivery.closed))
      const parked = dead.filter((delivery) => delivery.how() === 'parked')
      assert.equal(parked.length, 95)
      assert.equal(new Set(parked.map((delivery) => (delivery.outcomes.get(0) as { due: number }).due)).size, 1)
      node.engine.revoke(0)
    },
  ))

test('more than a destination may keep waiting is parked at once, and there is no room for due mail', () =>
  world(
    { 'slow.example': { a: ['127.0.0.2'] } },
    { '127.0.0.2': { answer: ({ verb }) => (verb === 'MAIL' ? { do: 'hang' } : undefined) } },
    { 'limits.readyPerDestination': 10, 'limits.connectionsPerDestination': 1 },
    async ({ node }) => {
      assert.equal(node.engine.hasRoom('slow.example'), true)
      const all = Array.from({ length: 15 }, () => mail('b@slow.example'))
      for (const delivery of all) node.engine.give(delivery)
      assert.equal(all.filter((delivery) => delivery.how() === 'parked').length, 5)
      assert.equal(node.engine.hasRoom('slow.example'), false)
      assert.equal(node.engine.hasRoom('other.example'), true)
      node.engine.revoke(0)
      assert.equal(node.engine.hasRoom('slow.example'), true)
    },
  ))

test('destinations that need a connection take turns when the node has no more to give', () =>
  world(
    { 'a.example': { a: ['127.0.0.2'] }, 'b.example': { a: ['127.0.0.3'] } },
    { '127.0.0.2': {}, '127.0.0.3': {} },
    { 'limits.connections': 2 },
    async ({ node, hosts }) => {
      const busy = Array.from({ length: 200 }, () => mail('x@a.example'))
      const all = busy.map((delivery) => node.deliver(delivery))
      await hosts.get('127.0.0.2')?.until((mx) => mx.messages.length > 5)
      const other = await node.deliver(mail('x@b.example'))
      assert.equal(other.how(), 'delivered')
      const done = busy.filter((delivery) => delivery.outcomes.size > 0).length
      assert.ok(done < 200, `only after all ${done} others`)
      await Promise.all(all)
    },
  ))
