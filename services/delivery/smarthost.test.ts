import assert from 'node:assert/strict'
import { test } from 'node:test'
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
