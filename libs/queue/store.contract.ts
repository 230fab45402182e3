/**
 * What every implementation of the store keeps, as tests. Each test has a partition of its own, so that one cluster
 * serves them all.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import type { PublishAnswer } from '@posthouse/core/answer'
import type { Closing, EntryHeader } from '@posthouse/core/entry'
import type { Lease } from '@posthouse/core/lease'
import type { BodyReference } from '@posthouse/core/record'
import { BodyMissing } from './port.ts'
import type { Heartbeat, Store, StoredEntry } from './store.ts'

/** Partitions that the store under test must have. */
export const CONTRACT_PARTITIONS = 14
const MS = 5000
const EMPTY = new Uint8Array(0)

export function storeContract(name: string, open: () => Promise<{ store: Store; other: Store }>): void {
  describe(`the store contract: ${name}`, () => {
    let opened: Promise<{ store: Store; other: Store }> | undefined
    const stores = () => (opened ??= open())

    test('mail is read in the order in which it was stored, by everybody', async () => {
      const { store, other } = await stores()
      for (let n = 1; n <= 5; n++) {
        assert.deepEqual(await store.appendMail(0, `a${n}`, n, bytes(`mail ${n}`), MS), stored(n))
      }
      const batches = await readMail(other, 0, 2, 5)
      assert.deepEqual(
        batches.map(({ seq, id, payload }) => [seq, id, text(payload)]),
        [2, 3, 4, 5].map((n) => [n, `a${n}`, `mail ${n}`]),
      )
      assert.ok(batches.every(({ storedAt }) => Math.abs(storedAt - Date.now()) < 60_000))
    })

    test('a repeat with the same id is a duplicate of the first, also after it was purged', async () => {
      const { store, other } = await stores()
      assert.deepEqual(await store.appendMail(1, 'same', 1, bytes('x'), MS), stored(1))
      assert.deepEqual(await other.appendMail(1, 'same', 1, bytes('x'), MS), stored(1, true))
      assert.deepEqual(await store.appendMail(1, 'next', 1, bytes('y'), MS), stored(2))
      assert.deepEqual(await eventually(() => store.purgeMail(1, 2), 'done'), { is: 'done' })
      assert.deepEqual(await store.appendMail(1, 'same', 1, bytes('x'), MS), stored(1, true))
      assert.deepEqual(
        (await readMail(store, 1, 0, 2)).map(({ seq }) => seq),
        [2],
      )
    })

    test('reading mail stops at the byte limit but gives at least one batch', async () => {
      const { store } = await stores()
      for (let n = 1; n <= 4; n++) await store.appendMail(2, `b${n}`, 1, Buffer.alloc(1000), MS)
      await readMail(store, 2, 1, 4)
      const lengths = async (maxBytes: number) => {
        const read = await store.readMail(2, 1, maxBytes)
        return read.is === 'batches' ? read.batches.length : 0
      }
      // Another replica may answer than before, and lag.
      let small = 0
      while (small === 0) small = await lengths(10)
      assert.equal(small, 1)
      let some = 0
      while (some < 2) some = await lengths(2500)
      assert.ok(some <= 3)
    })

    test('nothing beyond the end is no error', async () => {
      const { store } = await stores()
      assert.deepEqual(await store.readMail(3, 1, 1000), { is: 'batches', batches: [] })
    })

    test('purging mail keeps what is at and above, and is harmless when repeated', async () => {
      const { store } = await stores()
      for (let n = 1; n <= 3; n++) await store.appendMail(3, `p${n}`, 1, bytes('x'), MS)
      for (let n = 0; n < 2; n++)
        assert.deepEqual(await eventually(() => store.purgeMail(3, 3), 'done'), { is: 'done' })
      assert.deepEqual(await eventually(() => store.purgeMail(3, 1), 'done'), { is: 'done' })
      // A replica that lags still has what is purged, for a moment.
      let left: number[] = []
      while (left[0] !== 3) left = (await readMail(store, 3, 1, 3)).map(({ seq }) => seq)
      assert.deepEqual(left, [3])
      assert.deepEqual(await eventually(() => store.purgeMail(3, 4), 'done'), { is: 'done' })
      assert.deepEqual(await store.appendMail(3, 'p4', 1, bytes('x'), MS), stored(4))
    })

    test('a lease is taken by compare-and-set', async () => {
      const { store, other } = await stores()
      assert.deepEqual(await store.readLease(4), { is: 'none' })
      assert.deepEqual(await store.writeLease(4, lease('one'), 0, MS), stored(1))
      refused(await other.writeLease(4, lease('two'), 0, MS), 'wrong-last')
      assert.deepEqual(await other.readLease(4), { is: 'lease', seq: 1, lease: lease('one') })
      assert.deepEqual(await other.writeLease(4, lease('three'), 1, MS), stored(2))
      refused(await store.writeLease(4, lease('four'), 1, MS), 'wrong-last')
      assert.deepEqual(await store.writeLease(4, lease('three'), 1, MS), stored(2, true))
    })

    test('entries of a former owner are refused, repeats of what it stored are duplicates', async () => {
      const { store, other } = await stores()
      await store.writeLease(5, lease('old'), 0, MS)
      assert.deepEqual(await store.writeEntry(5, 'e1', 'outcome', header(1), EMPTY, MS), stored(2))
      await other.writeLease(5, lease('new'), 1, MS)
      refused(await store.writeEntry(5, 'e2', 'outcome', header(1), EMPTY, MS), 'wrong-last')
      refused(await store.writeEntry(5, 'e2', 'later', header(1, 'later'), bytes('batch'), MS), 'wrong-last')
      assert.deepEqual(await store.writeEntry(5, 'e1', 'outcome', header(1), EMPTY, MS), stored(2, true))
      assert.deepEqual(await store.writeLate(5, 'late', header(1)), stored(4))
      assert.deepEqual(await other.writeEntry(5, 'e3', 'outcome', header(3), EMPTY, MS), stored(5))
    })

    test('a scan sees every entry from the start on, and below it all that carries mail', async () => {
      const { store, other } = await stores()
      await store.writeLease(6, lease('l1'), 0, MS) // 1
      await store.writeEntry(6, 'o2', 'outcome', header(1), EMPTY, MS)
      await store.writeEntry(6, 'l3', 'later', header(1, 'later'), bytes('three'), MS)
      await store.writeEntry(6, 'l4', 'later', header(1, 'later'), bytes('gone'), MS)
      await store.writeEntry(6, 'o5', 'outcome', header(1), EMPTY, MS)
      await store.writeEntry(6, 'l6', 'later', header(1, 'later'), bytes('six'), MS)
      await store.writeLease(6, lease('l7'), 1, MS)
      await store.writeEntry(6, 'o8', 'outcome', header(7), EMPTY, MS)
      assert.deepEqual(await eventually(() => store.deleteLater(6, 4), 'done'), { is: 'done' })
      const future = Date.now() + 3_600_000
      assert.deepEqual(await scan(other, 6, 7, 5, future), [3, 5, 6])
      assert.deepEqual(await scan(other, 6, 7, 1, future), [2, 3, 5, 6])
      assert.deepEqual(await scan(other, 6, 7, 100, future), [3, 6])
      assert.deepEqual(await scan(other, 6, 7, 5, 0), [2, 3, 5, 6])
      const entries: StoredEntry[] = []
      await other.scanLog(6, 7, 1, 0, (entry) => entries.push(entry))
      const later = entries.find(({ seq }) => seq === 3)
      assert.deepEqual(later?.header, header(1, 'later'))
      assert.equal(later?.size, 5)
      assert.ok(Math.abs((later?.storedAt ?? 0) - Date.now()) < 60_000)
    })

    test('a scan of many entries sees each once', async () => {
      const { store } = await stores()
      await store.writeLease(7, lease('m1'), 0, MS)
      const count = 700
      for (let n = 0; n < count; n++) {
        const answer = await store.writeEntry(7, `x${n}`, 'outcome', header(1), EMPTY, MS)
        assert.deepEqual(answer, stored(n + 2))
      }
      // What a former owner says too late closes nothing, and is not seen.
      assert.equal((await store.writeLate(7, 'late', header(1))).is, 'stored')
      assert.deepEqual(await store.writeLease(7, lease('m2'), 1, MS), stored(count + 3))
      const seen = await scan(store, 7, count + 3, 1, Date.now())
      assert.deepEqual(
        seen,
        Array.from({ length: count }, (_, n) => n + 2),
      )
    })

    test('a waiting entry is read until it is deleted', async () => {
      const { store, other } = await stores()
      await store.writeLease(8, lease('d1'), 0, MS)
      await store.writeEntry(8, 'w2', 'later', header(1, 'later'), bytes('waiting'), MS)
      await store.writeLease(8, lease('d3'), 1, MS)
      const read = await known(() => other.readLater(8, 2))
      assert.ok(read.is === 'batch')
      assert.equal(text(read.batch.payload), 'waiting')
      assert.equal(read.batch.id, 'w2')
      for (let n = 0; n < 2; n++)
        assert.deepEqual(await eventually(() => store.deleteLater(8, 2), 'done'), { is: 'done' })
      assert.deepEqual(await eventually(() => other.readLater(8, 2), 'none'), { is: 'none' })
    })

    test('trimming the log keeps what waits, the lease, and what is young or above', async () => {
      const { store } = await stores()
      await store.writeLease(9, lease('t1'), 0, MS)
      await store.writeEntry(9, 't2', 'outcome', header(1), EMPTY, MS)
      await store.writeEntry(9, 't3', 'later', header(1, 'later'), bytes('waiting'), MS)
      await store.writeLate(9, 't4', header(1))
      await store.writeEntry(9, 't5', 'outcome', header(1), EMPTY, MS)
      const old = Date.now()
      await new Promise((resolve) => setTimeout(resolve, 20))
      await store.writeEntry(9, 't6', 'outcome', header(1), EMPTY, MS)
      await store.writeLease(9, lease('t7'), 1, MS)
      await eventually(() => store.trimLog(9, 5, old + 10), 'trimmed')
      assert.deepEqual(await scan(store, 9, 7, 1, 0), [3, 5, 6])
      await eventually(() => store.trimLog(9, 7, old + 10), 'trimmed')
      assert.deepEqual(await scan(store, 9, 7, 1, 0), [3, 6])
      assert.equal((await store.readLease(9)).is, 'lease')
    })

    test('a body is read as it was written, checked, and gone after its purge', async () => {
      const { store, other } = await stores()
      const chunks = [Buffer.alloc(300_000, 'a'), Buffer.alloc(300_000, 'b'), Buffer.alloc(17, 'c')]
      for (const [n, chunk] of chunks.entries()) {
        const answer = await store.putChunk(10, 'body1', n, chunk, MS)
        assert.equal(answer.is, 'stored')
      }
      const again = await store.putChunk(10, 'body1', 1, chunks[1] as Buffer, MS)
      assert.ok(again.is === 'stored' && again.duplicate)
      const reference = referenceTo('body1', chunks)
      assert.deepEqual(await collect(other.readBody(10, reference)), Buffer.concat(chunks))
      const wrong = { ...reference, sha256: '00'.repeat(32) }
      await assert.rejects(collect(other.readBody(10, wrong)), BodyMissing)
      await store.putChunk(10, 'body10', 0, bytes('other'), MS)
      assert.deepEqual(await eventually(() => store.purgeBody(10, 'body1'), 'done'), { is: 'done' })
      await assert.rejects(collect(other.readBody(10, reference)), BodyMissing)
      assert.equal(text(await collect(other.readBody(10, referenceTo('body10', [bytes('other')])))), 'other')
    })

    test('bodies are listed with their chunks, bytes and age, but those that are to be skipped', async () => {
      const { store, other } = await stores()
      const list = async (...skipped: string[]) => {
        const listed = await known(() => other.listBodies(13, (body) => skipped.includes(body)))
        assert.ok(listed.is === 'bodies')
        assert.ok(listed.bodies.every(({ newestAt }) => Math.abs(newestAt - Date.now()) < 60_000))
        return listed.bodies.map(({ id, chunks, bytes: size }) => `${id} ${chunks} ${size}`).toSorted()
      }
      assert.deepEqual(await list(), [])
      for (let n = 0; n < 12; n++) await store.putChunk(13, 'long', n, Buffer.alloc(10 + n), MS)
      for (const body of ['a', 'b', 'long2']) await store.putChunk(13, body, 0, bytes('x'), MS)
      // A replica that lags shows less.
      await until(async () => (await list()).length === 4)
      assert.deepEqual(await list(), ['a 1 1', 'b 1 1', 'long 12 186', 'long2 1 1'])
      assert.deepEqual(await list('long', 'a'), ['b 1 1', 'long2 1 1'])
      await store.purgeBody(13, 'long')
      await until(async () => (await list()).length === 3)
      assert.deepEqual(await list('b'), ['a 1 1', 'long2 1 1'])
    })

    test('many bodies are listed, each once', async () => {
      const { store, other } = await stores()
      for (let n = 0; n < 150; n++) await store.putChunk(12, `many${n}`, 0, bytes('x'), MS)
      let ids: string[] = []
      while (ids.length < 150) {
        const listed = await other.listBodies(12, () => false)
        ids = listed.is === 'bodies' ? listed.bodies.map(({ id }) => id) : []
      }
      assert.deepEqual(ids.toSorted(), Array.from({ length: 150 }, (_, n) => `many${n}`).toSorted())
    })

    test('the extents tell the first and the last sequence', async () => {
      const { store, other } = await stores()
      const empty = { is: 'extents', mail: { first: 1, last: 0 }, log: { first: 1, last: 0 } }
      assert.deepEqual(await known(() => other.extents(12)), empty)
      for (let n = 1; n <= 3; n++) await store.appendMail(12, `x${n}`, 1, bytes('x'), MS)
      await store.writeLease(12, lease('x'), 0, MS)
      await store.purgeMail(12, 3)
      const some = { is: 'extents', mail: { first: 3, last: 3 }, log: { first: 1, last: 1 } }
      assert.deepEqual(await known(() => other.extents(12)), some)
      await store.purgeMail(12, 4)
      const none = { is: 'extents', mail: { first: 4, last: 3 }, log: { first: 1, last: 1 } }
      assert.deepEqual(await known(() => other.extents(12)), none)
    })

    test('nudges, leases and heartbeats are heard by the others until they stop listening', async () => {
      const { store, other } = await stores()
      const nudge = heard<number>((listener) => other.onNudge(11, listener))
      const leases = heard<[number, Lease]>((listener) => other.onLease((partition, one) => listener([partition, one])))
      const beats = heard<Heartbeat>((listener) => other.onHeartbeat(listener))
      const beat = { node: 'd/1', name: 'd', abstains: true }
      const timer = setInterval(() => {
        // Repeated, as a subscription may not have reached the servers yet.
        store.nudge(11, 77)
        store.heartbeat(beat)
        void store.writeLease(11, lease('heard'), 0, MS)
      }, 20)
      assert.equal(await nudge.first, 77)
      assert.deepEqual(await beats.first, beat)
      assert.deepEqual(await leases.first, [11, lease('heard')])
      clearInterval(timer)
      for (const one of [nudge, beats, leases]) one.end()
    })

    test('the state tells how much mail lies in a partition', async () => {
      const { store, other } = await stores()
      await store.appendMail(11, 's1', 128, Buffer.alloc(5000), MS)
      await store.appendMail(11, 's2', 3, Buffer.alloc(5000), MS)
      while (other.state(11).mailMessages !== 131) await new Promise((resolve) => setTimeout(resolve, 20))
      const state = other.state(11)
      assert.ok(state.leader && state.used > 0 && state.used < 0.5 && state.mailBytes >= 10_000)
      assert.equal(other.disconnected(), undefined)
    })
  })
}

