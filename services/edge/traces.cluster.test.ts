/** One trace per message, from the client's MAIL to the last reply, through edge, queue, delivery, retries and report. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeMx } from '@posthouse/testkit/fake-mx'
import { freePorts } from '@posthouse/testkit/free-port'
import { OtlpReceiver } from '@posthouse/testkit/otlp-receiver'
import { TlsAuthority } from '@posthouse/testkit/tls-authority'
import { Client } from './test/client.ts'
import { wholeRelay } from './test/whole-relay.ts'

const content = 'Subject: hello\r\n\r\nbody\r\n.\r\n'
const relay = (port: number | undefined) => ({
  listeners: [{ role: 'relay', host: '127.0.0.1', port, networks: ['127.0.0.0/8'] }],
})

async function send(port: number | undefined, ...to: string[]): Promise<string> {
  const client = await Client.greeted(port ?? 0)
  await client.command('MAIL FROM:<anna@home.example>')
  for (const recipient of to) assert.match(await client.command(`RCPT TO:<${recipient}>`), /^250 /)
  assert.match(await client.command('DATA'), /^354 /)
  client.write(content)
  const reply = await client.reply()
  client.close()
  return /^250 2\.0\.0 Ok: queued as (\w+)$/.exec(reply)?.[1] ?? assert.fail(reply)
}

test('a message to three sites, of which one defers twice and one refuses, is one trace whose attempts are children of its acceptance; one that is not sampled is none', async () => {
  await using whole = await wholeRelay(3)
  await using collector = await OtlpReceiver.start()
  const authority = await TlsAuthority.create(whole.folder)
  await using home = await FakeMx.start({ tls: await authority.issue(['localhost']) })
  let tries = 0
  await using busy = await FakeMx.start({
    answer: ({ verb }) => (verb === 'RCPT' && ++tries <= 2 ? '451 4.7.1 greylisted' : undefined),
  })
  await using strict = await FakeMx.start({
    answer: ({ verb }) => (verb === 'RCPT' ? '550 5.1.1 <bob@strict.example> unknown' : undefined),
  })
  const tracing = { endpoint: collector.endpoint, oneIn: 1 }
  const seldom = { endpoint: collector.endpoint, oneIn: 1_000_000 }
  const [first, second] = whole.ports
  const site = (domain: string, mx: FakeMx) => ({ domain, hosts: [`127.0.0.1:${mx.port}`] })
  const delivery = await whole.delivery('delivery-1', {
    // Whatever its own share of traces is, it goes on with those that have begun.
    tracing: seldom,
    route: { domains: [site('home.example', home), site('busy.example', busy), site('strict.example', strict)] },
    retry: { first: '1s' },
  })
  const edge = await whole.edge('edge-1', { tracing, ...relay(first) })
  const silentEdge = await whole.edge('edge-2', { tracing: seldom, ...relay(second) })

  const unsampled = await send(second, 'carl@home.example')
  const id = await send(first, 'carl@home.example', 'dora@busy.example', 'bob@strict.example')
  await busy.until(() => busy.messages.length === 1)
  // Twice mail for carl, and the report to anna.
  await home.until(() => home.messages.length === 3)
  for (const node of [edge, silentEdge, delivery]) assert.equal(await node.stop(), 0, node.lines.join('\n'))

  const { spans } = collector
  const accept = spans.find(({ name }) => name === 'accept')
  assert.ok(accept !== undefined)
  assert.deepEqual([...new Set(spans.map(({ traceId }) => traceId))], [accept.traceId])
  assert.deepEqual([accept.service, accept.parentSpanId, accept.kind], ['posthouse-edge', '', 2])
  for (const { name, parentSpanId } of spans) if (name !== 'accept') assert.equal(parentSpanId, accept.spanId, name)
  assert.ok(spans.every(({ attributes }) => attributes['messaging.message.id'] !== unsampled))
  assert.partialDeepStrictEqual(accept.attributes, {
    'messaging.message.id': id,
    'client.address': '127.0.0.1',
    'posthouse.recipients': 3,
    'posthouse.outcome': 'accepted',
  })
  const publish = spans.find(({ name }) => name === 'publish')
  assert.equal(publish?.kind, 4)
  assert.ok(publish.start >= accept.start && publish.end <= accept.end)

  const attempts = spans.filter(({ name }) => name === 'deliver')
  assert.ok(attempts.every(({ service, kind }) => service === 'posthouse-delivery' && kind === 3))
  const told = attempts.map(({ attributes, status }) => {
    const { [`posthouse.attempt`]: number, 'posthouse.outcome': outcome, 'server.port': port } = attributes
    const isReport = attributes['messaging.message.id'] !== id
    const site = port === home.port ? 'home' : port === busy.port ? 'busy' : 'strict'
    const code = attributes['posthouse.smtp.reply_code']
    return [isReport ? 'report' : site, number, outcome, code, attributes['tls.protocol.version'], status.message]
  })
  assert.deepEqual(
    told.toSorted((a, b) => `${String(a[0])} ${String(a[1])}`.localeCompare(`${String(b[0])} ${String(b[1])}`)),
    [
      ['busy', 1, 'deferred', 451, undefined, '451 4.7.1'],
      ['busy', 2, 'deferred', 451, undefined, '451 4.7.1'],
      ['busy', 3, 'delivered', 250, undefined, ''],
      ['home', 1, 'delivered', 250, '1.3', ''],
      ['report', 1, 'delivered', 250, '1.3', ''],
      ['strict', 1, 'bounced', 550, undefined, '550 5.1.1'],
    ],
  )
  for (const { attributes, start, end } of attempts) {
    assert.ok(start <= end && start >= accept.start)
    assert.partialDeepStrictEqual(attributes, { 'network.peer.address': '127.0.0.1', 'network.protocol.name': 'smtp' })
  }

  // The same id and trace in every line of it, on both nodes; the reply's text is there.
  const lines = ['delivered', 'deferred', 'bounced'].flatMap((message) => delivery.logged(message))
  const [accepted] = edge.logged('accepted')
  assert.deepEqual([accepted?.['id'], accepted?.['trace']], [id, accept.traceId])
  const own = lines.filter((line) => line['id'] === id)
  assert.equal(own.length, 5)
  const [bounced] = own.filter(({ msg }) => msg === 'bounced')
  assert.equal(bounced?.['reply'], '550 5.1.1 <bob@strict.example> unknown')
  const report = lines.filter((line) => line['id'] === bounced?.['report'])
  assert.deepEqual([report.length, report[0]?.['reportOn']], [1, id])
  for (const line of [...own, ...report]) assert.equal(line['trace'], accept.traceId)
  for (const line of lines.filter((line) => line['id'] === unsampled)) assert.ok(!('trace' in line))
})

test('a collector that hangs, or is not there, keeps neither mail nor the stop of a node', async () => {
  await using whole = await wholeRelay(1)
  await using collector = await OtlpReceiver.start()
  collector.hangs = true
  await using mx = await FakeMx.start()
  const [closed] = await freePorts(1)
  // The exporter's own patience is longer than the deadline of the stop.
  const stop = { deadline: '8s' }
  const [port] = whole.ports
  const route = { smarthosts: [`127.0.0.1:${mx.port}`] }
  const atOnce = { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '1' }
  const gone = { endpoint: `http://127.0.0.1:${closed}` }
  const delivery = await whole.delivery(
    'delivery-1',
    { tracing: gone, stop, route },
    { ...atOnce, OTEL_EXPORTER_OTLP_TIMEOUT: '200' },
  )
  const edge = await whole.edge('edge-1', { tracing: { endpoint: collector.endpoint }, stop, ...relay(port) }, atOnce)
  await send(port, 'first@home.example')
  await collector.until(({ requests }) => requests > 0)
  for (let sent = 0; sent < 100; sent++) await send(port, `${sent}@home.example`)
  await mx.until(() => mx.messages.length === 101)
  assert.equal(collector.requests, 1)
  assert.equal(await edge.stop(), 0, edge.lines.join('\n'))
  assert.equal(await delivery.stop(), 0, delivery.lines.join('\n'))
  for (const node of [edge, delivery]) assert.deepEqual(node.logged('stop cut off by stop.deadline'), [])
  assert.equal(delivery.logged('trouble with traces').length, 1)
})
