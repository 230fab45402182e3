import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeMx } from '@posthouse/testkit/fake-mx'
import { KeptSpans } from '@posthouse/testkit/kept-spans'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { TlsAuthority } from '@posthouse/testkit/tls-authority'
import { deadPort } from './test/dead-port.ts'
import { FakeDelivery, SMALL_MAIL, testNode } from './test/fake-delivery.ts'

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const ofNo = ({ verb, line }: { verb: string; line: string }) =>
  verb === 'RCPT' && line.includes('<no@') ? '550 5.1.1 <no@example.com> unknown' : undefined

test('an attempt is a child of the span that the record carries, and says where, how and what came of it', async () => {
  await using folder = await temporaryFolder('spans')
  const authority = await TlsAuthority.create(folder.path)
  await using mx = await FakeMx.start({ tls: await authority.issue(['localhost']) })
  const tracer = new KeptSpans()
  await using node = await testNode({ 'route.smarthosts': [`127.0.0.1:${mx.port}`] }, { tracer })
  const attempts = { count: 2 }
  const delivery = new FakeDelivery({ to: ['a@example.com', 'b@example.com'], envelope: { traceparent, attempts } })
  await node.deliver(delivery)
  const [span] = tracer.spans
  assert.deepEqual([span?.name, span?.kind, span?.parent, span?.failed, span?.ended], ['deliver', 'client', traceparent, undefined, 1]) // prettier-ignore
  const { 'tls.cipher': cipher, ...attributes } = span?.attributes ?? {}
  assert.match(String(cipher), /^TLS_/)
  assert.deepEqual(attributes, {
    'messaging.message.id': delivery.envelope.id,
    'messaging.message.body.size': SMALL_MAIL.length,
    'network.protocol.name': 'smtp',
    'network.transport': 'tcp',
    'server.address': '127.0.0.1',
    'server.port': mx.port,
    'network.peer.address': '127.0.0.1',
    'tls.protocol.name': 'tls',
    'tls.protocol.version': '1.3',
    'posthouse.attempt': 3,
    'posthouse.destination': 'smarthost',
    'posthouse.recipients': 2,
    'posthouse.outcome': 'delivered',
    'posthouse.smtp.reply_code': 250,
    'posthouse.smtp.enhanced_code': '2.0.0',
  })
  assert.equal(node.log.find(({ msg }) => msg === 'delivered')?.['trace'], traceparent.slice(3, 35))
})

test('a refusal is an error with its codes and without its text, which may name people', async () => {
  await using mx = await FakeMx.start({ answer: ofNo })
  const tracer = new KeptSpans()
  await using node = await testNode({ 'route.smarthosts': [`127.0.0.1:${mx.port}`] }, { tracer })
  await node.deliver(new FakeDelivery({ to: ['no@example.com'], envelope: { traceparent } }))
  const [span] = tracer.spans
  assert.equal(span?.failed, '550 5.1.1')
  assert.partialDeepStrictEqual(span?.attributes, {
    'error.type': '550',
    'posthouse.outcome': 'bounced',
    'posthouse.smtp.reply_code': 550,
    'posthouse.smtp.enhanced_code': '5.1.1',
  })
  assert.ok(!JSON.stringify(tracer.spans).includes('example.com>'))
})

test('recipients with different fates are one attempt and one span, with their counts', async () => {
  await using mx = await FakeMx.start({ answer: ofNo })
  const tracer = new KeptSpans()
  await using node = await testNode({ 'route.smarthosts': [`127.0.0.1:${mx.port}`] }, { tracer })
  const to = ['no@example.com', 'a@example.com', 'b@example.com']
  await node.deliver(new FakeDelivery({ to, envelope: { traceparent } }))
  assert.equal(tracer.spans.length, 1)
  assert.partialDeepStrictEqual(tracer.spans[0]?.attributes, {
    'posthouse.outcome': 'mixed',
    'posthouse.recipients': 3,
    'posthouse.recipients.delivered': 2,
    'posthouse.recipients.bounced': 1,
    'posthouse.smtp.reply_code': 550,
  })
})

test('an attempt without a connection is a span, too', async () => {
  const tracer = new KeptSpans()
  await using node = await testNode({ 'route.smarthosts': [`127.0.0.1:${await deadPort()}`] }, { tracer })
  const delivery = await node.deliver(new FakeDelivery({ to: ['a@example.com'], envelope: { traceparent } }))
  assert.equal(delivery.how(), 'deferred')
  const [span] = tracer.spans
  assert.match(span?.failed ?? '', /ECONNREFUSED/)
  assert.partialDeepStrictEqual(span?.attributes, {
    'server.address': '127.0.0.1',
    'error.type': '4.4.1',
    'posthouse.attempt': 1,
    'posthouse.outcome': 'deferred',
  })
})

test('a trace that nobody keeps and a message without one leave no span, and no trace in the log', async () => {
  await using mx = await FakeMx.start()
  const tracer = new KeptSpans()
  await using node = await testNode({ 'route.smarthosts': [`127.0.0.1:${mx.port}`] }, { tracer })
  const unsampled = `${traceparent.slice(0, -1)}0`
  await node.deliver(new FakeDelivery({ to: ['a@example.com'], envelope: { traceparent: unsampled } }))
  await node.deliver(new FakeDelivery({ to: ['a@example.com'] }))
  assert.deepEqual(tracer.spans, [])
  assert.equal(mx.messages.length, 2)
  assert.ok(node.log.every((line) => !('trace' in line)))
})

test('a report carries the trace of the message it reports', async () => {
  await using mx = await FakeMx.start({ answer: ofNo })
  const tracer = new KeptSpans()
  await using node = await testNode({ 'route.smarthosts': [`127.0.0.1:${mx.port}`] }, { tracer })
  const failed = await node.deliver(new FakeDelivery({ to: ['no@example.com'], envelope: { traceparent } }))
  const outcome = failed.outcomes.get(0)
  assert.ok(outcome?.how === 'bounced' && outcome.bounce !== undefined)
  const { envelope } = outcome.bounce.record
  assert.equal(envelope.traceparent, traceparent)
  await node.deliver(new FakeDelivery({ to: ['sender@example.org'], envelope }))
  assert.partialDeepStrictEqual(tracer.spans[1]?.attributes, {
    'posthouse.report': true,
    'posthouse.outcome': 'delivered',
  })
  assert.equal(tracer.spans[1]?.parent, traceparent)
  const line = node.log.find(({ id, msg }) => id === envelope.id && msg === 'delivered')
  assert.deepEqual([line?.['reportOn'], line?.['trace']], [failed.envelope.id, traceparent.slice(3, 35)])
})
