/**
 * Reads what is open in one partition, for people: MAIL first and the log after it, up to its end, so that nothing that was
 * moved from one to the other meanwhile is missed. A snapshot: what arrives while it is taken may be missing.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeBatch } from '@posthouse/core/batch-codec'
import type { Lease } from '@posthouse/core/lease'
import type { Envelope } from '@posthouse/core/record'
import { PartitionFold } from './partition-fold.ts'
import type { Extents, Store, StoredBatch } from './store.ts'

/** A record in MAIL, without its content. */
export interface MailHead {
  readonly seq: number
  readonly record: number
  readonly storedAt: number
  readonly envelope: Envelope
  /** Bytes of its batch, counted at its first record. */
  readonly bytes: number
}
export interface PartitionSnapshot {
  readonly lease: Lease | undefined
  readonly mail: readonly MailHead[]
  /** Mails that lie beyond the part of MAIL that was read. */
  readonly unread: number
  readonly fold: PartitionFold
}

const READ_BYTES = 4 * 1024 * 1024
const TRIES = 10
const PAUSE_MS = 200

/** Reads at most about `maxMailBytes` of MAIL. Rejects with one line if the partition does not answer. */
export async function readPartition(store: Store, partition: number, maxMailBytes: number): Promise<PartitionSnapshot> {
  const lease = await readLease(store, partition)
  const { mail: extent } = await readExtents(store, partition)
  const mail: MailHead[] = []
  let bytes = 0
  let from = Math.max(lease?.floor ?? 1, extent.first)
  while (from <= extent.last && bytes < maxMailBytes) {
    const batches = await readMail(store, partition, from)
    // All up to the end has been removed meanwhile.
    if (batches === undefined) break
    for (const batch of batches) {
      bytes += batch.payload.length
      addHeads(batch, mail)
      from = batch.seq + 1
    }
  }
  const unread = from <= extent.last ? Math.max(0, store.state(partition).mailMessages - mail.length) : 0
  return { lease, mail, unread, fold: await readFold(store, partition, lease) }
}

async function readFold(store: Store, partition: number, lease: Lease | undefined): Promise<PartitionFold> {
  return answered(partition, async () => {
    const extents = await store.extents(partition)
    if (extents.is === 'unanswered') return undefined
    const { first, last } = extents.log
    const fold = new PartitionFold()
    if (last === 0 || first > last) return fold
    const sinceNow = Date.now()
    const scanned = await store.scanLog(partition, last, lease?.r ?? 0, sinceNow, (entry) => fold.see(entry))
    return scanned.is === 'done' ? fold : undefined
  })
}

async function readLease(store: Store, partition: number): Promise<Lease | undefined> {
  const read = await answered(partition, async () => {
    const lease = await store.readLease(partition)
    return lease.is === 'unanswered' ? undefined : lease
  })
  return read.is === 'lease' ? read.lease : undefined
}

function readExtents(store: Store, partition: number): Promise<Extents> {
  return answered(partition, async () => {
    const extents = await store.extents(partition)
    return extents.is === 'unanswered' ? undefined : extents
  })
}

/** A replica that has nothing there may lag: it counts as no answer, unless the leader says that nothing is there. */
async function readMail(store: Store, partition: number, from: number): Promise<readonly StoredBatch[] | undefined> {
  const read = await answered<{ readonly batches: readonly StoredBatch[] | undefined }>(partition, async () => {
    const answer = await store.readMail(partition, from, READ_BYTES)
    if (answer.is === 'unanswered') return undefined
    if (answer.batches.length > 0) return { batches: answer.batches }
    const extents = await store.extents(partition)
    return extents.is === 'extents' && extents.mail.first > extents.mail.last ? { batches: undefined } : undefined
  })
  return read.batches
}

function addHeads({ seq, storedAt, payload }: StoredBatch, heads: MailHead[]): void {
  for (const [record, { envelope }] of decodeBatch(payload).entries()) {
    heads.push({ seq, record, storedAt, envelope, bytes: record === 0 ? payload.length : 0 })
  }
}

async function answered<T>(partition: number, ask: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 1; ; tries++) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (tries === TRIES) throw new Error(`partition ${partition} of the queue does not answer`)
    await sleep(PAUSE_MS)
  }
}
