/** The view of the queue on real servers: what the in-memory tests say holds there too, also without any owner. */
import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { encodeBatch } from '@posthouse/core/batch-codec'
import type { Closing } from '@posthouse/core/entry'
import type { Lease } from '@posthouse/core/lease'
import { NatsCluster } from '@posthouse/testkit/nats-cluster'
import { mailRecord } from '@posthouse/testkit/mail-record'
import { connectStore } from './jetstream/jetstream-store.ts'
import { SILENT } from './log.ts'
import { connectQueueView } from './queue-view.ts'

const MS = 5000
const closing: (() => Promise<void>)[] = []
after(async () => {
  for (const close of closing.reverse()) await close()
})

const LEASE: Lease = {
  id: 'lease',
  node: 'node',
  name: 'delivery-1',
  time: 10_000,
  floor: 1,
  floorTime: 0,
  r: 1,
  mayBegin: { mail: 0, due: 0 },
  suspects: { mail: 0, log: 0, due: 0 },
  backlog: { ready: 0, later: 0, bytes: 0 },
  released: false,
}

it('counts and lists what one NATS server holds', { timeout: 120_000 }, async () => {
  const cluster = await NatsCluster.start({ servers: 1 })
  closing.push(() => cluster.stop())
  const { servers, user, password } = cluster
  const options = { servers, user, password, name: 'test', log: SILENT }
  await assert.rejects(connectQueueView(options), /^Error: nats\.servers: there is no queue/)
  const store = await connectStore({ ...options, partitions: 2, replicas: 1, limits: { storage: 512 * 1024 * 1024 } })
  const view = await connectQueueView(options)
  closing.push(
    () => store.close(),
    () => view.close(),
  )
  assert.equal((await view.count()).ready, 0)
  assert.deepEqual(await view.list(10), [])

  const mail = await store.appendMail(
    0,
    'batch',
    2,
    encodeBatch([mailRecord('a', { recipients: 2 }), mailRecord('b', { recipients: 1 })]),
    MS,
  )
  assert(mail.is === 'stored')
  assert.deepEqual((await view.list(10)).map(({ envelope, open }) => `${envelope.id} ${open.join()}`).sort(), [
    'a 0,1',
    'b 0',
  ])

  const lease = await store.writeLease(0, LEASE, 0, MS)
  assert(lease.is === 'stored')
  const closes: Closing[] = [
    {
      stream: 'mail',
      seq: mail.seq,
      record: 0,
      positions: [1],
      id: 'a',
      indexes: [1],
      origin: mail.seq,
      batch: 'batch',
      how: 'deferred',
      attempt: 1,
      facts: { reply: '450 4.2.0 later' },
    },
  ]
  const later = {
    due: 5000,
    destination: 'example.net',
    state: 'deferred' as const,
    records: [{ id: 'a', origin: mail.seq, batch: 'batch', recipients: 1 }],
  }
  const header = { node: 'node', lease: lease.seq, closes, later }
  const entry = await store.writeEntry(
    0,
    'entry',
    'later',
    header,
    encodeBatch([mailRecord('a', { recipients: 1 })]),
    MS,
  )
  assert(entry.is === 'stored')
  const { ready, later: waiting, partitions } = await view.count()
  assert.deepEqual([ready, waiting, partitions[0]?.owner], [2, 1, 'delivery-1'])
  assert.deepEqual((await view.show('a')).map(({ state, open }) => `${state} ${open.join()}`).sort(), [
    'deferred 0',
    'ready 0',
  ])
})
