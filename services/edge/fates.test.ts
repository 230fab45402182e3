import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Client } from './test/client.ts'
import { startTestEdge } from './test/test-edge.ts'

const good = 'Subject: x\r\n\r\nbody\r\n.\r\n'
const full = '452 4.3.1 Insufficient system storage, try again later'
const unavailable = '451 4.3.0 Queue unavailable, try again later'

test('what the queue refused is answered with a temporary error, and the session goes on', async () => {
  await using edge = await startTestEdge()
  const client = await Client.greeted(edge.ports.relay)
  edge.queue.fate = { is: 'refused', why: 'full' }
  assert.equal(await client.mail('a@b.example', 'c@d.example', good), full)
  edge.queue.fate = { is: 'refused', why: 'unavailable' }
  assert.equal(await client.mail('a@b.example', 'c@d.example', good), unavailable)
  edge.queue.fate = { is: 'stored' }
  assert.match(await client.mail('a@b.example', 'c@d.example', good), /^250 /)
  client.close()
})

test('nothing is claimed before the queue has stored it', async () => {
  await using edge = await startTestEdge()
  edge.queue.held = []
  const client = await Client.greeted(edge.ports.relay)
  const answer = client.mail('a@b.example', 'c@d.example', good)
  let answered = false
  void answer.then(() => (answered = true))
  while (edge.queue.held.length === 0) await new Promise(setImmediate)
  await new Promise(setImmediate)
  assert.equal(answered, false)
  edge.queue.held[0]?.({ is: 'stored' })
  assert.match(await answer, /^250 /)
  client.close()
})

test('when nobody can tell, the connection ends without a reply', async () => {
  await using edge = await startTestEdge()
  edge.queue.fate = { is: 'unknown' }
  const client = await Client.greeted(edge.ports.relay)
  assert.equal(await client.mail('a@b.example', 'c@d.example', good), '')
  assert.match(await edge.metricsText(), /posthouse_edge_fate_unknown_total 1/)
})

test('while the queue is not ready, no transaction begins and the node is not ready', async () => {
  await using edge = await startTestEdge()
  const client = await Client.greeted(edge.ports.relay)
  edge.queue.readiness = { why: 'full', reason: 'queue 81 % full' }
  assert.equal(await client.command('MAIL FROM:<a@b.example>'), full)
  edge.queue.readiness = { why: 'unavailable', reason: 'no partition has a leader' }
  assert.equal(await client.command('MAIL FROM:<a@b.example>'), unavailable)
  while (edge.health.isReady) await new Promise(setImmediate)
  assert.deepEqual(edge.health.whyNot(), [{ condition: 'queue', reason: 'no partition has a leader' }])
  edge.queue.readiness = undefined
  assert.match(await client.mail('a@b.example', 'c@d.example', good), /^250 /)
  client.close()
})

test('a client that leaves after its final dot does not undo the message', async () => {
  await using edge = await startTestEdge()
  edge.queue.held = []
  const client = await Client.greeted(edge.ports.relay)
  void client.mail('a@b.example', 'c@d.example', good)
  while (edge.queue.held.length === 0) await new Promise(setImmediate)
  client.close()
  while (edge.sessions.size > 0) await new Promise(setImmediate)
  assert.equal(edge.lifecycle.activities.size, 1)
  edge.queue.held[0]?.({ is: 'stored' })
  assert.equal(edge.lifecycle.activities.size, 0)
  assert.ok(edge.lines().some((line) => line['msg'] === 'accepted'))
})

test('a stop lets the transaction finish, tells everybody, and gives the queue back last', async () => {
  const edge = await startTestEdge()
  edge.queue.held = []
  const idle = await Client.greeted(edge.ports.relay)
  const busy = await Client.greeted(edge.ports.relay)
  const answer = busy.mail('a@b.example', 'c@d.example', good)
  while (edge.queue.held.length === 0) await new Promise(setImmediate)
  const stopped = edge[Symbol.asyncDispose]()
  assert.equal(await idle.reply(), '421 4.3.2 Service shutting down, closing connection')
  await assert.rejects(Client.open(edge.ports.relay))
  assert.equal(edge.queue.closed, false)
  edge.queue.held[0]?.({ is: 'stored' })
  assert.match(await answer, /^250 /)
  assert.equal(await busy.reply(), '421 4.3.2 Service shutting down, closing connection')
  await stopped
  assert.equal(edge.queue.closed, true)
})

