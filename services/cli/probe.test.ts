import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { SMTPServer } from 'smtp-server'
import { FakeMx, type FakeAction, type FakeCommand } from '@posthouse/testkit/fake-mx'
import { freePort } from '@posthouse/testkit/free-port'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { TlsAuthority } from '@posthouse/testkit/tls-authority'
import { makeProbe } from './probe-message.ts'
import { posthouse, type FakeWorld } from './test/fake-world.ts'
import { handOn, SmallRelay, traced, type Outgoing, type SmallRelayOptions } from './test/small-relay.ts'

const FROM = 'anna@example.org'
const TO = 'probe@example.net'
const PASSWORD = 'open-sesame'
/** Of a probe that is to fail when its time is over: long enough for what comes before, on a busy machine. */
const SHORT = '3s'

/** One run of the command against 127.0.0.1, with whatever options are given beside the usual. */
function run(
  port: number,
  listen: number,
  options: Readonly<Record<string, string | true>> = {},
  fake: FakeWorld = {},
) {
  const all: Record<string, string | true> = {
    edge: `127.0.0.1:${port}`,
    from: FROM,
    to: TO,
    listen: `127.0.0.1:${listen}`,
    tls: 'none',
    timeout: '60s',
    ...options,
  }
  const args = Object.entries(all).flatMap(([name, value]) => (value === true ? [`--${name}`] : [`--${name}`, value]))
  return posthouse(['probe', ...args], fake)
}

async function relayFor(t: TestContext, options: Omit<SmallRelayOptions, 'next'> = {}) {
  const listen = await freePort()
  const relay = await SmallRelay.start({ next: listen, ...options })
  t.after(() => relay[Symbol.asyncDispose]())
  return { relay, listen, port: relay.port }
}

async function hostFor(
  t: TestContext,
  answer: (command: FakeCommand) => FakeAction | undefined,
  extensions?: string[],
) {
  const mx = await FakeMx.start({ name: 'edge.example', answer, ...(extensions === undefined ? {} : { extensions }) })
  t.after(() => mx.close())
  return { mx, port: mx.port, listen: await freePort() }
}

/** An authority, the certificate it issued, and a password file, in a folder of the test's own. */
async function files(t: TestContext, names: [string, ...string[]] = ['127.0.0.1']) {
  const { path, remove } = await temporaryFolder('probe')
  t.after(remove)
  const authority = await TlsAuthority.create(path)
  const passwordFile = join(path, 'password')
  await writeFile(passwordFile, `${PASSWORD}\n`)
  return { path, ca: authority.caFile, passwordFile, tls: await authority.issue(names) }
}

const ACCEPTED = /^accepted by edge\.example: 250 2\.0\.0 Ok: queued as 1 after \d+ ms \((.*)\)$/

test('with STARTTLS and a log-in, each stage is a line, and the status is 0 when the message came out', async (t) => {
  const { ca, tls, passwordFile } = await files(t)
  const { relay, port, listen } = await relayFor(t, { tls, login: `anna ${PASSWORD}` })
  const options = { tls: 'starttls', 'ca-file': ca, user: 'anna', 'password-file': passwordFile }
  const said = await run(port, listen, options)
  assert.deepEqual([said.status, said.errors], [0, ''])
  const [first = '', second = '', third = '', ...rest] = said.output.trimEnd().split('\n')
  assert.equal(first, `listening at 127.0.0.1:${listen} for mail to <${TO}>`)
  assert.equal(ACCEPTED.exec(second)?.[1], 'TLSv1.3, as anna')
  const at = `127\\.0\\.0\\.1:${listen}`
  assert.match(
    third,
    new RegExp(`^came out at ${at} after \\d+ ms, from relay\\.example \\[127\\.0\\.0\\.1\\], byte for byte$`),
  )
  assert.deepEqual(rest, [])
  const [message] = relay.mx.messages
  assert.deepEqual([message?.tls, message?.rcpt], [true, [`<${TO}>`]])
  assert.match(message?.mail ?? '', new RegExp(`^<${FROM}> SIZE=${message?.content.length}$`))
})

