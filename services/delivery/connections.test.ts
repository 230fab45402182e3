import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { FakeMx, USUAL_EXTENSIONS } from '@posthouse/testkit/fake-mx'
import type { FakeMxOptions } from '@posthouse/testkit/fake-mx'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { TlsAuthority } from '@posthouse/testkit/tls-authority'
import { deadPort } from './test/dead-port.ts'
import { FakeDelivery, testNode } from './test/fake-delivery.ts'
import type { TestNode } from './test/fake-delivery.ts'

async function withMx(
  options: FakeMxOptions,
  settings: Readonly<Record<string, unknown>>,
  work: (mx: FakeMx, node: TestNode) => Promise<void>,
): Promise<void> {
  await using mx = await FakeMx.start(options)
  await using node = await testNode({ 'route.smarthosts': [`127.0.0.1:${mx.port}`], ...settings })
  await work(mx, node)
}

const mail = (address = 'b@example.com'): FakeDelivery => new FakeDelivery({ to: [address] })

test('a connection takes one message after the other', () =>
  withMx({}, { 'limits.connectionsPerDestination': 1 }, async (mx, node) => {
    await Promise.all(Array.from({ length: 20 }, () => node.deliver(mail())))
    assert.equal(mx.messages.length, 20)
    assert.equal(mx.sessions.length, 1)
    assert.ok(!mx.commands.includes('RSET'))
  }))

test('after so many messages a connection is closed in good order and another opened', () =>
  withMx({}, { 'limits.connectionsPerDestination': 1, 'limits.messagesPerConnection': 3 }, async (mx, node) => {
    await Promise.all(Array.from({ length: 9 }, () => node.deliver(mail())))
    assert.deepEqual(
      [0, 1, 2].map((session) => mx.messages.filter((one) => one.session === session).length),
      [3, 3, 3],
    )
    await mx.until(() => mx.openSessions === 0)
    assert.equal(mx.commands.filter((command) => command === 'QUIT').length, 3)
  }))

test('a connection without work is closed after a while', () =>
  withMx({}, { 'timeouts.idle': '100ms' }, async (mx, node) => {
    await node.deliver(mail())
    await mx.until(() => mx.openSessions === 0)
    assert.equal(mx.commands.at(-1), 'QUIT')
    assert.equal(node.engine.connections, 0)
  }))

test('no more connections to a destination than its limit, nor of the node than its own', async () => {
  for (const settings of [{ 'limits.connectionsPerDestination': 3 }, { 'limits.connections': 3 }])
    await withMx({}, settings, async (mx, node) => {
      let most = 0
      Object.assign(mx.options, {
        answer: () => {
          most = Math.max(most, mx.openSessions)
          return undefined
        },
      })
      await Promise.all(Array.from({ length: 30 }, () => node.deliver(mail())))
      assert.equal(mx.messages.length, 30)
      assert.ok(most <= 3, `${most} connections`)
    })
})

test('a connection lost between the dot and its reply counts a possible duplicate and is tried later', () =>
  withMx({ answer: ({ verb }) => (verb === 'DOT' ? { do: 'drop' } : undefined) }, {}, async (_mx, node) => {
    const delivery = await node.deliver(mail())
    assert.equal(delivery.how(), 'deferred')
    assert.equal(delivery.lostAfterDots, 1)
    assert.match(delivery.reply() ?? '', /^4\.4\.2 /)
    assert.equal(node.metrics.lostAfterDot.value, 1)
  }))

test('of a message for several, those may have it twice whom the host had taken before the connection was lost', () =>
  withMx(
    {
      answer: ({ verb, line }) =>
        verb === 'DOT' ? { do: 'drop' } : verb === 'RCPT' && line.includes('<b@') ? '450 4.2.0 later' : undefined,
    },
    {},
    async (_mx, node) => {
      const to = ['a@example.com', 'b@example.com', 'c@example.com']
      const delivery = await node.deliver(new FakeDelivery({ to }))
      assert.equal(delivery.lostAfterDots, 2)
    },
  ))

test('a host that hangs after the dot is waited for as long as the setting says, and then the same', () =>
  withMx(
    { answer: ({ verb }) => (verb === 'DOT' ? { do: 'hang' } : undefined) },
    { 'timeouts.final': '1s' },
    async (_mx, node) => {
      const delivery = await node.deliver(mail())
      assert.equal(delivery.how(), 'deferred')
      assert.equal(delivery.lostAfterDots, 1)
      assert.equal(delivery.reply(), '4.4.2 timeout while waiting for the reply to the final dot')
    },
  ))