export const bytes = (value: string) => Buffer.from(value)
const text = (value: Uint8Array) => Buffer.from(value).toString()
const stored = (seq: number, duplicate = false): PublishAnswer => ({ is: 'stored', seq, duplicate })

function refused(answer: PublishAnswer, why: string): void {
  assert.ok(answer.is === 'refused' && answer.why === why, JSON.stringify(answer))
}

export function lease(id: string): Lease {
  return {
    id,
    node: 'delivery-1/1',
    name: 'delivery-1',
    time: 10_000,
    floor: 1,
    floorTime: 0,
    r: 1,
    mayBegin: { mail: 1, due: 0 },
    suspects: { mail: 0, log: 0, due: 0 },
    backlog: { ready: 0, later: 0, bytes: 0 },
    released: false,
  }
}

export function header(leaseSeq: number, kind?: 'later'): EntryHeader {
  const closing: Closing = {
    stream: 'mail',
    seq: 1,
    record: 0,
    positions: [0],
    id: 'Q1',
    indexes: [0],
    origin: 1,
    batch: 'b1',
    how: kind === 'later' ? 'parked' : 'delivered',
    attempt: 1,
    facts: {},
  }
  const head = { id: 'Q1', origin: 1, batch: 'b1', recipients: 1 }
  const later = { due: 1000, destination: 'example.org', state: 'parked', records: [head] } as const
  return { node: 'delivery-1/1', lease: leaseSeq, closes: [closing], ...(kind === 'later' ? { later } : {}) }
}

