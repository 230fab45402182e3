import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { FakeMx, type FakeAction, type FakeCommand } from '@posthouse/testkit/fake-mx'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { TlsAuthority } from '@posthouse/testkit/tls-authority'
import { composeMessage, type Message } from './message.ts'
import { seededRandom } from './random.ts'
import { ConnectionLost, SmtpClient, Unwelcome, type Target } from './smtp-client.ts'
import type { Verdict } from './smtp-verdict.ts'

function message(recipients = 2): Message {
  const how = { random: seededRandom(1), size: 2000, sender: 'a@sender.example', domain: 'sink.example' }
  return composeMessage('m', { ...how, recipients, date: new Date(0) })
}

async function server(t: TestContext, answer: (command: FakeCommand) => FakeAction | undefined): Promise<Target> {
  const mx = await FakeMx.start({ answer, name: 'edge.example' })
  t.after(() => mx.close())
  return { host: '127.0.0.1', port: mx.port, tls: 'none' }
}

/** Says it, and closes. */
function closing(session: FakeCommand['session'], words: string): string {
  setImmediate(() => session.destroy())
  return words
}

interface Known {
  readonly told: Verdict['told']
  readonly noes: readonly string[]
  readonly at?: string
  readonly farewell?: string
}

/** What is known of a try, without the words of a broken connection. */
function known(verdict: Verdict): Known {
  const noes = verdict.noes.map(({ stage, code }) => `${stage} ${code}`)
  const told = { told: verdict.told, noes }
  if (verdict.told !== 'nothing') return told
  return { ...told, at: verdict.at, ...(verdict.farewell === undefined ? {} : { farewell: verdict.farewell }) }
}

const at = (verb: string, action: (command: FakeCommand) => FakeAction) => (command: FakeCommand) =>
  command.verb === verb ? action(command) : undefined
const nothing = (where: string): Known => ({ told: 'nothing', noes: [], at: where })

interface Case {
  readonly answer: (command: FakeCommand) => FakeAction | undefined
  readonly known: Known
  readonly usable: boolean
}

const BYE = '421 4.3.2 Service shutting down'
const CASES: Record<string, Case> = {
  'a message that is taken': { answer: () => undefined, known: { told: 'accepted', noes: [] }, usable: true },
  'a 421 to MAIL from a server that closes is a farewell in good order': {
    answer: at('MAIL', ({ session }) => closing(session, BYE)),
    known: { ...nothing('MAIL'), farewell: BYE.slice(4) },
    usable: false,
  },
  'a 421 to MAIL from a server that does not close is a refusal': {
    answer: at('MAIL', () => BYE),
    known: { told: 'refused', noes: ['MAIL 421'] },
    usable: false,
  },
  'a 421 to a recipient is a refusal': {
    answer: at('RCPT', ({ session }) => closing(session, BYE)),
    known: { told: 'refused', noes: ['RCPT 421'] },
    usable: false,
  },
  'a 421 to the final dot is a refusal': {
    answer: at('DOT', ({ session }) => closing(session, BYE)),
    known: { told: 'refused', noes: ['dot 421'] },
    usable: false,
  },
  'a sender that is refused': {
    answer: at('MAIL', () => '451 4.3.0 Later'),
    known: { told: 'refused', noes: ['MAIL 451'] },
    usable: true,
  },
  'one of two recipients that is refused': {
    answer: at('RCPT', ({ line }) => (line.includes('m.0') ? '450 4.2.1 Later' : '250 2.1.5 Ok')),
    known: { told: 'accepted', noes: ['RCPT 450'] },
    usable: true,
  },
  'a recipient and then DATA that are refused': {
    answer: ({ verb, line }) =>
      verb === 'DATA' ? '451 4.3.0 Later' : verb === 'RCPT' && line.includes('m.0') ? '550 5.1.1 No' : undefined,
    known: { told: 'refused', noes: ['RCPT 550', 'DATA 451'] },
    usable: true,
  },
  'a connection reset at MAIL': { answer: at('MAIL', () => ({ do: 'reset' })), known: nothing('MAIL'), usable: false },
  'a connection reset at RCPT': { answer: at('RCPT', () => ({ do: 'reset' })), known: nothing('RCPT'), usable: false },
  'a connection closed at DATA': { answer: at('DATA', () => ({ do: 'drop' })), known: nothing('DATA'), usable: false },
  'a connection reset after the dot leaves the fate unknown': {
    answer: at('DOT', () => ({ do: 'reset' })),
    known: { told: 'unknown', noes: [] },
    usable: false,
  },
}

for (const [name, { answer, known: expected, usable }] of Object.entries(CASES)) {
  test(name, async (t) => {
    const client = await SmtpClient.connect(await server(t, answer))
    t.after(() => client.close())
    assert.deepEqual(known(await client.send(message())), expected)
    assert.equal(client.usable, usable)
  })
}

