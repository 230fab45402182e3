/**
 * The queue as an operator sees it, read from the streams themselves: it needs no delivery node, and changes nothing.
 */
import { decodeBatch } from '@posthouse/core/batch-codec'
import { connectExistingStore, type LookOptions } from './jetstream/jetstream-store.ts'
import type { OpenLater } from './partition-fold.ts'
import { readPartition, type PartitionSnapshot } from './partition-reader.ts'
import type { PartitionCount, QueueCount, QueueItem, QueueView } from './port.ts'
import type { Store } from './store.ts'

/** Of a longer backlog in MAIL the rest is counted as one recipient per mail, and not listed. */
const MAIL_BYTES = 64 * 1024 * 1024

export class StoreQueueView implements QueueView {
  readonly #store: Store
  readonly #mailBytes: number

  constructor(store: Store, mailBytes = MAIL_BYTES) {
    this.#store = store
    this.#mailBytes = mailBytes
  }

  async count(): Promise<QueueCount> {
    const counted = await this.#eachPartition(countPartition)
    const partitions = counted.map(({ count }) => count)
    const sum = (of: (count: PartitionCount) => number) => partitions.reduce((total, count) => total + of(count), 0)
    const oldest = Math.min(...counted.map(({ oldestAt }) => oldestAt))
    return {
      ready: sum(({ ready }) => ready),
      later: sum(({ later }) => later),
      bytes: sum(({ bytes }) => bytes),
      oldestAgeMs: oldest === Infinity ? 0 : Math.max(0, Date.now() - oldest),
      partitions,
    }
  }

  async list(limit: number): Promise<readonly QueueItem[]> {
    const lists = await this.#eachPartition(async (partition, snapshot) => {
      const ready = readyItems(partition, snapshot).slice(-limit)
      const waiting: QueueItem[] = []
      for (const later of snapshot.fold.openLaters().reverse()) {
        if (waiting.length >= limit) break
        waiting.push(...(await this.#laterItems(partition, later)))
      }
      return [...ready, ...waiting]
    })
    return newestFirst(lists.flat()).slice(0, limit)
  }

  async show(id: string): Promise<readonly QueueItem[]> {
    const lists = await this.#eachPartition(async (partition, snapshot) => {
      const items = readyItems(partition, snapshot)
      for (const later of snapshot.fold.openLaters()) {
        if (later.later.records.some((head) => head.id === id))
          items.push(...(await this.#laterItems(partition, later)))
      }
      return items.filter(({ envelope }) => envelope.id === id)
    })
    return newestFirst(lists.flat())
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  /** One after the other: a snapshot may be large. */
  async #eachPartition<T>(work: (partition: number, snapshot: PartitionSnapshot) => T | Promise<T>): Promise<T[]> {
    const results: T[] = []
    for (let partition = 0; partition < this.#store.partitions; partition++) {
      results.push(await work(partition, await readPartition(this.#store, partition, this.#mailBytes)))
    }
    return results
  }

  /** Nothing if the entry has been removed meanwhile. */
  async #laterItems(partition: number, { seq, later, open }: OpenLater): Promise<QueueItem[]> {
    const read = await this.#store.readLater(partition, seq)
    if (read.is === 'unanswered') throw new Error(`partition ${partition} of the queue does not answer`)
    if (read.is === 'none') return []
    return decodeBatch(read.batch.payload).flatMap(({ envelope }, record) => {
      const positions = open[record] ?? []
      return positions.length === 0
        ? []
        : [{ partition, envelope, open: positions, state: later.state, due: later.due }]
    })
  }
}

export async function connectQueueView(options: LookOptions): Promise<StoreQueueView> {
  return new StoreQueueView(await connectExistingStore({ ...options, as: 'cli' }))
}

/** `oldestAt`: server time, ms, at which the oldest message that is open was first stored. */
function countPartition(
  partition: number,
  { lease, mail, unread, fold }: PartitionSnapshot,
): { readonly count: PartitionCount; readonly oldestAt: number } {
  let ready = unread
  let later = 0
  let bytes = 0
  let oldestAt = Infinity
  let counted = -1
  let batchBytes = 0
  for (const head of mail) {
    if (head.record === 0) batchBytes = head.bytes
    const open = fold.open('mail', head.seq, head.record, head.envelope.recipients.length).length
    if (open === 0) continue
    ready += open
    oldestAt = Math.min(oldestAt, head.storedAt)
    if (counted !== head.seq) bytes += batchBytes
    counted = head.seq
  }
  for (const entry of fold.openLaters()) {
    for (const positions of entry.open) later += positions.length
    bytes += entry.size
    oldestAt = Math.min(oldestAt, entry.later.oldest ?? entry.storedAt)
  }
  const owner = lease === undefined || lease.released ? undefined : lease.name
  return { count: { partition, owner, ready, later, bytes }, oldestAt }
}

function readyItems(partition: number, { mail, fold }: PartitionSnapshot): QueueItem[] {
  const items: QueueItem[] = []
  for (const { seq, record, storedAt, envelope } of mail) {
    const open = fold.open('mail', seq, record, envelope.recipients.length)
    if (open.length === 0) continue
    // What MAIL holds does not know yet when and where it was stored.
    items.push({ partition, envelope: { ...envelope, storedAt, origin: seq }, open, state: 'ready', due: undefined })
  }
  return items
}

function newestFirst(items: QueueItem[]): QueueItem[] {
  return items.sort((a, b) => b.envelope.acceptedAt - a.envelope.acceptedAt)
}
