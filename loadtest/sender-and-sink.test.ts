import assert from 'node:assert/strict'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import { freePort } from '@posthouse/testkit/free-port'
import { History } from './history.ts'
import { reconcile } from './ledger.ts'
import { composeMessage, type Message } from './message.ts'
import { seededRandom } from './random.ts'
import { send, type Sending } from './sender.ts'
import { startSink, type SinkScript } from './sink.ts'

function messages(count: number, options: { prefix?: string; recipients?: number } = {}): () => Message | undefined {
  const random = seededRandom(7)
  let turn = 0
  return () => {
    if (turn >= count) return undefined
    return composeMessage(`m${++turn}`, {
      random,
      size: null,
      recipients: options.recipients ?? 1,
      sender: 'a@sender.example',
      domain: 'sink.example',
      date: new Date(),
      ...(options.prefix === undefined ? {} : { prefix: options.prefix }),
    })
  }
}

interface Trial extends Partial<
  Pick<Sending, 'sessions' | 'connections' | 'retryUnknown' | 'next' | 'giveUpMs' | 'patience'>
> {
  readonly script?: SinkScript
}

async function trial(given: Trial) {
  const history = new History()
  const record = (arrival: History['arrivals'][number]) => history.arrivals.push(arrival)
  await using sink = await startSink({ traceHeaders: 0, ...given.script, record })
  const sent = await send({
    targets: [{ host: sink.host, port: sink.port, tls: 'none' }],
    sessions: 4,
    connections: 'kept',
    next: messages(200),
    rate: 0,
    retryUnknown: false,
    giveUpMs: 5000,
    record: (attempt) => history.attempts.push(attempt),
    ...given,
  })
  return { sent, history, statistics: sink.statistics, ledger: reconcile(history.attempts, history.arrivals, 0) }
}

test('what the sender sends is what the sink takes', async () => {
  const { ledger, statistics } = await trial({})
  assert.deepEqual(
    [ledger.accepted, ledger.delivered, ledger.lost, ledger.altered, ledger.unexpected],
    [200, 200, 0, 0, 0],
  )
  assert.equal(statistics.connections, 4)
})

test('one-shot sessions use a connection for each message', async () => {
  const { ledger, statistics } = await trial({ connections: 'one-shot', next: messages(50) })
  assert.deepEqual([ledger.delivered, statistics.connections], [50, 50])
})

test('several recipients share a transaction and have accounts of their own', async () => {
  const { ledger, statistics } = await trial({ next: messages(20, { recipients: 3 }) })
  assert.deepEqual([ledger.accepted, ledger.delivered, statistics.messages], [60, 60, 20])
})

test('a refusal for now is tried again until it is taken', async () => {
  const { ledger } = await trial({ script: { tempfailEvery: 5 }, next: messages(60) })
  assert.equal(ledger.accepted, 60)
  assert.ok(ledger.refused >= 12)
  assert.deepEqual([ledger.delivered, ledger.lost, ledger.duplicates], [60, 0, 0])
})

test('a refusal for good is final', async () => {
  const { ledger } = await trial({ script: { refusePrefix: 'no.' }, next: messages(10, { prefix: 'no.' }) })
  assert.deepEqual([ledger.accepted, ledger.refused, ledger.delivered], [0, 10, 0])
})

test('a connection dropped at the dot leaves the fate unknown, and the session goes on', async () => {
  const { ledger, sent } = await trial({ script: { dropEvery: 10 }, next: messages(100) })
  assert.deepEqual([ledger.accepted, ledger.unknown, ledger.lost, ledger.duplicates], [90, 10, 0, 0])
  assert.equal(sent.connectionFailures, 10)
})

test('what was taken before the drop and is sent again is no duplicate of the relay', async () => {
  const script = { dropEvery: 10, dropTakes: true }
  const { ledger } = await trial({ script, retryUnknown: true, next: messages(100) })
  assert.equal(ledger.accepted, 100)
  assert.equal(ledger.delivered, ledger.accepted + ledger.unknown)
  assert.deepEqual([ledger.duplicates, ledger.lost, ledger.unexpected], [0, 0, 0])
})

