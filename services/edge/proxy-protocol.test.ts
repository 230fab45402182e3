import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { after, before, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { Client } from './test/client.ts'
import { password, startTestEdge } from './test/test-edge.ts'
import type { TestEdge } from './test/test-edge.ts'

// The balancer of these tests is 127.0.0.1; others of 127.0.0.0/8 connect directly; 127.0.0.0/30 and 192.0.2.0/24 are listed.
const balancer = '127.0.0.1'
let edge: TestEdge
before(async () => {
  edge = await startTestEdge({ proxyFrom: [balancer], networks: ['127.0.0.0/30', '192.0.2.0/24', '2001:db8::/32'] })
})
after(() => edge[Symbol.asyncDispose]())

const header = (address: string): string =>
  `PROXY TCP${address.includes(':') ? 6 : 4} ${address} ${address} 4711 25\r\n`
const listed = header('192.0.2.7')
const unlisted = header('198.51.100.7')
const local = Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex')
const good = 'Subject: x\r\n\r\nbody\r\n.\r\n'
const denied = '550 5.7.1 Relaying denied: the client is not in a listed network'

async function connection(port: number, from = balancer): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from })
  await once(socket, 'connect')
  return socket
}
/** `opening` is sent in one piece. */
async function open(port: number, opening: string | Buffer, from = balancer): Promise<Client> {
  const socket = await connection(port, from)
  socket.write(opening)
  return Client.over(socket)
}
async function greeted(port: number, opening: string | Buffer, from = balancer): Promise<Client> {
  const client = await open(port, opening, from)
  assert.match(await client.reply(), /^220 /)
  assert.match(await client.command('EHLO client.example'), /^250/)
  return client
}
/** The edge has closed the connection, and said this much before. */
async function heardUntilClosed(socket: Socket): Promise<string> {
  let heard = ''
  socket.on('data', (bytes: Buffer) => (heard += bytes.toString()))
  socket.on('error', () => undefined)
  await once(socket, 'close')
  return heard
}

test('the client of the header is the one that is listed, recorded and logged', async () => {
  for (const [address, literal] of [
    ['192.0.2.7', '[192.0.2.7]'],
    ['2001:DB8:0::7', '[IPv6:2001:db8::7]'],
  ] as const) {
    const client = await greeted(edge.ports.relay, header(address))
    const reply = await client.mail('a@b.example', 'c@d.example', good)
    assert.match(reply, /^250 /)
    client.close()
    const canonical = address.toLowerCase().replace(':0:', ':')
    assert.equal(edge.queue.records.at(-1)?.envelope.accepted?.client, canonical)
    const content = edge.queue.content(edge.queue.records.length - 1).toString()
    assert.ok(content.startsWith(`Received: from client.example (${literal})\r\n`), content)
    const logged = edge.lines().find((line) => line['msg'] === 'accepted' && reply.includes(String(line['id'])))
    assert.equal(logged?.['client'], canonical)
  }
})

test('a client that is not listed is refused, though its balancer is in a listed network', async () => {
  for (const address of ['198.51.100.7', balancer, `::ffff:${balancer}`]) {
    const client = await greeted(edge.ports.relay, header(address))
    assert.equal(await client.command('MAIL FROM:<a@b.example>'), denied, address)
    client.close()
  }
})

test('what the balancer says for itself is answered, and its mail refused', async () => {
  for (const opening of [local, 'PROXY UNKNOWN\r\n', 'PROXY UNKNOWN 192.0.2.7 192.0.2.1 1 2\r\n']) {
    const client = await greeted(edge.ports.relay, opening)
    assert.equal(await client.command('MAIL FROM:<a@b.example>'), denied)
    client.close()
  }
  assert.match(await edge.metricsText(), /proxy_headers_total\{result="local"\} 3\n/)
})

test('who connects directly sends no header, and a header is no command', async () => {
  const direct = await greeted(edge.ports.relay, '', '127.0.0.2')
  assert.match(await direct.mail('a@b.example', 'c@d.example', good), /^250 /)
  direct.close()
  const stranger = await greeted(edge.ports.submission, '', '127.0.0.9')
  assert.equal(await stranger.command(listed.trim()), '500 5.5.2 Command not recognised')
  stranger.close()
})

test('each client has its own connections, whoever brings them, and the balancer has no limit', async () => {
  await using other = await startTestEdge({
    proxyFrom: [balancer],
    networks: ['192.0.2.0/24'],
    settings: { limits: { connectionsPerClient: 1 } },
  })
  const clients: Client[] = []
  for (const opening of [unlisted, header('198.51.100.8'), header('2001:db8::1'), local, local, listed, listed]) {
    clients.push(await greeted(other.ports.relay, opening))
  }
  for (const opening of [unlisted, header('2001:db8::2')]) {
    const second = await open(other.ports.relay, opening)
    assert.equal(await second.reply(), '421 4.7.0 Too many connections from your address')
  }
  for (const client of clients) client.close()
})

test('a client that somebody lately logged in from does not wait, and its neighbours at the balancer do', async () => {
  await using slow = await startTestEdge({
    proxyFrom: [balancer],
    networks: ['192.0.2.0/24'],
    settings: { greetingDelay: '30s' },
  })
  slow.known.add('198.51.100.7', Date.now())
  for (const opening of [unlisted, listed, local]) {
    const client = await open(slow.ports.relay, opening)
    assert.match(await client.reply(), /^220 /)
    client.close()
  }
  const early = await open(slow.ports.relay, `${header('203.0.113.7')}EHLO x\r\n`)
  assert.equal(await early.reply(), '421 4.7.0 You talk before the greeting')
})

