import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { FakeMx, type FakeAction } from '@posthouse/testkit/fake-mx'
import { freePort } from '@posthouse/testkit/free-port'
import { files, FROM, hostFor, PASSWORD, relayFor, run, SHORT, TO } from './test/probe-run.ts'
import { handOn, traced } from './test/small-relay.ts'

test('a certificate of an unknown authority is refused, with what to do, and taken with --insecure', async (t) => {
  const { tls } = await files(t)
  const { relay, port, listen } = await relayFor(t, { tls })
  const said = await run(port, listen, { tls: 'starttls' })
  assert.equal(said.status, 69)
  assert.match(
    said.errors,
    /^posthouse: no TLS with 127\.0\.0\.1:\d+: unable to verify the first certificate; --ca-file names .*--insecure.*\n$/,
  )
  assert.deepEqual(relay.mx.messages, [])
  assert.equal((await run(port, listen, { tls: 'starttls', insecure: true })).status, 0)
})

test('a certificate for another name is refused, unless --server-name is that name', async (t) => {
  const { ca, tls } = await files(t, ['edge.example'])
  const { port, listen } = await relayFor(t, { tls })
  const said = await run(port, listen, { tls: 'starttls', 'ca-file': ca })
  assert.equal(said.status, 69)
  assert.match(said.errors, /^posthouse: no TLS with .*does not match certificate.*--server-name/)
  assert.equal((await run(port, listen, { tls: 'starttls', 'ca-file': ca, 'server-name': 'edge.example' })).status, 0)
})

test('TLS spoken to a port that speaks none is said to be no TLS', async (t) => {
  const { port, listen } = await hostFor(t, () => undefined)
  const said = await run(port, listen, { tls: 'implicit' })
  assert.equal(said.status, 69)
  assert.match(
    said.errors,
    /^posthouse: no TLS with 127\.0\.0\.1:\d+: .*wrong version number[^;]*; is --tls right for this port\?\n$/,
  )
})

const refusals: readonly [verb: string, reply: string, line: string][] = [
  ['CONNECT', '554 5.7.1 not you', 'refuses the connection: 554 5.7.1 not you'],
  ['MAIL', '553 5.7.1 not yours', `refuses the sender <${FROM}>: 553 5.7.1 not yours`],
  ['RCPT', '550 5.7.1 no relaying', `refuses the recipient <${TO}>: 550 5.7.1 no relaying`],
  ['RCPT', '450 4.2.1 not now', `refuses the recipient <${TO}>: 450 4.2.1 not now`],
  ['DATA', '554 5.7.1 nothing from you', 'refuses the message: 554 5.7.1 nothing from you'],
  ['DOT', '554 5.6.0 bad content', 'refuses the message: 554 5.6.0 bad content'],
  ['DOT', '452 4.3.1 no room', 'refuses the message: 452 4.3.1 no room'],
  ['DOT', '550-5.7.1 one\r\n550 5.7.1 two \x1b[2J', 'refuses the message: 550-5.7.1 one / 550 5.7.1 two \ufffd[2J'],
]
for (const [verb, reply, line] of refusals) {
  test(`an edge that refuses at ${verb} with ${reply.slice(0, 3)} is status 69 and one line with its reply`, async (t) => {
    const { mx, port, listen } = await hostFor(t, (command) => (command.verb === verb ? reply : undefined))
    const said = await run(port, listen)
    assert.deepEqual([said.status, said.errors], [69, `posthouse: 127.0.0.1:${port} ${line}\n`])
    assert.equal(said.output, `listening at 127.0.0.1:${listen} for mail to <${TO}>\n`)
    assert.deepEqual(mx.messages, [])
  })
}

test('an edge without STARTTLS is told from one that refuses the connection', async (t) => {
  const { port, listen } = await hostFor(t, () => undefined)
  const said = await run(port, listen, { tls: 'starttls' })
  assert.deepEqual(
    [said.status, said.errors],
    [69, `posthouse: 127.0.0.1:${port} refuses STARTTLS: 502 5.5.1 not here\n`],
  )
})

test('a log-in that is refused is told with the name, and never with the password', async (t) => {
  const { ca, tls, passwordFile } = await files(t)
  const { port, listen } = await relayFor(t, { tls, login: 'anna another' })
  const options = { tls: 'starttls', 'ca-file': ca, user: 'anna', 'password-file': passwordFile }
  for (const more of [{}, { json: true } as const]) {
    const said = await run(port, listen, { ...options, ...more })
    assert.equal(said.status, 69)
    assert.equal(said.errors, `posthouse: 127.0.0.1:${port} refuses the log-in of anna: 535 5.7.8 wrong\n`)
    assert.ok(!said.output.includes(PASSWORD))
  }
})

test('where no log-in is offered, none is tried', async (t) => {
  const { ca, tls, passwordFile } = await files(t)
  const { relay, port, listen } = await relayFor(t, { tls })
  const options = { tls: 'starttls', 'ca-file': ca, user: 'anna', 'password-file': passwordFile }
  const said = await run(port, listen, options)
  assert.deepEqual([said.status, said.errors], [69, `posthouse: 127.0.0.1:${port} offers no log-in\n`])
  assert.ok(relay.mx.commands.every((command) => !command.startsWith('AUTH')))
})