test('under --json the answer is one object', async (t) => {
  const { port, listen } = await relayFor(t)
  const said = await run(port, listen, { json: true })
  assert.deepEqual([said.status, said.errors], [0, ''])
  const answer = JSON.parse(said.output) as { accepted: { ms: number }; out: { ms: number; bytes: number } }
  assert.ok(answer.out.bytes > 1000 && answer.accepted.ms >= 0 && answer.out.ms >= 0)
  assert.deepEqual(answer, {
    ok: true,
    accepted: { edge: 'edge.example', reply: '250 2.0.0 Ok: queued as 1', id: '1', ms: answer.accepted.ms },
    out: { ...answer.out, at: `127.0.0.1:${listen}`, from: 'relay.example [127.0.0.1]' },
    leftOvers: 0,
  })
})

test('with implicit TLS nothing is said before the handshake', async (t) => {
  const { ca, tls } = await files(t)
  const { port, listen } = await relayFor(t)
  const server = createTlsServer({ cert: tls.cert, key: tls.key }, (secure) => {
    const plain = connect(port, '127.0.0.1')
    for (const one of [secure, plain]) one.on('error', () => {})
    secure.pipe(plain).pipe(secure)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const said = await run((server.address() as AddressInfo).port, listen, { tls: 'implicit', 'ca-file': ca })
  assert.equal(said.status, 0, said.errors)
  assert.match(said.output, / ms \(TLSv1\.3\)\n/)
})

test('without TLS the line says so', async (t) => {
  const { port, listen } = await relayFor(t)
  assert.match((await run(port, listen)).output, / ms \(without TLS\)\n/)
})

test('without a host it listens at all addresses', async (t) => {
  const { port, listen } = await relayFor(t)
  const said = await run(port, listen, { listen: String(listen) })
  assert.equal(said.status, 0, said.errors)
  assert.match(said.output, new RegExp(`^listening at \\*:${listen} .*\\n.*\\ncame out at 127\\.0\\.0\\.1:${listen} `))
})

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

test('a message that was accepted and does not come out is status 1, with where to look', async (t) => {
  const { port, listen } = await relayFor(t, { plant: () => [] })
  const said = await run(port, listen, { timeout: SHORT, json: true })
  assert.equal(said.status, 1)
  const line =
    `1 was accepted and did not come out at 127.0.0.1:${listen} within ${SHORT}: ` +
    'it is still in the queue, unless another host took it; posthouse queue show 1 tells'
  assert.equal(said.errors, `posthouse: ${line}\n`)
  const { ok, accepted, errors } = JSON.parse(said.output) as {
    ok: boolean
    accepted: { id: string }
    errors: string[]
  }
  assert.deepEqual([ok, accepted.id, errors], [false, '1', [line]])
})

test('without a queue id in the reply the list is where to look', async (t) => {
  const { port, listen } = await hostFor(t, ({ verb }) => (verb === 'DOT' ? '250 2.0.0 thank you' : undefined))
  const said = await run(port, listen, { timeout: SHORT })
  assert.equal(said.status, 1)
  assert.match(said.output, /\naccepted by edge\.example: 250 2\.0\.0 thank you after \d+ ms \(without TLS\)\n$/)
  assert.match(said.errors, /^posthouse: the message was accepted .*; posthouse queue list tells\n$/)
})

test('what the listener refused meanwhile is told beside a message that does not come out', async (t) => {
  const { relay, port, listen } = await relayFor(t, { plant: (message) => [{ ...message, to: 'x@example.net' }] })
  const said = await run(port, listen, { timeout: SHORT })
  assert.equal(said.status, 1)
  assert.match(
    said.errors.split('\n')[1] ?? '',
    /^posthouse: the listener, which takes nothing but mail to <probe@example\.net>, refused mail to <x@example\.net>, brought by relay\.example \[127\.0\.0\.1\]$/,
  )
  assert.match(relay.replies.join(), /^550 5\.1\.1 /)
})

const planted: readonly [name: string, plant: (message: Outgoing) => Outgoing, flaw: RegExp][] = [
  [
    'altered',
    (message) => ({ ...message, content: Buffer.from(message.content.toString().replace('  \t\r\n', '\r\n')) }),
    /from byte \d+ on it is .* \(\d+ bytes were sent, \d+ came out\)$/,
  ],
  [
    'under another sender',
    (message) => ({ ...message, from: 'x@example.org' }),
    /its sender is <x@example\.org> and was/,
  ],
]
for (const [name, plant, flaw] of planted) {
  test(`a message that comes out ${name} is status 1, and leaves the queue all the same`, async (t) => {
    const { relay, port, listen } = await relayFor(t, { plant: (message) => [plant(message)] })
    const said = await run(port, listen, { json: true })
    assert.equal(said.status, 1)
    assert.match(
      said.errors,
      /^posthouse: it came out at 127\.0\.0\.1:\d+ after \d+ ms, from relay\.example .*, but not as it was sent: /,
    )
    const { out } = JSON.parse(said.output) as { out: { flaw: string } }
    assert.match(out.flaw, flaw)
    await relay.mx.until(() => relay.replies.length === 1)
    assert.match(relay.replies.join(), /^250 /)
  })
}

test('the left-over of an earlier probe is taken on the way, and mentioned', async (t) => {
  const earlier = { from: FROM, to: TO, content: makeProbe(FROM, TO, 'f'.repeat(32), 0).content }
  const { relay, port, listen } = await relayFor(t, { plant: (message) => [earlier, message] })
  const said = await run(port, listen, { json: true })
  assert.equal(said.status, 0)
  assert.match(
    said.errors,
    /^posthouse: the message of an earlier probe came out too \(token f{32}\); it is dropped\n$/,
  )
  assert.equal((JSON.parse(said.output) as { leftOvers: number }).leftOvers, 1)
  assert.match(relay.replies[0] ?? '', /^250 /)
})

test('a message that comes out before the edge has answered is no less accepted', async (t) => {
  const listen = await freePort()
  const edge = new SMTPServer({
    name: 'edge.example',
    disabledCommands: ['AUTH', 'STARTTLS'],
    authOptional: true,
    closeTimeout: 1,
    logger: false,
    onData(stream, _session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        void handOn({ from: FROM, to: TO, content: traced(Buffer.concat(chunks)) }, listen).then(() => done())
      })
    },
  })
  const server = edge.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => new Promise<void>((resolve) => edge.close(resolve)))
  const said = await run((server.address() as AddressInfo).port, listen)
  assert.equal(said.status, 0, said.errors)
  assert.match(said.output, /\naccepted by .*\ncame out at .*\n$/)
})

