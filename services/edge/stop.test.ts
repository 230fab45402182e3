import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { Client } from './test/client.ts'
import { startTestEdge } from './test/test-edge.ts'
import type { TestEdge } from './test/test-edge.ts'

const good = 'Subject: x\r\n\r\nbody\r\n.\r\n'
const shuttingDown = '421 4.3.2 Service shutting down, closing connection'

interface Site {
  readonly edge: TestEdge
  /** Time stands still but for this. */
  readonly tick: (ms: number) => void
  /** Clients that are gone with the test. */
  readonly keep: (client: Client) => Client
}

async function site(t: TestContext, settings: Record<string, unknown> = {}): Promise<Site> {
  const clients: Client[] = []
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const edge = await startTestEdge({ settings: { greetingDelay: '0s', ...settings } })
  // Also of a test that failed half-way nothing is left.
  t.after(async () => {
    const ended = edge[Symbol.asyncDispose]()
    for (const client of clients) client.close()
    for (const fate of edge.queue.held?.splice(0) ?? []) fate({ is: 'unknown' })
    await new Promise(setImmediate)
    t.mock.timers.tick(600_000)
    await ended
  })
  return {
    edge,
    tick: (ms) => t.mock.timers.tick(ms),
    keep(client) {
      clients.push(client)
      return client
    },
  }
}

/** Long enough for whatever needs no time. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate)
}

async function held(edge: TestEdge): Promise<void> {
  while (edge.queue.held?.length !== 1) await new Promise(setImmediate)
}

/** A client that does not hang up because the edge does. */
async function patient(
  edge: TestEdge,
  keep: Site['keep'],
): Promise<{ client: Client; socket: Socket; errors: unknown[] }> {
  const socket = connect({ port: edge.ports.relay, host: '127.0.0.1', allowHalfOpen: true })
  await once(socket, 'connect')
  const client = keep(Client.over(socket))
  const errors: unknown[] = []
  socket.on('error', (error) => errors.push(error))
  await client.reply()
  await client.command('EHLO client.example')
  return { client, socket, errors }
}

test('a stopping node that says "not ready" serves everybody as always, and then nobody any more', async (t) => {
  const { edge, tick, keep } = await site(t, { stop: { notReadyFor: '5s', deadline: '20s' } })
  const kept = keep(await Client.greeted(edge.ports.relay))
  const idle = keep(await Client.greeted(edge.ports.relay))
  assert.match(await kept.mail('a@b.example', 'c@d.example', good), /^250 /)
  edge.lifecycle.stop('SIGTERM')
  tick(4999)
  assert.equal(edge.lifecycle.phase, 'not ready')
  assert.match(await kept.mail('a@b.example', 'c@d.example', good), /^250 /)
  const fresh = keep(await Client.greeted(edge.ports.relay))
  assert.match(await fresh.mail('a@b.example', 'c@d.example', good), /^250 /)
  assert.equal(edge.queue.records.length, 3)

  tick(1)
  for (const client of [kept, idle, fresh]) {
    assert.equal(await client.reply(), shuttingDown)
    assert.equal(await client.reply(), '')
  }
  await assert.rejects(Client.open(edge.ports.relay), { code: 'ECONNREFUSED' })
  assert.equal(await edge.lifecycle.done, 0)
})

test('a message under way gets its reply, the MAIL behind it 421, and the node stays until both are read', async (t) => {
  const { edge, keep } = await site(t)
  edge.queue.held = []
  const { client, socket, errors } = await patient(edge, keep)
  for (const line of ['MAIL FROM:<a@b.example>', 'RCPT TO:<c@d.example>', 'DATA']) await client.command(line)
  client.write(`${good}MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n`)
  await held(edge)
  const stopped = edge[Symbol.asyncDispose]()
  edge.queue.held?.shift()?.({ is: 'stored' })
  assert.match(await client.reply(), /^250 2\.0\.0 Ok: queued as /)
  assert.equal(await client.reply(), shuttingDown)
  assert.equal(await client.reply(), '')
  // What it says now comes to nothing, but it is no reason to tear the connection down.
  client.write('MAIL FROM:<a@b.example>\r\n')
  await turns()
  assert.equal(edge.queue.closed, false)
  assert.equal(edge.sessions.size, 1)
  assert.deepEqual(errors, [])
  socket.end()
  await stopped
  assert.equal(edge.queue.closed, true)
  assert.equal(edge.queue.records.length, 1)
})