const later: readonly [verb: string, reply: FakeAction, reason: string][] = [
  ['CONNECT', '421 4.3.2 going down', 'says 421 4.3.2 going down'],
  ['MAIL', '421 4.3.2 going down', 'says 421 4.3.2 going down'],
  ['DOT', '451 4.3.0 no queue', 'says 451 4.3.0 no queue'],
  ['RCPT', '454 4.7.0 busy', 'says 454 4.7.0 busy'],
  ['CONNECT', { do: 'drop' }, 'does not answer: Connection closed unexpectedly'],
  ['EHLO', { do: 'reset' }, 'does not answer: read ECONNRESET'],
]
for (const [verb, reply, reason] of later) {
  const what = typeof reply === 'string' ? reply.slice(0, 3) : 'the end of the connection'
  test(`${what} at ${verb} is tried again, and said once, until the message is taken`, async (t) => {
    let times = 0
    const { relay, port, listen } = await relayFor(t, {
      answer: (command) => (command.verb === verb && ++times <= 2 ? reply : undefined),
    })
    const said = await run(port, listen)
    assert.equal(said.status, 0, said.errors)
    assert.equal(said.errors, `posthouse: 127.0.0.1:${port} ${reason}; trying again each second\n`)
    assert.equal(times, 3)
    assert.equal(relay.mx.messages.length, 1)
  })
}

test('a handshake that is cut off may do better next time', async (t) => {
  const server = createServer((socket) => socket.on('error', () => {}).destroy())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const said = await run(port, await freePort(), { tls: 'implicit', timeout: '1500ms' })
  assert.equal(said.status, 69)
  assert.match(said.errors, /^posthouse: 127\.0\.0\.1:\d+ does not answer: [^;]*; trying again each second\n/)
  assert.match(said.errors, /; given up after \d tr(y|ies)\n$/)
})

test('an edge that is not there yet is waited for', async (t) => {
  const [port, listen] = [await freePort(), await freePort()]
  let relay: Promise<FakeMx> | undefined
  const onErrors = (text: string) => {
    if (text.includes('connection refused')) relay ??= FakeMx.start({ port })
  }
  const said = run(port, listen, { timeout: '1h' }, { onErrors })
  while (relay === undefined) await new Promise(setImmediate)
  const mx = await relay
  t.after(() => mx.close())
  await mx.until(({ messages }) => messages.length === 1)
  await handOn({ from: FROM, to: TO, content: traced(mx.messages[0]!.content) }, listen)
  assert.equal((await said).status, 0)
  assert.equal(
    (await said).errors,
    `posthouse: 127.0.0.1:${port} does not answer: connection refused; trying again each second\n`,
  )
})

test('an edge that never comes is status 69 when the time is over', async () => {
  const [port, listen] = [await freePort(), await freePort()]
  const said = await run(port, listen, { timeout: '1500ms' })
  assert.equal(said.status, 69)
  assert.match(
    said.errors.split('\n')[1] ?? '',
    /^posthouse: 127\.0\.0\.1:\d+ does not answer: connection refused; given up after \d tr(y|ies)$/,
  )
})

const silences: readonly [verb: string, tls: string, line: RegExp][] = [
  ['CONNECT', 'none', /^posthouse: 127\.0\.0\.1:\d+ does not answer: no reply in time\n$/],
  ['CONNECT', 'starttls', /^posthouse: .* does not answer: no reply in time; is it a port for --tls implicit\?\n$/],
  ['MAIL', 'none', /^posthouse: .* does not answer: no reply in time\n$/],
  [
    'DOT',
    'none',
    /^posthouse: .* took the message and did not say what became of it \(no reply in time\): it may be in the queue \(posthouse queue list tells\) and come out later\n$/,
  ],
]
for (const [verb, tls, line] of silences) {
  test(`an edge that falls silent at ${verb} (--tls ${tls}) is status 69 when the time is over`, async (t) => {
    const { port, listen } = await hostFor(t, (command) => (command.verb === verb ? { do: 'hang' } : undefined))
    const said = await run(port, listen, { tls, timeout: SHORT })
    assert.equal(said.status, 69)
    assert.match(said.errors, line)
  })
}

test('a network that leads nowhere is said to give no connection', async (t) => {
  // A process that listens, and blocks before it takes anybody: once its backlog is full the kernel drops what comes.
  const script = `require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
    require('node:fs').writeSync(1, String(this.address().port))
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000)
    process.exit()
  })`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const port = Number((await once(child.stdout, 'data'))[0])
  for (let taken = 0; taken < 2; taken++) {
    const waiting = connect(port, '127.0.0.1')
    t.after(() => waiting.destroy())
    await once(waiting, 'connect')
  }
  const said = await run(port, await freePort(), { timeout: '1s' })
  const line = `posthouse: 127.0.0.1:${port} does not answer: no connection in time\n`
  assert.deepEqual([said.status, said.errors], [69, line])
})

test('a connection lost after the message is no refusal and no second try: it may be stored', async (t) => {
  const { mx, port, listen } = await hostFor(t, ({ verb }) => (verb === 'DOT' ? { do: 'reset' } : undefined))
  const said = await run(port, listen, { json: true })
  assert.equal(said.status, 69)
  assert.match(
    said.errors,
    /^posthouse: .* took the message and did not say what became of it \(read ECONNRESET\): it may be/,
  )
  assert.equal((JSON.parse(said.output) as { accepted: string }).accepted, 'unknown')
  assert.equal(mx.dots, 1)
})
