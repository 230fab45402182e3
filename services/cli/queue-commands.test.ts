import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryServer } from '@posthouse/queue/memory/memory-server'
import { StoreQueueView } from '@posthouse/queue/queue-view'
import type { ShownItem } from './queue-item.ts'
import { posthouse, type FakeWorld } from './test/fake-world.ts'
import { DEFERRED, fill, NEVER_TRIED } from './test/filled-store.ts'

const environment = { POSTHOUSE_NATS_SERVERS: '127.0.0.1:4222' }

function world(server: MemoryServer): FakeWorld {
  return { environment, queue: () => Promise.resolve(new StoreQueueView(server.connect())) }
}

async function filled(): Promise<FakeWorld> {
  const server = new MemoryServer({ partitions: 2 })
  await fill(server.connect())
  return world(server)
}

test('the count of an empty queue is 0', async () => {
  const said = await posthouse(['queue', 'count', '--json'], world(new MemoryServer({ partitions: 2 })))
  assert.equal(said.status, 0)
  assert.equal((JSON.parse(said.output) as { count: number }).count, 0)
})

test('the count is that of the recipients, ready and later, with the owner of each partition', async () => {
  const said = await posthouse(['queue', 'count', '--json'], await filled())
  const answer = JSON.parse(said.output) as { count: number; ready: number; later: number; partitions: object[] }
  assert.deepEqual([answer.count, answer.ready, answer.later], [3, 2, 1])
  assert.deepEqual(
    answer.partitions.map((one) => ({ ...one, bytes: 0 })),
    [
      { partition: 0, owner: 'delivery-1', ready: 2, later: 1, bytes: 0 },
      { partition: 1, ready: 0, later: 0, bytes: 0 },
    ],
  )
})

test('the count is one line of JSON, as scripts read it', async () => {
  const said = await posthouse(['queue', 'count', '--json'], await filled())
  assert.equal(said.output.trimEnd().split('\n').length, 1)
})

test('people read the count in words and as a table', async () => {
  const said = await posthouse(['queue', 'count'], await filled())
  assert.match(said.output, /^3 recipients wait, the oldest for /)
  assert.match(said.output, /\n2 for a first attempt or under way, 1 for another one\n/)
  assert.match(said.output, /\n +0 {2}delivery-1 +2 +1 +\d/)
})

test('the list names what waits, newest first, with the last reply', async () => {
  const said = await posthouse(['queue', 'list'], await filled())
  const [, first, second] = said.output.split('\n')
  assert.match(
    first ?? '',
    new RegExp(`^${DEFERRED} +deferred +due in .* <> +<dave@example.com> +450 4.2.1 try later$`),
  )
  assert.match(second ?? '', new RegExp(`^${NEVER_TRIED} +ready .*<alice@example.org> +<bob@example.net> and 1 more$`))
})

test('the list holds no more than its limit, and says so', async () => {
  const said = await posthouse(['queue', 'list', '--limit', '1'], await filled())
  assert.match(said.output, /\nthe first 1; --limit shows more\n$/)
  assert.doesNotMatch(said.output, new RegExp(NEVER_TRIED))
})

test('an empty queue is said to be empty', async () => {
  const said = await posthouse(['queue', 'list'], world(new MemoryServer({ partitions: 1 })))
  assert.deepEqual([said.status, said.output], [0, 'the queue is empty\n'])
})

test('a message is shown with everything known of it', async () => {
  const said = await posthouse(['queue', 'show', DEFERRED, '--json'], await filled())
  const { items } = JSON.parse(said.output) as { items: ShownItem[] }
  assert.deepEqual(items, [
    {
      id: DEFERRED,
      state: 'deferred',
      partition: 0,
      from: '',
      recipients: ['dave@example.com'],
      size: 28,
      acceptedAt: '2026-11-01T12:00:00.001Z',
      acceptedBy: 'edge-1',
      user: 'alice',
      messageId: '<1@example.org>',
      attempts: 1,
      due: '2100-01-01T00:00:00.000Z',
      lastReply: '450 4.2.1 try later',
      lastHost: 'mx.example.com[192.0.2.1]:25',
      suspect: false,
    },
  ])
  assert.match((await posthouse(['queue', 'show', DEFERRED], await filled())).output, /\nto +<dave@example.com>\n/)
})

test('a message that is not in the queue is status 1 and no answer', async () => {
  const said = await posthouse(['queue', 'show', 'NOSUCH'], await filled())
  assert.deepEqual([said.status, said.output], [1, ''])
  assert.match(said.errors, /^posthouse: NOSUCH: nothing of it is in the queue/)
})

test('a queue that does not answer is status 69 and names who was asked', async () => {
  const said = await posthouse(['queue', 'count'], {
    environment,
    queue: () => Promise.reject(new Error('nats.servers: no NATS server answers at 127.0.0.1:4222')),
  })
  assert.equal(said.status, 69)
  assert.equal(
    said.errors,
    'posthouse: nats.servers: no NATS server answers at 127.0.0.1:4222 (from POSTHOUSE_NATS_SERVERS)\n',
  )
})

test('the connection is closed, whatever the answer', async () => {
  const server = new MemoryServer({ partitions: 1 })
  let closed = 0
  const queue = () => {
    const view = new StoreQueueView(server.connect())
    view.close = () => Promise.resolve(void closed++)
    return Promise.resolve(view)
  }
  await posthouse(['queue', 'count'], { environment, queue })
  await posthouse(['queue', 'show', 'NOSUCH'], { environment, queue })
  assert.equal(closed, 2)
})

test('a foreign reply cannot move the cursor', async () => {
  const { printable } = await import('./human.ts')
  assert.equal(printable('550 \x1b[2J\u202eno\r\n'), '550 \ufffd[2J\ufffdno\ufffd\ufffd')
})