test('a whole pipelined session in one piece with the header is heard to its end', async () => {
  const body = `Subject: x\r\n\r\n${`${'0123456789'.repeat(7)}\r\n`.repeat(30_000)}`
  const session = [
    'EHLO client.example',
    'MAIL FROM:<a@b.example>',
    'RCPT TO:<c@d.example>',
    'DATA',
    body + '.',
    'QUIT',
  ]
  const client = await open(edge.ports.relay, `${listed}${session.join('\r\n')}\r\n`)
  const codes: string[] = []
  for (let reply = await client.reply(); reply !== ''; reply = await client.reply()) codes.push(reply.slice(0, 3))
  assert.deepEqual(codes, ['220', '250', '250', '250', '354', '250', '221'])
  const content = edge.queue.content(edge.queue.records.length - 1).toString()
  assert.ok(content.startsWith('Received: ') && content.endsWith(`\r\n${body}`))
})

test('STARTTLS and a log-in behind a header', async () => {
  const client = await greeted(edge.ports.submission, unlisted)
  await client.startTls()
  await client.command('EHLO client.example')
  assert.match(await client.login('anna', password), /^235 /)
  assert.match(await client.mail('anna@example.org', 'c@d.example', good), /^250 /)
  assert.equal(edge.queue.records.at(-1)?.envelope.accepted?.client, '198.51.100.7')
  client.close()
})

for (const size of [Infinity, 5]) {
  test(`implicit TLS begins after the header, which comes with it ${size} bytes at a time`, async () => {
    const client = Client.over(await secure(await connection(edge.ports.submissions), unlisted, size))
    assert.match(await client.reply(), /^220 /)
    await client.command('EHLO client.example')
    await client.login('anna', password)
    assert.match(await client.mail('anna@example.org', 'c@d.example', good), /^250 /)
    const { accepted } = edge.queue.records.at(-1)?.envelope ?? {}
    assert.deepEqual([accepted?.client, accepted?.role], ['198.51.100.7', 'submissions'])
    client.close()
  })
}

/** TLS whose first bytes go out together with `opening`, `size` bytes at a time. */
async function secure(socket: Socket, opening: string, size: number): Promise<TLSSocket> {
  let first = Buffer.from(opening)
  const stream = new Duplex({
    read() {},
    write(bytes: Buffer, _encoding, done) {
      const all = Buffer.concat([first, bytes])
      first = Buffer.alloc(0)
      for (let at = 0; at < all.length; at += size) socket.write(all.subarray(at, at + size))
      done()
    },
    destroy(error, done) {
      socket.destroy()
      done(error)
    },
  })
  socket.setNoDelay(true).on('data', (bytes: Buffer) => stream.push(bytes))
  const tls = connectTls({ socket: stream, rejectUnauthorized: false })
  await once(tls, 'secureConnect')
  return tls
}

const noHeaders: readonly (readonly [what: string, port: keyof TestEdge['ports'], opening: string | Buffer])[] = [
  ['SMTP at once', 'relay', 'EHLO client.example\r\n'],
  ['a TLS handshake at once', 'submissions', Buffer.from('16030100f8010000f40303', 'hex')],
  ['a header with no address', 'submission', 'PROXY TCP4 host 10.0.0.1 1 2\r\n'],
]
test('a balancer that sends no valid header is not answered; the log says it once', async () => {
  await using other = await startTestEdge({ proxyFrom: [balancer], networks: ['192.0.2.0/24'] })
  for (const [what, port, opening] of [...noHeaders, ...noHeaders]) {
    const socket = await connection(other.ports[port])
    socket.write(opening)
    assert.equal(await heardUntilClosed(socket), '', what)
  }
  assert.match(await other.metricsText(), /proxy_headers_total\{result="invalid"\} 6\n/)
  assert.match(await other.metricsText(), /connections_total\{role="relay"\} 0\n/)
  const logged = other.lines().filter((line) => line['msg'] === 'no PROXY header: connection closed')
  assert.deepEqual(
    logged.map((line) => [line['role'], line['balancer'], line['why']]),
    [
      ['relay', balancer, 'no header'],
      ['submissions', balancer, 'no header'],
      ['submission', balancer, 'malformed line'],
    ],
  )
})

test('a health check that connects and closes is counted, and nothing else', async () => {
  await using other = await startTestEdge({ proxyFrom: [balancer], networks: ['192.0.2.0/24'] })
  const logged = other.lines().length
  for (const port of Object.values(other.ports)) {
    const socket = await connection(port)
    socket.end()
    await once(socket.resume(), 'close')
    // This process takes the connection when the other one has already reset it.
    const check = `const it = require('node:net').connect(${port}, '127.0.0.1', () => it.resetAndDestroy())`
    assert.equal(spawnSync(process.execPath, ['-e', check]).status, 0)
  }
  // Who comes after them is served.
  const client = await greeted(other.ports.relay, listed)
  client.close()
  while (!(await other.metricsText()).includes('proxy_headers_total{result="closed"} 3\n')) await turn()
  assert.match(await other.metricsText(), /connections_total\{role="relay"\} 1\n/)
  assert.deepEqual(other.lines().slice(logged), [])
})

test('an edge that stops does not wait for headers', async () => {
  const other = await startTestEdge({ proxyFrom: [balancer], networks: ['192.0.2.0/24'] })
  const sockets = await Promise.all(Object.values(other.ports).map((port) => connection(port)))
  // Answered, so the ones before it have been taken as well.
  const client = await greeted(other.ports.relay, listed)
  const closed = Promise.all(sockets.map(heardUntilClosed))
  await other[Symbol.asyncDispose]()
  assert.deepEqual(await closed, ['', '', ''])
  client.close()
})