test('every recipient has the code of its own reply, and one that was taken that of what came later', async (t) => {
  const client = await SmtpClient.connect(await server(t, CASES['a recipient and then DATA that are refused']!.answer))
  t.after(() => client.close())
  const verdict = await client.send(message())
  assert.ok(verdict.told === 'refused')
  assert.deepEqual(
    verdict.refused.map(({ recipient, code }) => [recipient, code]),
    [
      ['m.0@sink.example', 550],
      ['m.1@sink.example', 451],
    ],
  )
})

/** A server whose sockets the test speaks on itself; it answers what it hears with 250. */
async function rawServer(t: TestContext): Promise<{ target: Target; accepted: Promise<Socket> }> {
  const { promise, resolve } = Promise.withResolvers<Socket>()
  const listening = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', () => socket.write('250 raw.example\r\n'))
    socket.write('220 raw.example\r\n')
    resolve(socket)
  }).listen(0, '127.0.0.1')
  t.after(() => listening.close())
  await once(listening, 'listening')
  return {
    target: { host: '127.0.0.1', port: (listening.address() as AddressInfo).port, tls: 'none' },
    accepted: promise,
  }
}

test('a 421 that nobody asked for is the farewell of an idle session, and no MAIL goes out any more', async (t) => {
  const { target, accepted } = await rawServer(t)
  const client = await SmtpClient.connect(target)
  const socket = await accepted
  const ended = once(socket, 'close')
  socket.end(`${BYE}\r\n`)
  await ended // the client has read it and closed its side
  assert.equal(client.usable, false)
  assert.deepEqual(known(await client.send(message())), { ...nothing('idle'), farewell: BYE.slice(4) })
})

test('an idle session that ends without a word has no farewell', async (t) => {
  const { target, accepted } = await rawServer(t)
  const client = await SmtpClient.connect(target)
  const socket = await accepted
  const ended = once(socket, 'close')
  socket.end()
  await ended
  assert.deepEqual(known(await client.send(message())), nothing('idle'))
})

test('a 250 with a 421 behind it has accepted the message, and the session is over', async (t) => {
  const answer = at('DOT', ({ session }) => closing(session, `250 2.0.0 Ok: queued as 1\r\n${BYE}`))
  const client = await SmtpClient.connect(await server(t, answer))
  assert.equal((await client.send(message())).told, 'accepted')
  assert.equal(client.usable, false)
  assert.deepEqual(known(await client.send(message())), { ...nothing('idle'), farewell: BYE.slice(4) })
})

test('the server is named by its address and by its greeting', async (t) => {
  const target = await server(t, () => undefined)
  const client = await SmtpClient.connect({ ...target, host: 'localhost' })
  t.after(() => client.close())
  assert.equal(client.peer, `127.0.0.1:${target.port} edge.example`)
})

test('a server that does not want us says at which step', async (t) => {
  const cases = {
    CONNECT: ['greeting', 421],
    EHLO: ['EHLO', 502],
    STARTTLS: ['STARTTLS', 454],
    AUTH: ['AUTH', 535],
  } as const
  for (const [verb, [step, code]] of Object.entries(cases)) {
    const target = await server(
      t,
      at(verb, () => `${code} no`),
    )
    const how = verb === 'STARTTLS' ? { tls: 'starttls' as const } : { user: 'anna', password: 'secret' }
    const connecting = SmtpClient.connect({ ...target, ...how })
    await assert.rejects(
      connecting,
      (error) => error instanceof Unwelcome && error.step === step && error.code === code,
    )
  }
})

test('with an authority given, only its certificates for the right name are trusted, over STARTTLS and at once', async (t) => {
  await using folder = await temporaryFolder('smtp-client')
  await using other = await temporaryFolder('smtp-client')
  const authority = await TlsAuthority.create(folder.path)
  const stranger = await TlsAuthority.create(other.path)
  const tls = await authority.issue(['mail.example'])
  await using starting = await FakeMx.start({ tls })
  const implicit = createTlsServer(tls, (socket) => {
    socket.on('error', () => {})
    socket.on('data', () => socket.write('250 mx.example\r\n'))
    socket.write('220 mx.example\r\n')
  }).listen(0, '127.0.0.1')
  t.after(() => implicit.close())
  await once(implicit, 'listening')
  const targets: Target[] = [
    { host: '127.0.0.1', port: starting.port, tls: 'starttls' },
    { host: '127.0.0.1', port: (implicit.address() as AddressInfo).port, tls: 'implicit' },
  ]
  for (const target of targets) {
    const trusting = await SmtpClient.connect({ ...target, ca: authority.ca, serverName: 'mail.example' })
    trusting.close()
    const careless = await SmtpClient.connect(target)
    careless.close()
    const wrong = [
      { ...target, ca: authority.ca, serverName: 'other.example' },
      { ...target, ca: authority.ca },
      { ...target, ca: stranger.ca, serverName: 'mail.example' },
    ]
    for (const one of wrong) await assert.rejects(SmtpClient.connect(one), ConnectionLost)
  }
})
