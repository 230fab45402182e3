import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeptSpans } from '@posthouse/testkit/kept-spans'
import { Client } from './test/client.ts'
import { FakeQueue } from './test/fake-queue.ts'
import { password, startTestEdge } from './test/test-edge.ts'

const content = 'Subject: hello\r\n\r\nbody\r\n.\r\n'

test('the record carries the trace of its acceptance, whose spans say who and how, but not the user', async () => {
  const tracer = new KeptSpans()
  await using edge = await startTestEdge({ tracer })
  const client = await Client.secure(edge.ports.submissions)
  await client.reply()
  await client.command('EHLO x')
  await client.login('anna', password)
  assert.match(await client.mail('anna@example.org', 'c@d.example', content), /^250 /)
  client.close()
  const [accept, publish] = tracer.spans
  const { envelope } = edge.queue.records[0] ?? {}
  assert.equal(envelope?.traceparent, accept?.traceparent)
  assert.deepEqual([accept?.name, accept?.kind, accept?.parent, accept?.ended], ['accept', 'server', undefined, 1])
  assert.deepEqual([publish?.name, publish?.kind, publish?.parent, publish?.ended], ['publish', 'producer', accept?.traceparent, 1]) // prettier-ignore
  const { 'tls.cipher': cipher, ...attributes } = accept?.attributes ?? {}
  assert.match(String(cipher), /^TLS_/)
  const message = {
    'messaging.message.id': envelope?.id,
    'messaging.message.body.size': envelope?.facts.size,
  }
  assert.deepEqual(attributes, {
    ...message,
    'client.address': '127.0.0.1',
    'server.address': 'edge.example',
    'network.protocol.name': 'smtp',
    'network.transport': 'tcp',
    'tls.protocol.name': 'tls',
    'tls.protocol.version': '1.3',
    'posthouse.listener.role': 'submissions',
    'posthouse.authenticated': true,
    'posthouse.recipients': 1,
    'posthouse.outcome': 'accepted',
  })
  assert.deepEqual(publish?.attributes, {
    ...message,
    'messaging.system': 'nats',
    'messaging.operation.name': 'publish',
    'messaging.operation.type': 'send',
  })
  assert.ok(!JSON.stringify(tracer.spans).includes('anna'))
  assert.equal(edge.lines().find(({ msg }) => msg === 'accepted')?.['trace'], accept?.traceparent.slice(3, 35))
})

test('a message that the queue refuses, or whose fate nobody knows, ends its trace as an error', async () => {
  for (const fate of [{ is: 'refused', why: 'full' }, { is: 'unknown' }] as const) {
    const tracer = new KeptSpans()
    const queue = new FakeQueue()
    queue.fate = fate
    await using edge = await startTestEdge({ tracer, queue })
    const client = await Client.greeted(edge.ports.relay)
    assert.match(
      await client.mail('a@b.example', 'c@d.example', content),
      fate.is === 'refused' ? /^452 4\.3\.1/ : /^$/,
    )
    client.close()
    const why = fate.is === 'refused' ? fate.why : fate.is
    for (const span of tracer.spans)
      assert.deepEqual([span.failed, span.attributes['error.type'], span.ended], [why, why, 1], span.name)
    assert.equal(tracer.spans[0]?.attributes['posthouse.outcome'], fate.is)
    const line = edge.lines().find(({ msg }) => msg === (fate.is === 'refused' ? 'message refused' : 'fate unknown'))
    const trace = tracer.spans[0]?.traceparent.slice(3, 35)
    assert.deepEqual([line?.['id'], line?.['trace']], [queue.records[0]?.envelope.id, trace])
  }
})

test('a trace that nobody keeps goes with the record, so that nobody begins another, and is not in the log', async () => {
  const tracer = new KeptSpans(false)
  await using edge = await startTestEdge({ tracer })
  const client = await Client.greeted(edge.ports.relay)
  assert.match(await client.mail('a@b.example', 'c@d.example', content), /^250 /)
  client.close()
  assert.match(edge.queue.records[0]?.envelope.traceparent ?? '', /-00$/)
  assert.deepEqual(
    tracer.spans.map(({ name, ended, attributes }) => [name, ended, attributes]),
    [['accept', 0, {}]],
  )
  assert.ok(edge.lines().every((line) => !('trace' in line)))
})
