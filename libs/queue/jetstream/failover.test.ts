import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { NatsCluster } from '@posthouse/testkit/nats-cluster'
import { SILENT } from '../log.ts'
import { header, lease } from '../store.contract.ts'
import type { Store } from '../store.ts'
import { connectStore } from './jetstream-store.ts'

const PARTITIONS = 3
const TRY_MS = 500
const EMPTY = new Uint8Array(0)

let cluster: NatsCluster
let store: Store
before(async () => {
  cluster = await NatsCluster.start({ servers: 3 })
  const { servers, user, password } = cluster
  store = await connectStore({
    servers,
    user,
    password,
    name: 'test',
    partitions: PARTITIONS,
    replicas: 3,
    log: SILENT,
  })
})
after(async () => {
  await store.close()
  await cluster.stop()
})

let ids = 0
async function storeOne(partition: number): Promise<number> {
  const id = `m${ids++}`
  for (let tries = 1; ; tries++) {
    const answer = await store.appendMail(partition, id, 1, Buffer.from(id), TRY_MS)
    if (answer.is === 'stored') return tries
    if (answer.is === 'refused') await sleep(50)
  }
}

async function everyPartition(): Promise<number[]> {
  return Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => storeOne(partition)))
}

test('a stopped server holds up no more than its own partitions', async () => {
  await everyPartition()
  await cluster.kill(0, 'SIGSTOP')
  try {
    // A first try may go to the stopped server, and partitions that it led wait for an election; the others go on.
    const all = Array.from({ length: PARTITIONS }, (_, partition) => storeOne(partition))
    await Promise.any(all)
    await Promise.all(all)
  } finally {
    await cluster.kill(0, 'SIGCONT')
  }
})

test('a scan sees each entry once, also when a server dies under it', async () => {
  const count = 800
  const first = await storeLease('first', 0)
  for (let n = 0; n < count; n++) await storeOutcome(`outcome${n}`, first)
  const read = await readLease()
  const through = await storeLease('second', read.seq)
  let killed: Promise<void> | undefined
  for (;;) {
    const seqs: number[] = []
    const done = await store.scanLog(0, through, 1, 0, ({ seq }) => {
      if (seqs.push(seq) === 100) killed ??= cluster.kill(1, 'SIGKILL')
    })
    assert.equal(new Set(seqs).size, seqs.length)
    if (done.is === 'unanswered') continue
    assert.equal(seqs.length, count)
    break
  }
  await killed
  await cluster.start(1)
  await cluster.ready()
})

test('without any server nothing is stored and the store says so, and it goes on when they are back', async () => {
  for (let server = 0; server < 3; server++) await cluster.kill(server, 'SIGKILL')
  while (store.disconnected() === undefined) await sleep(20)
  const answer = await store.appendMail(0, 'nobody', 1, EMPTY, TRY_MS)
  assert.ok(answer.is === 'refused' && answer.why === 'no-leader', JSON.stringify(answer))
  assert.deepEqual(await store.readMail(0, 1, 1000), { is: 'unanswered' })
  assert.deepEqual(await store.readLease(0), { is: 'unanswered' })
  assert.deepEqual(await store.scanLog(0, 1, 1, 0, () => {}), { is: 'unanswered' })
  for (let server = 0; server < 3; server++) await cluster.start(server)
  await everyPartition()
  assert.equal(store.disconnected(), undefined)
})

async function storeLease(id: string, expected: number): Promise<number> {
  for (;;) {
    const answer = await store.writeLease(0, lease(id), expected, TRY_MS)
    if (answer.is === 'stored') return answer.seq
    await sleep(50)
  }
}

async function storeOutcome(id: string, lease: number): Promise<void> {
  for (;;) {
    const answer = await store.writeEntry(0, id, 'outcome', header(lease), Buffer.alloc(0), 1000)
    if (answer.is === 'stored') return
    await sleep(50)
  }
}

async function readLease() {
  for (;;) {
    const read = await store.readLease(0)
    if (read.is === 'lease') return read
    await sleep(50)
  }
}
