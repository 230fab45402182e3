import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeMx } from '@posthouse/testkit/fake-mx'
import type { FakeMxOptions } from '@posthouse/testkit/fake-mx'
import { FakeSocks } from '@posthouse/testkit/fake-socks'
import { TlsAuthority } from '@posthouse/testkit/tls-authority'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { DnsZone } from '@posthouse/testkit/dns-zone'
import { deadPort } from './test/dead-port.ts'
import { FakeDelivery, testNode } from './test/fake-delivery.ts'
import type { FakeOptions, TestNode } from './test/fake-delivery.ts'

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

/** Those series of a metric that are not 0, by what stands in the braces. */
async function seriesOf(node: TestNode, metric: string): Promise<Record<string, number>> {
  const lines = (await node.metricsText()).split('\n').filter((line) => line.startsWith(metric))
  const found = lines.map((line) => /^\w+(?:\{(.*)\})? (\S+)$/.exec(line))
  return Object.fromEntries(
    found.map((match) => [match?.[1] ?? '', Number(match?.[2])]).filter(([, value]) => value !== 0),
  )
}

function answering(replies: Readonly<Record<string, string>>): FakeMxOptions['answer'] {
  return ({ verb, line }) => (verb === 'RCPT' ? replies[/<(\w+)@/.exec(line)?.[1] ?? ''] : undefined)
}

test('attempts are counted by what they came to, recipients by the code that decided', async () => {
  const replies = {
    later: '451 4.7.1 come back',
    gone: '550 5.1.1 no such user',
    odd: '571 5.7.1 no',
    cross: '477 later',
  }
  await using mx = await FakeMx.start({ answer: answering(replies) })
  await using node = await testNode({ 'route.smarthosts': [`127.0.0.1:${mx.port}`] })
  const send = (...names: string[]) =>
    node.deliver(new FakeDelivery({ to: names.map((name) => `${name}@example.com`) }))
  await send('a')
  await send('b', 'c')
  await send('later')
  await send('gone', 'odd')
  await send('d', 'gone', 'cross')
  assert.deepEqual(await seriesOf(node, 'posthouse_delivery_attempts_total'), {
    'result="delivered"': 2,
    'result="temporary"': 1,
    'result="permanent"': 1,
    'result="mixed"': 1,
  })
  assert.deepEqual(await seriesOf(node, 'posthouse_delivery_replies_total'), {
    'code="250"': 4,
    'code="451"': 1,
    'code="4xx"': 1,
    'code="550"': 2,
    'code="5xx"': 1,
  })
  assert.deepEqual(await seriesOf(node, 'posthouse_delivery_transactions_total'), { '': 5 })
  assert.deepEqual(await seriesOf(node, 'posthouse_delivery_transaction_seconds_count'), { '': 5 })
})

test('without a reply, and without a connection, an attempt counts as what it is', async () => {
  await using mx = await FakeMx.start({ answer: ({ verb }) => (verb === 'MAIL' ? { do: 'reset' } : undefined) })
  await using silent = await testNode({ 'route.smarthosts': [`127.0.0.1:${mx.port}`] })
  await silent.deliver(new FakeDelivery({ to: ['a@example.com'] }))
  assert.deepEqual(await seriesOf(silent, 'posthouse_delivery_attempts_total'), { 'result="no_reply"': 1 })
  assert.deepEqual(await seriesOf(silent, 'posthouse_delivery_replies_total'), { 'code="none"': 1 })

  await using dead = await testNode({ 'route.smarthosts': [`127.0.0.1:${await deadPort()}`] })
  await dead.deliver(new FakeDelivery({ to: ['a@example.com', 'b@example.com'] }))
  assert.deepEqual(await seriesOf(dead, 'posthouse_delivery_attempts_total'), { 'result="unreachable"': 1 })
  assert.deepEqual(await seriesOf(dead, 'posthouse_delivery_replies_total'), { 'code="none"': 2 })
  assert.deepEqual(await seriesOf(dead, 'posthouse_delivery_destinations_backed_off'), { '': 1 })

  await using away = await testNode({
    'route.smarthosts': [`127.0.0.1:${mx.port}`],
    'egress.socks': [`127.0.0.1:${await deadPort()}`],
  })
  await away.deliver(new FakeDelivery({ to: ['a@example.com'] }))
  assert.deepEqual(await seriesOf(away, 'posthouse_delivery_attempts_total'), { 'result="cut_off"': 1 })
  assert.deepEqual(Object.values(await seriesOf(away, 'posthouse_delivery_exit_failing')), [1])
})

