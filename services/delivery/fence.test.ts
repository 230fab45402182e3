import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { FakeMx } from '@posthouse/testkit/fake-mx'
import type { FakeMxOptions } from '@posthouse/testkit/fake-mx'
import { FakeDelivery, testNode } from './test/fake-delivery.ts'
import type { TestNode } from './test/fake-delivery.ts'

const large = Buffer.from(`Subject: x\r\n\r\n${`${'y'.repeat(70)}\r\n`.repeat(2000)}`)

async function withMx(
  options: FakeMxOptions,
  work: (mx: FakeMx, node: TestNode) => Promise<void>,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await using mx = await FakeMx.start(options)
  await using node = await testNode({ 'route.smarthosts': [`127.0.0.1:${mx.port}`], ...settings })
  await work(mx, node)
}

test('nothing begins while the lease has no margin, and it begins when it has one again', () =>
  withMx({}, async (mx, node) => {
    const delivery = new FakeDelivery({ to: ['b@example.com'] })
    let asked = 0
    delivery.mayFinish = () => (asked += 1) > 3
    await node.deliver(delivery)
    assert.equal(delivery.how(), 'delivered')
    assert.equal(mx.dots, 1)
    assert.equal(delivery.began, 1)
  }))

for (const [what, content] of [
  ['small', undefined],
  ['large', large],
] as const)
  test(`a ${what} content whose lease lapsed after it began waits at the dot and goes when the lease is renewed`, () =>
    withMx({}, async (mx, node) => {
      const delivery = new FakeDelivery({ to: ['b@example.com'], ...(content && { content }) })
      let isHeld = true
      let asked = 0
      // The first question allows the beginning.
      delivery.mayFinish = () => (asked += 1) === 1 || !isHeld
      node.engine.give(delivery)
      await mx.until(() => mx.commands.includes('DATA'))
      while (asked < 3) await sleep(10)
      assert.equal(mx.dots, 0)
      isHeld = false
      await delivery.closed
      assert.equal(delivery.how(), 'delivered')
      assert.equal(mx.dots, 1)
      assert.equal(mx.sessions.length, 1)
    }))

for (const [what, content] of [
  ['small', undefined],
  ['large', large],
] as const)
  test(`the dot of a ${what} content is never seen when the lease is gone: the connection is dropped, the task stays open`, () =>
    withMx({}, async (mx, node) => {
      const delivery = new FakeDelivery({ to: ['b@example.com'], ...(content && { content }) })
      let asked = 0
      delivery.mayFinish = () => (asked += 1) === 1
      node.engine.give(delivery)
      await mx.until(() => mx.commands.includes('DATA'))
      node.engine.revoke(delivery.partition)
      await mx.until(() => mx.openSessions === 0)
      assert.equal(mx.dots, 0)
      assert.equal(mx.unfinished.length, 1)
      assert.equal(delivery.closes.length, 0)
      assert.equal(delivery.lostAfterDots, 0)
    }))

test('a dot held for too long costs the connection; the message begins anew when it may', () =>
  withMx({}, async (mx, node) => {
    const delivery = new FakeDelivery({ to: ['b@example.com'] })
    let dropped = false
    let asked = 0
    delivery.mayFinish = () => (asked += 1) === 1 || dropped
    node.engine.give(delivery)
    await mx.until(() => mx.commands.includes('DATA'))
    await mx.until(() => mx.openSessions === 0)
    assert.equal(mx.dots, 0)
    assert.equal(node.metrics.fenced.value, 1)
    dropped = true
    await delivery.closed
    assert.equal(delivery.how(), 'delivered')
    assert.equal(mx.messages.length, 1)
    assert.equal(delivery.began, 1)
  }))

test('the dot waits until the kernel has taken everything before it, and is asked for only then', () =>
  withMx(
    {
      answer({ verb, session }) {
        if (verb === 'DATA') session.stopReading()
        return undefined
      },
    },
    async (mx, node) => {
      // More than all socket buffers hold.
      const chunks = Array.from({ length: 64 }, () => Buffer.alloc(512 * 1024, `${'z'.repeat(70)}\r\n`))
      let read = 0
      const delivery = new FakeDelivery({ to: ['b@example.com'], chunks })
      const body = delivery.body.bind(delivery)
      delivery.body = async function* () {
        for await (const chunk of body()) {
          read += 1
          yield chunk
        }
      }
      let asked = 0
      delivery.mayFinish = () => (asked += 1) > 0
      node.engine.give(delivery)
      // It stops reading its source when the host stops taking.
      for (let before = -1; read === 0 || before !== read; await sleep(200)) before = read
      assert.ok(read < chunks.length, `${read} chunks read`)
      assert.equal(asked, 1)
      node.engine.revoke(delivery.partition)
      assert.equal(delivery.closes.length, 0)
      assert.equal(asked, 1)
      assert.equal(mx.dots, 0)
    },
  ))

test('what has its dot out when the partition is revoked is finished and told', () =>
  withMx({}, async (mx, node) => {
    const answer = Promise.withResolvers<string>()
    Object.assign(mx.options, {
      answer: ({ verb }: { verb: string }) => (verb === 'DOT' ? answer.promise : undefined),
    })
    const delivery = new FakeDelivery({ to: ['b@example.com'] })
    node.engine.give(delivery)
    await mx.until(() => mx.dots === 1)
    node.engine.revoke(delivery.partition)
    answer.resolve('250 2.0.0 taken')
    await delivery.closed
    assert.equal(delivery.how(), 'delivered')
  }))

test('a revoked partition takes only its own with it, waiting or held', () =>
  withMx(
    {},
    async (mx, node) => {
      const answer = Promise.withResolvers<string>()
      Object.assign(mx.options, {
        answer: ({ verb }: { verb: string }) => (verb === 'MAIL' ? answer.promise : undefined),
      })
      const [running, waiting, held, other] = [0, 0, 0, 1].map(
        (partition) => new FakeDelivery({ to: ['b@example.com'], partition }),
      )
      assert.ok(running && waiting && held && other)
      held.mayFinish = () => false
      for (const delivery of [held, running, waiting, other]) node.engine.give(delivery)
      await mx.until(() => mx.commands.some((command) => command.startsWith('MAIL')))
      node.engine.revoke(0)
      answer.resolve('250 Ok')
      await other.closed
      assert.equal(other.how(), 'delivered')
      for (const gone of [running, waiting, held]) assert.equal(gone.closes.length, 0)
      assert.equal(mx.messages.length, 1)
    },
    { 'limits.connectionsPerDestination': 1 },
  ))

test('a delivery that is no longer ours when it would begin is dropped, with all its parts', () =>
  withMx({}, async (mx, node) => {
    const gone = new FakeDelivery({ to: ['b@example.com'] })
    gone.onBegin = () => false
    node.engine.give(gone)
    await node.deliver(new FakeDelivery({ to: ['c@example.com'] }))
    assert.equal(gone.closes.length, 0)
    assert.equal(gone.began, 1)
    assert.deepEqual(
      mx.messages.map(({ rcpt }) => rcpt),
      [['<c@example.com>']],
    )
  }))
