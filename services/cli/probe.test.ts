import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { SMTPServer } from 'smtp-server'
import { freePort } from '@posthouse/testkit/free-port'
import { makeProbe } from './probe-message.ts'
import { files, FROM, hostFor, PASSWORD, relayFor, run, SHORT, TO } from './test/probe-run.ts'
import { handOn, traced, type Outgoing } from './test/small-relay.ts'

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
