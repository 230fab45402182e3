/** Routes by domain: which host gets whose mail, and that the hosts of a route are a destination like any other. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DnsZone } from '@posthouse/testkit/dns-zone'
import { FakeMx } from '@posthouse/testkit/fake-mx'
import { deadPort } from './test/dead-port.ts'
import { FakeDelivery, testNode } from './test/fake-delivery.ts'

const mail = (...to: string[]): FakeDelivery => new FakeDelivery({ to })
const at = ({ port }: { readonly port: number }): string => `127.0.0.1:${port}`
const rcpts = (mx: FakeMx): string[] => mx.messages.flatMap(({ rcpt }) => rcpt).toSorted()

test('a domain, the domains below one, and the rest go their ways, and a message parts by them', async () => {
  await using zone = await DnsZone.start({ 'elsewhere.example': { a: ['127.0.0.1'] } })
  await using exact = await FakeMx.start()
  await using below = await FakeMx.start()
  await using mx = await FakeMx.start()
  await using node = await testNode({
    'dns.servers': [zone.server],
    'route.port': mx.port,
    'route.domains': [
      { domain: 'Example.ORG', hosts: [at(exact)] },
      { domain: '.example.org', hosts: [at(below)] },
      { domain: 'bücher.example', hosts: [at(below)] },
    ],
  })
  const to = ['1@example.org', '2@mail.example.org', '3@elsewhere.example', '4@EXAMPLE.org', '5@xn--bcher-kva.example']
  const delivery = await node.deliver(mail(...to))
  for (const position of to.keys()) assert.equal(delivery.how(position), 'delivered', delivery.reply(position))
  assert.deepEqual(rcpts(exact), ['<1@example.org>', '<4@EXAMPLE.org>'])
  assert.deepEqual(rcpts(below), ['<2@mail.example.org>', '<5@xn--bcher-kva.example>'])
  assert.equal(below.messages.length, 1)
  assert.deepEqual(rcpts(mx), ['<3@elsewhere.example>'])
  // Of the domains with a route the DNS is not asked.
  assert.ok(
    zone.questions.every((question) => question.endsWith('elsewhere.example')),
    zone.questions.join(),
  )
})

test('beside routes the smarthosts take the rest, and * takes it instead of the MX hosts', async () => {
  await using gateway = await FakeMx.start()
  await using rest = await FakeMx.start()
  const routed = { domain: 'example.org', hosts: [at(gateway)] }
  for (const settings of [
    { 'route.smarthosts': [at(rest)], 'route.domains': [routed] },
    { 'route.domains': [{ domain: '*', hosts: [at(rest)] }, routed] },
  ]) {
    await using node = await testNode(settings)
    const delivery = await node.deliver(mail('1@example.org', '2@example.net', '3@[192.0.2.1]'))
    assert.deepEqual(
      [0, 1, 2].map((position) => delivery.how(position)),
      ['delivered', 'delivered', 'delivered'],
    )
  }
  assert.deepEqual(rcpts(gateway), ['<1@example.org>', '<1@example.org>'])
  assert.deepEqual(rcpts(rest), ['<2@example.net>', '<2@example.net>', '<3@[192.0.2.1]>', '<3@[192.0.2.1]>'])
})

test('the first host of a route that answers gets the mail, and one that failed is left alone for a while', async () => {
  const dead = await deadPort()
  await using busy = await FakeMx.start({
    answer: ({ verb }) => (verb === 'CONNECT' ? '421 4.3.2 too busy' : undefined),
  })
  await using good = await FakeMx.start()
  await using last = await FakeMx.start()
  await using node = await testNode({
    'route.domains': [{ domain: 'example.org', hosts: [`127.0.0.1:${dead}`, at(busy), at(good), at(last)] }],
    'limits.messagesPerConnection': 1,
  })
  assert.equal((await node.deliver(mail('1@example.org'))).how(), 'delivered')
  assert.equal((await node.deliver(mail('2@example.org'))).how(), 'delivered')
  assert.equal(good.messages.length, 2)
  assert.equal(busy.sessions.length, 1)
  assert.equal(last.sessions.length, 0)
})

test('a gateway without an address or that nobody can reach never makes mail undeliverable', async () => {
  const dead = await deadPort()
  await using node = await testNode({
    'route.domains': [
      { domain: 'nameless.example', hosts: ['gateway.invalid:25'] },
      { domain: 'dead.example', hosts: [`127.0.0.1:${dead}`] },
    ],
  })
  const nameless = await node.deliver(mail('1@nameless.example'))
  assert.equal(nameless.how(), 'deferred')
  assert.match(nameless.reply() ?? '', /^4\.4\.3 .*gateway\.invalid/)
  const unreachable = await node.deliver(mail('1@dead.example'))
  assert.equal(unreachable.how(), 'deferred')
  assert.match(unreachable.reply() ?? '', /^4\.4\.1 .*ECONNREFUSED/)
  const destination = `via 127.0.0.1:${dead}`
  const outcome = unreachable.outcomes.get(0)
  assert.equal(outcome?.how === 'deferred' && outcome.destination, destination)
  // The destination is left alone, by whatever name its mail waits.
  assert.equal(node.engine.hasRoom(destination), false)
  assert.equal(node.engine.hasRoom('dead.example'), false)
  assert.equal(node.engine.hasRoom('other.example'), true)
})

test('a gateway that greets with our own name is trusted: the settings name it', async () => {
  await using gateway = await FakeMx.start({ name: 'relay.test' })
  await using node = await testNode({ 'route.domains': [{ domain: 'example.org', hosts: [at(gateway)] }] })
  assert.equal((await node.deliver(mail('1@example.org'))).how(), 'delivered')
})

test('all domains with the same hosts share the connections of one destination, others have their own', async () => {
  await using shared = await FakeMx.start()
  await using other = await FakeMx.start()
  let most = 0
  Object.assign(shared.options, {
    answer: () => {
      most = Math.max(most, shared.openSessions)
      return undefined
    },
  })
  await using node = await testNode({
    'route.domains': [
      { domain: 'a.example', hosts: [at(shared)] },
      { domain: '.b.example', hosts: [at(shared)] },
      { domain: 'c.example', hosts: [at(other)] },
    ],
    'limits.connectionsPerDestination': 2,
  })
  const domains = ['a.example', 'x.b.example', 'y.b.example', 'c.example']
  await Promise.all(Array.from({ length: 40 }, (_, index) => node.deliver(mail(`u@${domains[index % 4] ?? ''}`))))
  assert.equal(shared.messages.length, 30)
  assert.equal(other.messages.length, 10)
  assert.ok(most <= 2, `${most} connections`)
})

test('a dead gateway slows no other destination: what waits for it is parked', async () => {
  await using dead = await FakeMx.start({ answer: ({ verb }) => (verb === 'CONNECT' ? { do: 'hang' } : undefined) })
  await using rest = await FakeMx.start()
  await using node = await testNode({
    'route.smarthosts': [at(rest)],
    'route.domains': [{ domain: 'dead.example', hosts: [at(dead)] }],
    'limits.connections': 8,
    'limits.connectionsPerDestination': 6,
  })
  const waiting = Array.from({ length: 50 }, () => mail('1@dead.example'))
  for (const delivery of waiting) node.engine.give(delivery)
  const live = await Promise.all(Array.from({ length: 50 }, () => node.deliver(mail('1@live.example'))))
  assert.ok(live.every((delivery) => delivery.how() === 'delivered'))
  // Five ride with the connections that are being opened.
  await Promise.all(waiting.slice(5).map((delivery) => delivery.closed))
  assert.equal(waiting.filter((delivery) => delivery.how() === 'parked').length, 45)
  node.engine.revoke(0)
})

test('a report to the sender waits under the route of the sender’s domain', async () => {
  await using gateway = await FakeMx.start({ answer: ({ verb }) => (verb === 'RCPT' ? '550 5.1.1 no' : undefined) })
  await using node = await testNode({ 'route.domains': [{ domain: 'example.org', hosts: [at(gateway)] }] })
  const delivery = await node.deliver(
    new FakeDelivery({ to: ['no@example.org'], envelope: { from: 'sender@EXAMPLE.org' } }),
  )
  const outcome = delivery.outcomes.get(0)
  assert.ok(outcome?.how === 'bounced')
  assert.equal(outcome.bounce?.destination, `via ${at(gateway)}`)
})