test('nothing is sent when the listener cannot be opened, or a file cannot be read', async (t) => {
  const { mx, port, listen } = await hostFor(t, () => undefined)
  const { path, passwordFile } = await files(t)
  const empty = join(path, 'empty')
  await writeFile(empty, '\n')
  const login = { tls: 'starttls', user: 'anna' }
  const wrong: readonly [options: Readonly<Record<string, string>>, line: RegExp][] = [
    [
      { listen: `127.0.0.1:${port}` },
      /^posthouse: --listen: listen EADDRINUSE: address already in use 127\.0\.0\.1:\d+\n$/,
    ],
    [{ ...login, 'password-file': join(path, 'none') }, /^posthouse: --password-file: ENOENT/],
    [{ ...login, 'password-file': empty }, /^posthouse: --password-file: \S+empty is empty\n$/],
    [{ tls: 'starttls', 'ca-file': join(path, 'none') }, /^posthouse: --ca-file: ENOENT/],
    [{ tls: 'starttls', 'ca-file': passwordFile }, /^posthouse: --ca-file: holds no certificate in PEM\n$/],
  ]
  for (const [options, line] of wrong) {
    const said = await run(port, listen, options)
    assert.equal(said.status, 1)
    assert.match(said.errors, line)
  }
  assert.deepEqual(mx.sessions, [])
})

test('the edge is told QUIT, and the port is free again', async (t) => {
  const { relay, port, listen } = await relayFor(t)
  assert.equal((await run(port, listen)).status, 0)
  await relay.mx.until(({ commands, openSessions }) => commands.at(-1) === 'QUIT' && openSessions === 0)
  assert.equal((await run(port, listen)).status, 0)
})