test('a server that hangs after the dot leaves the fate unknown once patience ends', async () => {
  const patience = { connectMs: 2000, replyMs: 300 }
  const { ledger } = await trial({ script: { hangEvery: 8 }, next: messages(16), sessions: 1, patience })
  assert.deepEqual([ledger.accepted, ledger.unknown], [14, 2])
})

test('a server that nobody reaches leaves messages unsent, not lost', async () => {
  const port = await freePort()
  const history = new History()
  const sent = await send({
    targets: [{ host: '127.0.0.1', port, tls: 'none' }],
    sessions: 2,
    connections: 'kept',
    next: messages(4),
    rate: 0,
    retryUnknown: false,
    giveUpMs: 50,
    record: (attempt) => history.attempts.push(attempt),
  })
  assert.equal(sent.unsent, 4)
  assert.deepEqual(history.attempts, [])
})

test('a connection lost before the dot is tried again elsewhere, and nothing is unknown', async () => {
  const history = new History()
  await using sink = await startSink({ traceHeaders: 0, record: (arrival) => history.arrivals.push(arrival) })
  const rude = createServer((socket) => {
    socket.write('220 hello\r\n')
    socket.once('data', () => {
      socket.write('250 hello\r\n')
      socket.once('data', () => socket.destroy())
    })
  })
  rude.listen(0, '127.0.0.1')
  await once(rude, 'listening')
  try {
    const rudePort = (rude.address() as AddressInfo).port
    await send({
      targets: [rudePort, sink.port].map((port) => ({ host: '127.0.0.1', port, tls: 'none' as const })),
      sessions: 2,
      connections: 'kept',
      next: messages(10),
      rate: 0,
      retryUnknown: false,
      giveUpMs: 5000,
      record: (attempt) => history.attempts.push(attempt),
    })
  } finally {
    rude.close()
  }
  const ledger = reconcile(history.attempts, history.arrivals, 0)
  assert.deepEqual([ledger.accepted, ledger.unknown, ledger.delivered], [10, 0, 10])
})

test('the queue id that the 250 names is kept with what was accepted', async () => {
  const replies = ['250 hello', '250 ok', '250 ok', '354 go on', '250 2.0.0 Ok: queued as 0123456789ABC', '221 bye']
  const relay = createServer((socket) => {
    socket.write('220 hello\r\n')
    socket.on('data', () => socket.write(`${replies.shift() ?? '500'}\r\n`))
  })
  relay.listen(0, '127.0.0.1')
  await once(relay, 'listening')
  const history = new History()
  await send({
    targets: [{ host: '127.0.0.1', port: (relay.address() as AddressInfo).port, tls: 'none' }],
    sessions: 1,
    connections: 'kept',
    next: messages(1),
    rate: 0,
    retryUnknown: false,
    giveUpMs: 5000,
    record: (attempt) => history.attempts.push(attempt),
  }).finally(() => relay.close())
  assert.deepEqual(
    history.attempts.map(({ told, queueId }) => [told, queueId]),
    [['accepted', '0123456789ABC']],
  )
})

test('recipients lie in several domains in turn, and no address is used twice', () => {
  const how = { random: seededRandom(1), size: 100, recipients: 5, sender: 'a@b.example', date: new Date(0) }
  const { recipients } = composeMessage('m', {
    ...how,
    domain: ['one.example', 'two.example'],
    prefix: ['no.', '', ''],
  })
  assert.deepEqual(recipients, [
    'no.m.0@one.example',
    'm.1@two.example',
    'm.2@one.example',
    'no.m.3@two.example',
    'm.4@one.example',
  ])
})

test('messages go out at the rate that was asked for and no sooner', async () => {
  const history = new History()
  await using sink = await startSink({ traceHeaders: 0, record: () => {} })
  const startedAt = performance.now()
  await send({
    targets: [{ host: sink.host, port: sink.port, tls: 'none' }],
    sessions: 3,
    connections: 'kept',
    next: messages(20),
    rate: 100,
    retryUnknown: false,
    giveUpMs: 5000,
    record: (attempt) => history.attempts.push(attempt),
  })
  const early = history.attempts.filter((attempt) => {
    const due = startedAt + (Number(attempt.id.slice(1)) - 1) * 10
    return attempt.startedAt < due - 2
  })
  assert.deepEqual(early, [])
})