function referenceTo(id: string, chunks: readonly Buffer[]): BodyReference {
  const all = Buffer.concat(chunks)
  return { id, chunks: chunks.length, size: all.length, sha256: createHash('sha256').update(all).digest('hex') }
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of body) parts.push(part)
  return Buffer.concat(parts)
}

/** Replicas may lag: reads until the batch with this sequence is there. */
async function readMail(store: Store, partition: number, from: number, through: number) {
  for (;;) {
    const read = await store.readMail(partition, from, 1e6)
    if (read.is === 'batches' && read.batches.at(-1)?.seq === through) return read.batches
  }
}

async function scan(store: Store, partition: number, through: number, from: number, since: number): Promise<number[]> {
  const seqs: number[] = []
  const done = await store.scanLog(partition, through, from, since, ({ seq }) => seqs.push(seq))
  assert.ok(done.is === 'done' && Math.abs(done.storedAt - Date.now()) < 60_000)
  return seqs.sort((a, b) => a - b)
}

/** Repeats a read until it is answered. */
async function known<T extends { readonly is: string }>(read: () => Promise<T>): Promise<T> {
  for (;;) {
    const answer = await read()
    if (answer.is !== 'unanswered') return answer
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds()));
}

async function eventually<T extends { readonly is: string }>(ask: () => Promise<T>, is: T['is']): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (answer.is === is) return answer
  }
}

function heard<T>(subscribe: (listener: (value: T) => void) => () => void) {
  let end = () => {}
  const first = new Promise<T>((resolve) => (end = subscribe(resolve)))
  return { first, end: () => end() }
}