test('two edges share a port, and one of them can leave', async () => {
  const first = await startTestEdge({ settings: { reusePort: true } })
  const port = first.ports.relay
  await using second = await startTestEdge({
    settings: {
      reusePort: true,
      listeners: [{ role: 'relay', host: '127.0.0.1', port, networks: ['127.0.0.0/8'] }],
    },
  })
  await first[Symbol.asyncDispose]()
  const client = await Client.greeted(port)
  assert.match(await client.mail('a@b.example', 'c@d.example', good), /^250 /)
  assert.equal(second.queue.records.length, 1)
  client.close()
})

test('a port that is taken is named with its setting', async () => {
  await using edge = await startTestEdge()
  const port = edge.ports.relay
  await assert.rejects(
    startTestEdge({ settings: { listeners: [{ role: 'relay', host: '127.0.0.1', port, networks: ['::1'] }] } }),
    (error: Error & { setting?: string }) =>
      error.setting === 'listeners[0].port' &&
      error.message === `port ${port} on 127.0.0.1 is taken by another process`,
  )
})

test('connections beyond the limits are told to come later', async () => {
  await using edge = await startTestEdge({ settings: { limits: { connections: 3, connectionsPerClient: 1 } } })
  const one = await Client.greeted(edge.ports.submission)
  const two = await Client.open(edge.ports.submission)
  assert.equal(await two.reply(), '421 4.7.0 Too many connections from your address')
  while (edge.sessions.size > 1) await new Promise(setImmediate)
  const listed = [await Client.greeted(edge.ports.relay), await Client.greeted(edge.ports.relay)]
  const four = await Client.open(edge.ports.relay)
  assert.equal(await four.reply(), '421 4.3.2 Too many connections, try again later')
  for (const client of [one, ...listed]) client.close()
})

test('time: the idle, the slow and the endless are sent away, who waits for us is not', async () => {
  await using edge = await startTestEdge({ settings: { timeouts: { command: '60s', session: '1h' } } })
  const seconds = (from: number, to: number): void => {
    for (let second = from; second <= to; second += 1) edge.sessions.tick(second * 1000)
  }
  const idle = await Client.greeted(edge.ports.relay)
  seconds(1, 70)
  assert.equal(await idle.reply(), '421 4.4.2 Idle for too long, closing connection')

  const slow = await Client.greeted(edge.ports.relay)
  for (const line of ['MAIL FROM:<a@b.example>', 'RCPT TO:<c@d.example>', 'DATA']) await slow.command(line)
  seconds(100, 129)
  slow.write('a')
  seconds(130, 140)
  assert.equal(await slow.reply(), '421 4.4.2 Data comes too slowly, closing connection')

  edge.queue.held = []
  const waiting = await Client.greeted(edge.ports.relay)
  const answer = waiting.mail('a@b.example', 'c@d.example', good)
  while (edge.queue.held.length === 0) await new Promise(setImmediate)
  seconds(200, 5000)
  edge.queue.held[0]?.({ is: 'stored' })
  assert.match(await answer, /^250 /)
  seconds(5001, 5002)
  assert.equal(await waiting.reply(), '421 4.4.2 Session lasts too long, closing connection')
})

test('a client that sends commands and never reads is not read from for ever', async () => {
  await using edge = await startTestEdge()
  const client = await Client.greeted(edge.ports.relay)
  client.socket.pause()
  const chunk = 'NOOP\r\n'.repeat(10_000)
  let writes = 0
  while (client.write(chunk) || client.socket.bytesWritten < 30_000_000) {
    writes += 1
    if (client.socket.writableNeedDrain) {
      const drained = await Promise.race([
        once(client.socket, 'drain').then(() => true),
        new Promise((resolve) => setTimeout(resolve, 300, false)),
      ])
      if (drained === false) break
    }
    assert.ok(writes < 2000, 'the node reads on though nobody reads its replies')
  }
  client.close()
})
