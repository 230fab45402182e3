import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Span, SpanOptions, Tracer } from '@posthouse/runtime/tracing'
import { FakeMx } from '@posthouse/testkit/fake-mx'
import { FakeDelivery, SMALL_MAIL, testNode } from './test/fake-delivery.ts'

test('mail goes to the smarthost as it lies, and its reply comes back', async () => {
  await using mx = await FakeMx.start()
  await using node = await testNode({ 'route.smarthosts': [`127.0.0.1:${mx.port}`] })
  const delivery = await node.deliver(new FakeDelivery({ to: ['a@example.com', 'b@example.net'] }))
  assert.equal(delivery.how(0), 'delivered')
  assert.equal(delivery.reply(1), '250 2.0.0 Ok: queued as 1')
  assert.equal(mx.messages.length, 1)
  assert.equal(mx.messages[0]?.content.toString(), SMALL_MAIL)
  assert.deepEqual(mx.messages[0]?.rcpt, ['<a@example.com>', '<b@example.net>'])
})

test('an attempt is a span of the trace that the record carries', async () => {
  const spans: (SpanOptions & { failed?: string; ended?: boolean })[] = []
  const tracer: Tracer = {
    isOn: true,
    start(name, options = {}): Span {
      const span: (typeof spans)[number] = { ...options }
      assert.equal(name, 'deliver')
      spans.push(span)
      return {
        traceparent: undefined,
        isRecording: true,
        set: () => {},
        fail: (reason) => (span.failed = reason),
        end: () => (span.ended = true),
      }
    },
    close: () => Promise.resolve(),
  }
  await using mx = await FakeMx.start({
    answer: ({ verb, line }) => (verb === 'RCPT' && line.includes('<no@') ? '550 5.1.1 no' : undefined),
  })
  await using node = await testNode({ 'route.smarthosts': [`127.0.0.1:${mx.port}`] }, { tracer })
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  await node.deliver(new FakeDelivery({ to: ['a@example.com'], envelope: { traceparent } }))
  await node.deliver(new FakeDelivery({ to: ['no@example.com'], envelope: { traceparent } }))
  assert.deepEqual(
    spans.map(({ parent, kind, failed, ended }) => ({ parent, kind, failed, ended })),
    [
      { parent: traceparent, kind: 'client', failed: undefined, ended: true },
      { parent: traceparent, kind: 'client', failed: '550 5.1.1 no', ended: true },
    ],
  )
})