test('each phase has its own limit of time', async () => {
  const rows: [verb: string, setting: string, expected: RegExp][] = [
    ['CONNECT', 'timeouts.greeting', /waiting for the greeting/],
    ['EHLO', 'timeouts.command', /waiting for a reply/],
    ['MAIL', 'timeouts.command', /waiting for a reply/],
    ['RCPT', 'timeouts.command', /waiting for a reply/],
    ['DATA', 'timeouts.data', /waiting for the reply to DATA/],
  ]
  await Promise.all(
    rows.map(([verb, setting, expected]) =>
      withMx(
        { answer: (command) => (command.verb === verb ? { do: 'hang' } : undefined) },
        { [setting]: '1s' },
        async (_mx, node) => {
          const delivery = await node.deliver(mail())
          assert.equal(delivery.how(), 'deferred', verb)
          assert.match(delivery.reply() ?? '', expected, verb)
          assert.equal(delivery.lostAfterDots, 0, verb)
        },
      ),
    ),
  )
})

test('a host that stops taking a large content is given up after the time for a block', () =>
  withMx(
    {
      answer({ verb, session }) {
        if (verb === 'DATA') session.stopReading()
        return undefined
      },
    },
    { 'timeouts.block': '1s' },
    async (_mx, node) => {
      const chunks = Array.from({ length: 40 }, () => Buffer.alloc(512 * 1024, 'x\r\n'))
      const delivery = await node.deliver(new FakeDelivery({ to: ['b@example.com'], chunks }))
      assert.equal(delivery.reply(), '4.4.2 timeout while waiting for the host to take the content')
      assert.equal(delivery.lostAfterDots, 0)
    },
  ))