test('a client that never hangs up is not waited for longer than two seconds', async (t) => {
  const { edge, tick, keep } = await site(t)
  const { client } = await patient(edge, keep)
  const stopped = edge[Symbol.asyncDispose]()
  assert.equal(await client.reply(), shuttingDown)
  tick(1999)
  await turns()
  assert.equal(edge.queue.closed, false)
  tick(1)
  await stopped
  assert.equal(edge.queue.closed, true)
  assert.equal(await edge.lifecycle.done, 0)
})

test('a transaction that ends in another way than with a message ends the session as well', async (t) => {
  const { edge, keep } = await site(t)
  const reset = keep(await Client.greeted(edge.ports.relay))
  const refused = keep(await Client.greeted(edge.ports.relay))
  for (const client of [reset, refused]) assert.match(await client.command('MAIL FROM:<a@b.example>'), /^250 /)
  const stopped = edge[Symbol.asyncDispose]()
  assert.equal(await reset.command('RSET'), '250 2.0.0 Ok')
  assert.equal(await reset.reply(), shuttingDown)
  edge.queue.fate = { is: 'refused', why: 'unavailable' }
  for (const line of ['RCPT TO:<c@d.example>', 'DATA']) assert.match(await refused.command(line), /^[23]/)
  refused.write(good)
  assert.match(await refused.reply(), /^451 /)
  assert.equal(await refused.reply(), shuttingDown)
  await stopped
})

test('a log-in that is being checked is answered before the session ends', async (t) => {
  const { edge, tick, keep } = await site(t, { failedLoginDelay: '1s' })
  const client = keep(await Client.secure(edge.ports.submissions))
  await client.reply()
  await client.command('EHLO client.example')
  const answer = client.login('anna', 'a wrong password')
  while (!edge.lines().some((line) => line['msg'] === 'log-in refused')) await new Promise(setImmediate)
  const stopped = edge[Symbol.asyncDispose]()
  await turns()
  assert.equal(edge.sessions.size, 1)
  tick(1000)
  assert.equal(await answer, '535 5.7.8 Authentication credentials invalid')
  assert.equal(await client.reply(), shuttingDown)
  await stopped
})

test('a client in the middle of STARTTLS is told when it can hear it', async (t) => {
  const { edge, keep } = await site(t)
  const plain = keep(await Client.greeted(edge.ports.submission))
  assert.match(await plain.command('STARTTLS'), /^220 /)
  const stopped = edge[Symbol.asyncDispose]()
  plain.socket.removeAllListeners()
  const socket = connectTls({ socket: plain.socket, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  assert.equal(await keep(Client.over(socket)).reply(), shuttingDown)
  await stopped
})

test('who lingers in a transaction is told in time before the deadline, which began with "not ready"', async (t) => {
  const { edge, tick, keep } = await site(t, { stop: { notReadyFor: '6s', deadline: '20s' } })
  const client = keep(await Client.greeted(edge.ports.relay))
  await client.command('MAIL FROM:<a@b.example>')
  edge.lifecycle.stop('SIGTERM')
  tick(6000)
  while (edge.lifecycle.phase === 'not ready') await new Promise(setImmediate)
  const refused = () => edge.lines().filter((line) => line['reason'] === 'shuttingDown').length
  tick(8999)
  assert.equal(refused(), 0)
  tick(1)
  assert.equal(refused(), 1)
  assert.equal(await client.reply(), shuttingDown)
  assert.equal(await edge.lifecycle.done, 0)
})
