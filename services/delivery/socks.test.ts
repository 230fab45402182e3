/** Connections through SOCKS 5 proxies, and whose fault it is when there is none. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DnsZone } from '@posthouse/testkit/dns-zone'
import { FakeMx } from '@posthouse/testkit/fake-mx'
import { FakeSocks } from '@posthouse/testkit/fake-socks'
import type { SocksAnswer, SocksRequest } from '@posthouse/testkit/fake-socks'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { TlsAuthority } from '@posthouse/testkit/tls-authority'
import { deadPort } from './test/dead-port.ts'
import { FakeDelivery, testNode } from './test/fake-delivery.ts'
import type { TestNode } from './test/fake-delivery.ts'

const mail = (to = 'b@example.com'): FakeDelivery => new FakeDelivery({ to: [to] })

function nodeThrough(
  mx: FakeMx,
  proxies: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
  environment: Readonly<Record<string, string>> = {},
): Promise<TestNode> {
  const settings = { 'route.smarthosts': [`127.0.0.1:${mx.port}`], 'egress.socks': proxies, ...more }
  return testNode(settings, { environment })
}

test('all goes through the proxy, to the address that we looked up', async () => {
  await using mx = await FakeMx.start({ host: '127.0.0.2' })
  await using zone = await DnsZone.start({
    'example.com': { mx: [[10, 'mx.example.com']] },
    'mx.example.com': { a: ['127.0.0.2'] },
  })
  await using proxy = await FakeSocks.start()
  await using node = await testNode({
    'dns.servers': [zone.server],
    'route.port': mx.port,
    'egress.socks': [proxy.name],
  })
  const delivery = await node.deliver(mail())
  assert.equal(delivery.how(), 'delivered', delivery.reply())
  assert.deepEqual(proxy.requests, [{ address: '127.0.0.2', port: mx.port, kind: 'IPv4', user: undefined }])
  assert.equal(proxy.connections, mx.sessions.length)
  const outcome = delivery.outcomes.get(0)
  assert.match((outcome?.how === 'delivered' && outcome.facts.host) || '', /^mx\.example\.com\[127\.0\.0\.2\]:/)
})

test('an IPv6 address is given to the proxy as one', async () => {
  await using mx = await FakeMx.start()
  await using proxy = await FakeSocks.start({ answer: () => ({ leadTo: { host: '127.0.0.1', port: mx.port } }) })
  await using node = await testNode({ 'egress.socks': [proxy.name], 'route.port': 2525 })
  assert.equal((await node.deliver(mail('b@[IPv6:2001:db8::25]'))).how(), 'delivered')
  assert.deepEqual(proxy.requests, [{ address: '2001:db8:0:0:0:0:0:25', port: 2525, kind: 'IPv6', user: undefined }])
})

test('the proxy is told user and password, and a wrong one is a failure of our own', async () => {
  await using mx = await FakeMx.start()
  await using proxy = await FakeSocks.start({ login: { user: 'us', password: 'secret' } })
  const user = { 'egress.socksUser': 'us' }
  {
    await using node = await nodeThrough(mx, [proxy.name], user, { POSTHOUSE_EGRESS_SOCKS_PASSWORD: 'secret' })
    assert.equal((await node.deliver(mail())).how(), 'delivered')
    assert.equal(proxy.requests[0]?.user, 'us')
  }
  for (const [settings, environment, why] of [
    [user, { POSTHOUSE_EGRESS_SOCKS_PASSWORD: 'wrong' }, /refuses user and password/],
    [{}, {}, /wants a log-in/],
  ] as const) {
    await using node = await nodeThrough(mx, [proxy.name], settings, environment)
    const delivery = await node.deliver(mail())
    assert.equal(delivery.how(), 'deferred')
    assert.match(delivery.reply() ?? '', why)
    assert.match(delivery.reply() ?? '', /^4\.4\.0 the proxy 127\.0\.0\.1:/)
    assert.ok(!JSON.stringify(node.log).includes('wrong'))
  }
})

test('what the host says at once is not lost, in whatever pieces it comes', async () => {
  await using mx = await FakeMx.start()
  await using proxy = await FakeSocks.start({ holdReply: true })
  await using node = await nodeThrough(mx, [proxy.name], { 'limits.messagesPerConnection': 1 })
  for (let i = 0; i < 5; i += 1) assert.equal((await node.deliver(mail())).how(), 'delivered')
})

test('behind the proxy the connection is like any other: TLS, large contents and the end in good order', async () => {
  await using folder = await temporaryFolder('delivery')
  const tls = await (await TlsAuthority.create(folder.path)).issue(['mx.test'])
  await using mx = await FakeMx.start({ tls })
  await using proxy = await FakeSocks.start()
  await using node = await nodeThrough(mx, [proxy.name], { 'timeouts.idle': '100ms' })
  const chunks = Array.from({ length: 10 }, (_, index) => Buffer.alloc(512 * 1024, `.${index}\r\n`))
  const delivery = await node.deliver(new FakeDelivery({ to: ['b@example.com'], chunks }))
  assert.equal(delivery.how(), 'delivered', delivery.reply())
  assert.equal(mx.messages[0]?.tls, true)
  assert.ok(mx.messages[0]?.content.equals(Buffer.concat(chunks)))
  await mx.until(() => mx.openSessions === 0)
  assert.equal(mx.commands.at(-1), 'QUIT')
  await proxy.until(({ open }) => open === 0)
})

test('the fence holds behind the proxy: no dot leaves without a lease', async () => {
  await using mx = await FakeMx.start()
  await using proxy = await FakeSocks.start()
  await using node = await nodeThrough(mx, [proxy.name])
  const delivery = mail()
  delivery.mayFinish = () => mx.commands.includes('DATA') === false
  node.engine.give(delivery)
  await mx.until(() => mx.unfinished.length === 1)
  assert.equal(mx.dots, 0)
  assert.equal(node.metrics.fenced.value, 1)
  node.engine.revoke(0)
})

test('a proxy that is dead is not the end, nor is it asked first the next time', async () => {
  const dead = `127.0.0.1:${await deadPort()}`
  const open = { 'limits.messagesPerConnection': 1 }
  const rows: [what: string, options: Parameters<typeof FakeSocks.start>[0]][] = [
    ['hangs up', { welcome: 'drop' }],
    ['speaks another protocol', { welcome: Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n') }],
    ['wants a log-in', { login: { user: 'a', password: 'b' } }],
    ['opens nothing', { answer: () => ({ reply: 7 }) }],
  ]
  for (const [what, options] of rows) {
    await using mx = await FakeMx.start()
    await using bad = await FakeSocks.start(options)
    await using good = await FakeSocks.start()
    await using node = await nodeThrough(mx, [dead, bad.name, good.name], open)
    for (const _ of [1, 2, 3]) assert.equal((await node.deliver(mail())).how(), 'delivered', what)
    assert.equal(bad.connections, 1, what)
    assert.equal(good.connections, 3, what)
    const told = node.log.filter(({ msg }) => msg === 'a way out fails').map(({ exit }) => exit)
    assert.deepEqual(told, [`the proxy ${dead}`, `the proxy ${bad.name}`], what)
  }
})

test('a proxy that does not answer costs the time for a connection, and the next one is tried', async () => {
  await using mx = await FakeMx.start()
  await using silent = await FakeSocks.start({ welcome: 'hang' })
  await using good = await FakeSocks.start()
  await using node = await nodeThrough(mx, [silent.name, good.name], { 'timeouts.connect': '1s' })
  assert.equal((await node.deliver(mail())).how(), 'delivered')
  assert.equal(good.connections, 1)
  await silent.until(({ open }) => open === 0)
})

test('when no proxy works, mail is deferred, the hosts are not to blame, and all goes on when one is back', async () => {
  await using first = await FakeMx.start({ host: '127.0.0.2' })
  await using second = await FakeMx.start({ host: '127.0.0.3', port: first.port })
  await using zone = await DnsZone.start({
    'example.com': {
      mx: [
        [10, 'mx1.example.com'],
        [20, 'mx2.example.com'],
      ],
    },
    'mx1.example.com': { a: ['127.0.0.2'] },
    'mx2.example.com': { a: ['127.0.0.3'] },
  })
  const port = await deadPort()
  await using node = await testNode({
    'dns.servers': [zone.server],
    'route.port': first.port,
    'egress.socks': [`127.0.0.1:${port}`],
  })
  const waiting = Array.from({ length: 20 }, () => mail())
  await Promise.all(waiting.map((delivery) => node.deliver(delivery)))
  for (const delivery of waiting) {
    assert.equal(delivery.how(), 'deferred')
    assert.match(delivery.reply() ?? '', new RegExp(`^4\\.4\\.0 the proxy 127\\.0\\.0\\.1:${port}: .*ECONNREFUSED`))
  }
  assert.equal(node.engine.hasRoom('example.com'), false)
  await using proxy = await FakeSocks.start({ port })
  // The pause is short, and does not grow.
  while (!node.engine.hasRoom('example.com')) await new Promise((resolve) => setTimeout(resolve, 50))
  const delivery = await node.deliver(mail())
  assert.equal(delivery.how(), 'delivered', delivery.reply())
  // The best host was not put aside for what the proxy did.
  assert.equal(first.messages.length, 1)
  assert.equal(second.sessions.length, 0)
  assert.equal(proxy.requests.length, 1)
  assert.ok(node.log.some(({ msg }) => msg === 'a way out works again'))
})

test('when no proxy works, it is not tried again for every host', async () => {
  await using mx = await FakeMx.start()
  await using broken = await FakeSocks.start({ welcome: 'drop' })
  await using node = await testNode({
    'route.smarthosts': [`127.0.0.1:${mx.port}`, `127.0.0.2:${mx.port}`, `127.0.0.3:${mx.port}`],
    'egress.socks': [broken.name],
  })
  const delivery = await node.deliver(mail())
  assert.equal(delivery.how(), 'deferred')
  assert.match(delivery.reply() ?? '', /^4\.4\.0 .*: it closed the connection$/)
  assert.equal(broken.connections, 1)
})

test('a host that the proxy cannot reach is a host that cannot be reached: the next one is tried', async () => {
  for (const code of [3, 4, 5, 6]) {
    await using mx = await FakeMx.start({ host: '127.0.0.3' })
    await using proxy = await FakeSocks.start({
      answer: ({ address }) => (address === '127.0.0.2' ? { reply: code } : undefined),
    })
    await using idle = await FakeSocks.start()
    const smarthosts = [`127.0.0.2:${mx.port}`, `127.0.0.3:${mx.port}`]
    await using node = await testNode({
      'route.smarthosts': smarthosts,
      'egress.socks': [proxy.name, idle.name],
      'limits.messagesPerConnection': 1,
    })
    assert.equal((await node.deliver(mail())).how(), 'delivered')
    assert.equal((await node.deliver(mail())).how(), 'delivered')
    // It is left alone for a while, and no other proxy is bothered with it.
    assert.deepEqual(
      proxy.requests.map(({ address }) => address),
      ['127.0.0.2', '127.0.0.3', '127.0.0.3'],
    )
    assert.equal(idle.connections, 0)
  }
})

test('a host that nobody reaches is told as the proxy tells it, and left alone for a while', async () => {
  await using mx = await FakeMx.start()
  await using proxy = await FakeSocks.start({ answer: () => ({ reply: 5 }) })
  await using node = await nodeThrough(mx, [proxy.name])
  const delivery = await node.deliver(mail())
  assert.equal(delivery.how(), 'deferred')
  const label = `127.0.0.1[127.0.0.1]:${mx.port}`
  assert.equal(delivery.reply(), `4.4.1 ${label} by the proxy ${proxy.name}: connection refused`)
  assert.equal(node.engine.hasRoom('smarthost'), false)
})

test('a proxy that was asked and stays silent waits for the host, as far as anybody can tell', async () => {
  await using mx = await FakeMx.start()
  await using proxy = await FakeSocks.start({ answer: () => ({ do: 'hang' }) })
  await using idle = await FakeSocks.start()
  await using node = await nodeThrough(mx, [proxy.name, idle.name], { 'timeouts.connect': '1s' })
  const delivery = await node.deliver(mail())
  assert.equal(delivery.how(), 'deferred')
  assert.match(delivery.reply() ?? '', /^4\.4\.1 .*timeout while waiting for the connection$/)
  assert.equal(idle.connections, 0)
  assert.equal(proxy.connections, 1)
  await proxy.until(({ open }) => open === 0)
})

test('what a proxy will not open another may, and the host is not blamed when none will', async () => {
  const answers: [what: string, answer: SocksAnswer][] = [
    ['general failure', { reply: 1 }],
    ['not allowed', { reply: 2 }],
    ['no such kind of address', { reply: 8 }],
    ['hangs up', { do: 'drop' }],
  ]
  for (const [what, answer] of answers) {
    await using mx = await FakeMx.start()
    await using unwilling = await FakeSocks.start({ answer: () => answer })
    await using willing = await FakeSocks.start()
    {
      await using node = await nodeThrough(mx, [unwilling.name, willing.name])
      assert.equal((await node.deliver(mail())).how(), 'delivered', what)
      assert.equal(unwilling.requests.length, 1, what)
    }
    await using node = await nodeThrough(mx, [unwilling.name])
    const delivery = await node.deliver(mail())
    assert.equal(delivery.how(), 'deferred', what)
    assert.match(delivery.reply() ?? '', /^4\.4\.0 the proxy /, what)
  }
})

test('a proxy that will not open one address of a domain is asked for the next one', async () => {
  await using mx = await FakeMx.start()
  const answer = ({ kind }: SocksRequest): SocksAnswer | undefined => (kind === 'IPv6' ? { reply: 8 } : undefined)
  await using proxy = await FakeSocks.start({ answer })
  await using zone = await DnsZone.start({ 'example.com': { a: ['127.0.0.1'], aaaa: ['2001:db8::1'] } })
  await using node = await testNode({
    'dns.servers': [zone.server],
    'route.port': mx.port,
    'egress.socks': [proxy.name],
  })
  assert.equal((await node.deliver(mail())).how(), 'delivered')
  assert.deepEqual(
    proxy.requests.map(({ kind }) => kind),
    ['IPv6', 'IPv4'],
  )
})

test('a proxy that reaches no host any more is tried after the others', async () => {
  await using mx = await FakeMx.start()
  await using lost = await FakeSocks.start({ answer: () => ({ reply: 4 }) })
  await using good = await FakeSocks.start()
  const smarthosts = Array.from({ length: 6 }, (_, index) => `127.0.0.${index + 2}:${mx.port}`)
  await using node = await testNode({
    'route.smarthosts': [...smarthosts, `127.0.0.1:${mx.port}`],
    'egress.socks': [lost.name, good.name],
  })
  const delivery = await node.deliver(mail())
  assert.equal(delivery.how(), 'delivered', delivery.reply())
  assert.equal(lost.requests.length, 5)
  assert.equal(good.requests.length, 2)
})

test('a node that stops while a proxy keeps it waiting does not wait for the proxy', async () => {
  await using mx = await FakeMx.start()
  await using proxy = await FakeSocks.start({ answer: () => ({ do: 'hang' }) })
  const node = await nodeThrough(mx, [proxy.name])
  const delivery = mail()
  node.engine.give(delivery)
  await proxy.until(({ requests }) => requests.length === 1)
  node.engine.revoke(0)
  await node[Symbol.asyncDispose]()
  await proxy.until(({ open }) => open === 0)
  assert.equal(delivery.outcomes.size, 0)
})
