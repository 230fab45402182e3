import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PublishAnswer } from '@posthouse/core/answer'
import { decodeBatch } from '@posthouse/core/batch-codec'
import { mailRecord } from '@posthouse/testkit/mail-record'
import { acceptQueueOn, type AcceptQueueOptions } from './accept-queue.ts'
import type { Fate } from './port.ts'
import type { PartitionState, Store } from './store.ts'

interface Append {
  readonly partition: number
  readonly id: string
  readonly count: number
  readonly ids: string[]
  readonly payload: Uint8Array
}

/** What the edge needs of a store; answers when it is told to. */
class FakeStore {
  readonly partitions: number
  readonly appends: Append[] = []
  readonly nudges: string[] = []
  closed = false
  down: string | undefined
  readonly states: PartitionState[]
  readonly #waiting: ((answer: PublishAnswer) => void)[] = []
  readonly #arrivals: (() => void)[] = []
  /** Answers every append at once while set. */
  auto: (() => PublishAnswer) | undefined

  constructor(partitions = 2) {
    this.partitions = partitions
    this.states = Array.from({ length: partitions }, () => ({ leader: true, used: 0, mailMessages: 0, mailBytes: 0 }))
  }
  appendMail(partition: number, id: string, count: number, payload: Uint8Array): Promise<PublishAnswer> {
    const ids = decodeBatch(payload).map(({ envelope }) => envelope.id)
    this.appends.push({ partition, id, count, ids, payload })
    for (const arrived of this.#arrivals.splice(0)) arrived()
    if (this.auto !== undefined) return Promise.resolve(this.auto())
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
  /** Answers the oldest append that waits for it. */
  answer(answer: PublishAnswer): void {
    const resolve = this.#waiting.shift()
    assert(resolve !== undefined, 'no append waits for an answer')
    resolve(answer)
  }
  async appended(count: number): Promise<void> {
    while (this.appends.length < count) await new Promise<void>((resolve) => this.#arrivals.push(resolve))
  }
  putChunk(): Promise<PublishAnswer> {
    return Promise.resolve({ is: 'stored', seq: 1, duplicate: false })
  }
  nudge(partition: number, seq: number): void {
    this.nudges.push(`${partition}:${seq}`)
  }
  onLease(): () => void {
    return () => {}
  }
  onUse(): () => void {
    return () => {}
  }
  announceUse(): void {}
  state(partition: number): PartitionState {
    return this.states[partition] as PartitionState
  }
  disconnected(): string | undefined {
    return this.down
  }
  close(): Promise<void> {
    this.closed = true
    return Promise.resolve()
  }
}

const STORED: PublishAnswer = { is: 'stored', seq: 4, duplicate: false }

function queueOn(store: FakeStore, options: AcceptQueueOptions = {}) {
  const queue = acceptQueueOn(store as unknown as Store, options)
  const fates: string[] = []
  const give = (id: string) => {
    const settled = Promise.withResolvers<Fate>()
    queue.accept(mailRecord(id, { content: Buffer.from(`${id}\r\n`) }), (fate) => {
      fates.push(`${id} ${fate.is}`)
      settled.resolve(fate)
    })
    return settled.promise
  }
  return { queue, fates, give }
}

describe('the accept queue', () => {
  it('says stored after the PubAck, not before, and wakes the owner with the sequence', async () => {
    const store = new FakeStore()
    const { queue, fates, give } = queueOn(store)
    const fate = give('m1')
    await store.appended(1)
    assert.deepEqual(fates, [])
    assert.deepEqual(queue.waiting.records, 1)
    store.answer(STORED)
    assert.deepEqual(await fate, { is: 'stored' })
    assert.deepEqual(store.nudges, [`${store.appends[0]?.partition}:4`])
    assert.deepEqual(queue.waiting, { records: 0, bytes: 0 })
    await queue.close()
  })

  it('puts together what comes in one turn of the event loop, and calls back in order', async () => {
    const store = new FakeStore()
    const { queue, fates, give } = queueOn(store)
    const all = [give('m1'), give('m2'), give('m3')]
    await store.appended(1)
    store.answer(STORED)
    await Promise.all(all)
    assert.deepEqual(store.appends[0]?.ids, ['m1', 'm2', 'm3'])
    assert.equal(store.appends[0]?.count, 3)
    assert.deepEqual(fates, ['m1 stored', 'm2 stored', 'm3 stored'])
    await queue.close()
  })

  it('keeps to 128 records per batch and loses none of ten thousand', async () => {
    const store = new FakeStore(3)
    store.auto = () => STORED
    const { queue, fates, give } = queueOn(store)
    const all: Promise<Fate>[] = []
    for (let n = 0; n < 10_000; n++) all.push(give(`m${n}`))
    await Promise.all(all)
    assert.equal(new Set(fates).size, 10_000)
    assert.equal(store.appends.flatMap(({ ids }) => ids).length, 10_000)
    assert.equal(Math.max(...store.appends.map(({ count }) => count)), 128)
    await queue.close()
  })

  it('asks again with the same bytes, id and partition when an answer was lost', async () => {
    const store = new FakeStore()
    const { queue, give } = queueOn(store)
    const fate = give('m1')
    await store.appended(1)
    store.answer({ is: 'unanswered' })
    await store.appended(2)
    const [first, second] = store.appends as [Append, Append]
    assert.deepEqual([second.id, second.partition], [first.id, first.partition])
    assert.equal(second.payload, first.payload)
    store.answer({ is: 'stored', seq: 9, duplicate: true })
    assert.deepEqual(await fate, { is: 'stored' })
    await queue.close()
  })

  it('goes to another partition when one surely did not store it', async () => {
    const store = new FakeStore()
    const { queue, give } = queueOn(store)
    const fate = give('m1')
    await store.appended(1)
    store.answer({ is: 'refused', why: 'no-leader' })
    await store.appended(2)
    assert.notEqual(store.appends[0]?.partition, store.appends[1]?.partition)
    store.answer(STORED)
    assert.deepEqual(await fate, { is: 'stored' })
    await queue.close()
  })

  it('routes around a partition that does not answer', async () => {
    const store = new FakeStore()
    const { queue, give } = queueOn(store, { committer: { suspectAfterMs: 20 } })
    const silent = give('m1')
    await store.appended(1)
    const other = give('m2')
    await store.appended(2)
    assert.deepEqual(store.appends[1]?.ids, ['m2'])
    assert.notEqual(store.appends[0]?.partition, store.appends[1]?.partition)
    store.answer(STORED)
    store.answer(STORED)
    await Promise.all([silent, other])
    await queue.close()
  })

  it('refuses at once when the queue is full', async () => {
    const store = new FakeStore()
    store.states.fill({ leader: true, used: 0.81, mailMessages: 1, mailBytes: 1 })
    const { queue, give } = queueOn(store)
    assert.deepEqual(queue.notReady(), { why: 'full', reason: 'queue 81 % full' })
    assert.deepEqual(await give('m1'), { is: 'refused', why: 'full' })
    assert.equal(store.appends.length, 0)
    await queue.close()
  })

  it('refuses without a publish while no server is connected', async () => {
    const store = new FakeStore()
    store.down = 'no NATS server is connected'
    const { queue, give } = queueOn(store, { committer: { patienceMs: 30 } })
    assert.deepEqual(queue.notReady(), { why: 'unavailable', reason: 'no NATS server is connected' })
    assert.deepEqual(await give('m1'), { is: 'refused', why: 'unavailable' })
    assert.equal(store.appends.length, 0)
    await queue.close()
  })

  it('refuses what is over the memory it may hold', async () => {
    const store = new FakeStore()
    const { queue, give } = queueOn(store, { committer: { maxHeldBytes: 1 } })
    const first = give('m1')
    assert.deepEqual(await give('m2'), { is: 'refused', why: 'unavailable' })
    await store.appended(1)
    store.answer(STORED)
    await first
    await queue.close()
  })

  it('sends a record with a body to the partition of the body', async () => {
    const store = new FakeStore(6)
    store.auto = () => STORED
    const { queue } = queueOn(store)
    for (let n = 0; n < 10; n++) {
      const writer = queue.openBody()
      await writer.write(Buffer.from('content'))
      const body = await writer.finish()
      await new Promise<Fate>((resolve) => queue.accept(mailRecord(`m${n}`, { body }), resolve, writer))
      assert.equal((writer as unknown as { partition: number }).partition, store.appends.at(-1)?.partition)
    }
    await queue.close()
  })

  it('gives the body back to the edge when its record surely was not stored', async () => {
    const store = new FakeStore()
    const abandoned: string[] = []
    Object.assign(store, { abandonBody: (_: number, id: string) => abandoned.push(id) })
    const { queue } = queueOn(store, { committer: { patienceMs: 1 } })
    const writer = queue.openBody()
    await writer.write(Buffer.from('content'))
    const body = await writer.finish()
    const fate = new Promise<Fate>((resolve) => queue.accept(mailRecord('m1', { body }), resolve, writer))
    await assert.rejects(writer.abandon())
    await store.appended(1)
    store.answer({ is: 'refused', why: 'full' })
    assert.deepEqual(await fate, { is: 'refused', why: 'full' })
    await writer.abandon()
    assert.deepEqual(abandoned, [body.id])
    await queue.close()
  })

  it('tells its observer of each batch, repeat and refusal', async () => {
    const store = new FakeStore()
    const seen: string[] = []
    const { queue, give } = queueOn(store, {
      observer: {
        batchStored: (_, records, bytes) => seen.push(`stored ${records} ${bytes > 0}`),
        batchRepeated: () => seen.push('repeated'),
        recordsRefused: (why, records) => seen.push(`refused ${why} ${records}`),
      },
    })
    const first = give('m1')
    await store.appended(1)
    store.answer({ is: 'unanswered' })
    await store.appended(2)
    store.answer(STORED)
    await first
    const second = give('m2')
    await store.appended(3)
    store.answer({ is: 'refused', why: 'full' })
    await store.appended(4)
    store.answer({ is: 'refused', why: 'full' })
    await second
    assert.deepEqual(seen, ['repeated', 'stored 1 true', 'refused full 1'])
    await queue.close()
  })

  it('closes the store when every record has its fate', async () => {
    const store = new FakeStore()
    const { queue, fates, give } = queueOn(store)
    void give('m1')
    const closed = queue.close()
    await store.appended(1)
    assert.equal(store.closed, false)
    store.answer(STORED)
    await closed
    assert.equal(store.closed, true)
    assert.deepEqual(fates, ['m1 stored'])
    assert.throws(() => void give('m2'))
  })
})