test('a host that refuses to talk counts with its code', async () => {
  await using mx = await FakeMx.start({ answer: ({ verb }) => (verb === 'CONNECT' ? '554 5.7.1 go away' : undefined) })
  await using node = await testNode({ 'route.smarthosts': [`127.0.0.1:${mx.port}`] })
  await node.deliver(new FakeDelivery({ to: ['a@example.com'] }))
  assert.deepEqual(await seriesOf(node, 'posthouse_delivery_attempts_total'), { 'result="unreachable"': 1 })
  assert.deepEqual(await seriesOf(node, 'posthouse_delivery_replies_total'), { 'code="554"': 1 })
})

test('connections are shown by destination and by way out, and what waits by destination', async () => {
  const hangs: FakeMxOptions = { answer: ({ verb }) => (verb === 'MAIL' ? { do: 'hang' } : undefined) }
  await using a = await FakeMx.start(hangs)
  await using b = await FakeMx.start(hangs)
  await using proxy = await FakeSocks.start()
  const [toA, toB] = [`127.0.0.1:${a.port}`, `127.0.0.1:${b.port}`]
  await using node = await testNode({
    'route.smarthosts': [toB],
    'route.domains': [{ domain: 'a.example', hosts: [toA] }],
    'egress.socks': [proxy.name],
    'limits.connectionsPerDestination': 2,
  })
  const give = (to: string): void => node.engine.give(new FakeDelivery({ to: [to] }))
  for (let i = 0; i < 5; i++) give('x@a.example')
  give('x@b.example')
  const hang =
    (count: number) =>
    ({ sessions }: FakeMx): boolean =>
      sessions.filter(({ seen }) => seen.has('MAIL')).length === count
  await a.until(hang(2))
  await b.until(hang(1))
  assert.deepEqual(await seriesOf(node, 'posthouse_delivery_destination_connections'), {
    [`destination="via ${toA}"`]: 2,
    'destination="smarthost"': 1,
  })
  assert.deepEqual(await seriesOf(node, 'posthouse_delivery_destination_ready'), { [`destination="via ${toA}"`]: 3 })
  assert.deepEqual(await seriesOf(node, 'posthouse_delivery_exit_connections'), { [`exit="${proxy.name}"`]: 3 })
  node.engine.letGo('all')
})

test('encrypted connections are counted by version', async () => {
  await using folder = await temporaryFolder('metrics')
  const authority = await TlsAuthority.create(folder.path)
  await using mx = await FakeMx.start({ tls: await authority.issue(['localhost']) })
  await using node = await testNode({ 'route.smarthosts': [`127.0.0.1:${mx.port}`] })
  await node.deliver(new FakeDelivery({ to: ['a@example.com'] }))
  assert.deepEqual(await seriesOf(node, 'posthouse_delivery_tls_connections_total'), { 'version="TLSv1.3"': 1 })
  assert.deepEqual(await seriesOf(node, 'posthouse_delivery_connections_opened_total'), { 'result="tls"': 1 })
})

test('what the DNS is asked is counted by what it says, and only when it is asked', async () => {
  const zone = await DnsZone.start({})
  try {
    await using node = await testNode({ 'dns.servers': [zone.server], 'dns.timeout': '200ms' })
    await node.deliver(new FakeDelivery({ to: ['a@missing.example'] }))
    await node.deliver(new FakeDelivery({ to: ['b@missing.example'] }))
    assert.deepEqual(await seriesOf(node, 'posthouse_delivery_dns_lookups_total'), {
      'type="mx",result="no_such_name"': 1,
    })
    assert.deepEqual(await seriesOf(node, 'posthouse_delivery_attempts_total'), { 'result="unroutable"': 2 })
  } finally {
    await zone.close()
  }
})

test('the times of a traced message lead to its trace', async () => {
  await using mx = await FakeMx.start({})
  const span = { traceparent, isRecording: true, set() {}, fail() {}, end() {} }
  const tracer = { isOn: true, start: () => span, close: () => Promise.resolve() }
  const traced: FakeOptions = { to: ['a@example.com'], envelope: { traceparent } }
  await using node = await testNode({ 'route.smarthosts': [`127.0.0.1:${mx.port}`] }, { tracer })
  await node.deliver(new FakeDelivery(traced))
  const text = await node.metricsText(true)
  for (const metric of ['transaction_seconds', 'accepted_to_delivered_seconds'])
    assert.match(
      text,
      new RegExp(
        `^posthouse_delivery_${metric}_bucket\\{le=".*"\\} 1 # \\{trace_id="${traceparent.slice(3, 35)}"\\}`,
        'm',
      ),
    )
})