test('a host that answers one byte at a time does not hold the connection for ever', async () => {
  const server = createServer((socket) => {
    const timer = setInterval(() => socket.write('2'), 50)
    socket.on('close', () => clearInterval(timer))
    socket.on('error', () => {})
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  {
    await using node = await testNode({ 'route.smarthosts': [`127.0.0.1:${port}`], 'timeouts.greeting': '1s' })
    const delivery = await node.deliver(mail())
    assert.match(delivery.reply() ?? '', /timeout while waiting for the greeting/)
  }
  server.close()
})

for (const [what, action] of [
  ['closed by the host meanwhile', { do: 'drop' }],
  ['reset meanwhile', { do: 'reset' }],
  ['answered with 421', '421 4.4.2 idle too long'],
] as const)
  test(`a kept connection that was ${what} costs the message nothing: it goes on another at once`, () =>
    withMx(
      { answer: ({ verb, session }) => (verb === 'MAIL' && session.seen.get('MAIL') === 2 ? action : undefined) },
      { 'limits.connectionsPerDestination': 1 },
      async (mx, node) => {
        await node.deliver(mail('a@example.com'))
        const second = await node.deliver(mail('b@example.com'))
        assert.equal(second.how(), 'delivered')
        assert.equal(second.began, 1)
        assert.equal(mx.sessions.length, 2)
      },
    ))

test('what begins anew is judged anew: a recipient that cannot be sent is closed once', () =>
  withMx(
    {
      extensions: ['PIPELINING'],
      answer: ({ verb, session }) => (verb === 'MAIL' && session.seen.get('MAIL') === 2 ? { do: 'drop' } : undefined),
    },
    { 'limits.connectionsPerDestination': 1 },
    async (_mx, node) => {
      await node.deliver(mail('a@example.com'))
      const second = await node.deliver(new FakeDelivery({ to: ['bärbel@example.com', 'b@example.com'] }))
      assert.deepEqual([second.how(0), second.how(1)], ['bounced', 'delivered'])
      assert.equal(second.closes.length, 2)
    },
  ))

test('421 in the middle defers who is not decided yet, and ends the connection', () =>
  withMx(
    {
      answer: ({ verb, line }) =>
        verb === 'RCPT' ? (line.includes('<a@') ? '550 5.1.1 no' : '421 4.3.2 going down') : undefined,
    },
    {},
    async (mx, node) => {
      const delivery = await node.deliver(new FakeDelivery({ to: ['a@example.com', 'b@example.com', 'c@example.com'] }))
      assert.deepEqual(
        [0, 1, 2].map((position) => delivery.how(position)),
        ['bounced', 'deferred', 'deferred'],
      )
      assert.equal(delivery.reply(1), '421 4.3.2 going down')
      await mx.until(() => mx.openSessions === 0)
    },
  ))

test('what is no reply ends the connection', () =>
  withMx(
    { answer: ({ verb }) => (verb === 'MAIL' ? 'HTTP/1.1 400 Bad Request' : undefined) },
    {},
    async (_mx, node) => {
      const delivery = await node.deliver(mail())
      assert.equal(delivery.how(), 'deferred')
      assert.equal(delivery.reply(), '4.4.2 the host sent what is no reply')
    },
  ))

test('a reply that nobody asked for never answers the next message', () =>
  withMx(
    {
      answer: ({ verb, session }) =>
        verb === 'DOT' && session.number === 0 ? '250 2.0.0 taken\r\n550 5.7.1 by the way' : undefined,
    },
    { 'limits.connectionsPerDestination': 1 },
    async (mx, node) => {
      const both = await Promise.all([node.deliver(mail('a@example.com')), node.deliver(mail('b@example.com'))])
      assert.deepEqual(
        both.map((delivery) => delivery.how()),
        ['delivered', 'delivered'],
      )
      assert.equal(mx.sessions.length, 2)
    },
  ))

test('a handshake that fails is followed by a connection without TLS, which is remembered', () =>
  withMx(
    {
      extensions: [...USUAL_EXTENSIONS, 'STARTTLS'],
      answer: ({ verb }) => (verb === 'STARTTLS' ? '220 go\r\nthis is no handshake' : undefined),
    },
    { 'limits.messagesPerConnection': 1 },
    async (mx, node) => {
      const first = await node.deliver(mail())
      assert.equal(first.how(), 'delivered', first.reply())
      assert.equal(mx.sessions.length, 2)
      const second = await node.deliver(mail())
      assert.equal(second.how(), 'delivered')
      assert.equal(mx.sessions.length, 3)
    },
  ))

test('a refused STARTTLS changes nothing', () =>
  withMx(
    {
      extensions: [...USUAL_EXTENSIONS, 'STARTTLS'],
      answer: ({ verb }) => (verb === 'STARTTLS' ? '454 4.7.0 not now' : undefined),
    },
    {},
    async (mx, node) => {
      const delivery = await node.deliver(mail())
      assert.equal(delivery.how(), 'delivered', delivery.reply())
      assert.equal(mx.messages[0]?.tls, false)
    },
  ))

test('TLS is used where it is offered, and not where the setting says so', async () => {
  await using folder = await temporaryFolder('delivery')
  const authority = await TlsAuthority.create(folder.path)
  const tls = await authority.issue(['elsewhere.test'])
  await withMx({ tls }, {}, async (mx, node) => {
    await node.deliver(mail())
    assert.equal(mx.messages[0]?.tls, true)
  })
  await withMx({ tls }, { tls: 'off' }, async (mx, node) => {
    await node.deliver(mail())
    assert.equal(mx.messages[0]?.tls, false)
  })
})

test('a host that knows HELO only gets HELO', () =>
  withMx({ answer: ({ verb }) => (verb === 'EHLO' ? '502 5.5.1 what?' : undefined) }, {}, async (mx, node) => {
    const delivery = await node.deliver(mail())
    assert.equal(delivery.how(), 'delivered')
    assert.equal(mx.messages[0]?.mail, '<sender@example.org>')
  }))

test('smarthosts are tried in order: the next one when one is down or greets with 4xx or 5xx', async () => {
  const dead = await deadPort()
  await using busy = await FakeMx.start({
    answer: ({ verb }) => (verb === 'CONNECT' ? '421 4.3.2 too busy' : undefined),
  })
  await using closed = await FakeMx.start({
    answer: ({ verb }) => (verb === 'CONNECT' ? '554 5.3.2 not me' : undefined),
  })
  await using good = await FakeMx.start()
  await using last = await FakeMx.start()
  {
    const smarthosts = [dead, busy.port, closed.port, good.port, last.port].map((port) => `127.0.0.1:${port}`)
    await using node = await testNode({ 'route.smarthosts': smarthosts, 'limits.messagesPerConnection': 1 })
    assert.equal((await node.deliver(mail())).how(), 'delivered')
    assert.equal((await node.deliver(mail())).how(), 'delivered')
    assert.equal(good.messages.length, 2)
    assert.equal(last.sessions.length, 0)
    // Those that failed are left alone for a while.
    assert.equal(busy.sessions.length, 1)
  }
})

test('when nobody answers, all that waits is deferred together, and what comes then, too', async () => {
  const dead = await deadPort()
  await using node = await testNode({ 'route.smarthosts': [`127.0.0.1:${dead}`] })
  const waiting = Array.from({ length: 50 }, () => mail())
  await Promise.all(waiting.map((delivery) => node.deliver(delivery)))
  for (const delivery of waiting) {
    assert.equal(delivery.how(), 'deferred')
    assert.match(delivery.reply() ?? '', /^4\.4\.1 .*ECONNREFUSED/)
    assert.equal(delivery.began, 0)
  }
  // Due together, so that they go into few entries.
  const due = waiting.map((delivery) => (delivery.outcomes.get(0) as { due: number }).due)
  assert.ok(Math.max(...due) - Math.min(...due) < 1000)
  assert.equal(node.engine.hasRoom('smarthost'), false)
  const late = await node.deliver(mail())
  assert.equal(late.how(), 'deferred')
})

test('a host that takes a connection and hangs up is no better than one that does not answer', () =>
  withMx({ answer: ({ verb }) => (verb === 'MAIL' ? { do: 'drop' } : undefined) }, {}, async (mx, node) => {
    const waiting = Array.from({ length: 50 }, () => mail())
    await Promise.all(waiting.map((delivery) => node.deliver(delivery)))
    assert.ok(waiting.every((delivery) => delivery.how() === 'deferred' && delivery.lostAfterDots === 0))
    // Those that were opened at first, and none for the rest.
    assert.ok(mx.sessions.length <= 20, `${mx.sessions.length} connections`)
    assert.equal(node.engine.hasRoom('smarthost'), false)
  }))

test('a message that a host chokes on does not keep the others from it', () =>
  withMx(
    {
      answer: ({ verb, session }) =>
        verb === 'DOT' && session.rcpt[0] === '<poison@example.com>' ? { do: 'drop' } : undefined,
    },
    { 'limits.connectionsPerDestination': 1 },
    async (_mx, node) => {
      const [poison, good] = [mail('poison@example.com'), mail()]
      node.engine.give(poison)
      await node.deliver(good)
      assert.equal(poison.how(), 'deferred')
      assert.equal(good.how(), 'delivered')
    },
  ))

test('a greeting that refuses is reported as what the host said', () =>
  withMx(
    { answer: ({ verb }) => (verb === 'CONNECT' ? '554 5.7.1 your address is listed' : undefined) },
    {},
    async (_mx, node) => {
      const delivery = await node.deliver(mail())
      assert.equal(delivery.how(), 'deferred')
      assert.equal(delivery.reply(), '554 5.7.1 your address is listed')
    },
  ))

test('a content that cannot be read defers the message and is said aloud', () =>
  withMx({}, {}, async (mx, node) => {
    const delivery = new FakeDelivery({ to: ['b@example.com'], chunks: [Buffer.from('x')] })
    delivery.body = async function* () {
      yield Buffer.from('Subject: x\r\n')
      await sleep(1)
      throw new Error('chunk 3 is missing')
    }
    await node.deliver(delivery)
    assert.equal(delivery.how(), 'deferred')
    assert.match(delivery.reply() ?? '', /^4\.3\.0 .*chunk 3 is missing/)
    assert.equal(mx.dots, 0)
  }))

test('when the node stops, what is under way is finished and the host is told good-bye', async () => {
  await using mx = await FakeMx.start()
  const answer = Promise.withResolvers<string>()
  Object.assign(mx.options, { answer: ({ verb }: { verb: string }) => (verb === 'DOT' ? answer.promise : undefined) })
  const node = await testNode({ 'route.smarthosts': [`127.0.0.1:${mx.port}`] })
  const delivery = mail()
  node.engine.give(delivery)
  await mx.until(() => mx.dots === 1)
  const stopped = node[Symbol.asyncDispose]()
  answer.resolve('250 2.0.0 taken')
  await delivery.closed
  await stopped
  assert.equal(delivery.how(), 'delivered')
  await mx.close()
  assert.equal(mx.commands.at(-1), 'QUIT')
})
