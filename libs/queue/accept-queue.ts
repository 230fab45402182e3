/**
 * The edge's side of the queue: runs the committer (libs/core/committer.ts) on a store. A record is encoded once when
 * it is given; everything else is done once per batch: one copy of the bytes, one publish, one walk over the callbacks.
 * What arrives in the same turn of the event loop goes together.
 */
import { randomBytes } from 'node:crypto'
import { BATCH_OVERHEAD, encodeBatch, MAX_BATCH_BYTES, MAX_BATCH_RECORDS } from '@posthouse/core/batch-codec'
import { Committer, COMMITTER_DEFAULTS, type CommitterSettings, type Effect } from '@posthouse/core/committer'
import { TRY_TIMEOUT_MS, type Batch } from '@posthouse/core/pending-batch'
import type { Envelope, MailRecord } from '@posthouse/core/record'
import { encodeRecord, recordSize, type EncodedRecord } from '@posthouse/core/record-codec'
import { AcceptedLog } from './accepted-log.ts'
import { AcceptReadiness, type PartitionFacts } from './accept-readiness.ts'
import { ChunkedBodyWriter } from './body-writer.ts'
import { connectStore, type StoreOptions } from './jetstream/jetstream-store.ts'
import { SILENT, type QueueLog } from './log.ts'
import type { AcceptPort, BodyWriter, Fate, Readiness } from './port.ts'
import type { Store } from './store.ts'

/** Called once per batch: for counters and histograms. */
export interface AcceptObserver {
  /** A batch was stored `ms` after its first publish. */
  batchStored?(partition: number, records: number, bytes: number, ms: number): void
  /** A batch is published again because its fate is in doubt. */
  batchRepeated?(partition: number): void
  recordsRefused?(why: 'full' | 'unavailable', records: number): void
  recordsUnknown?(records: number): void
  /** Readers of events hear of so many acceptances only with their first outcome. */
  acceptancesUntold?(messages: number): void
}

/** The partitions as this edge sees them, each counted once. */
export interface AcceptPartitions {
  readonly usable: number
  readonly leaderless: number
  readonly full: number
  /** The last publish should have been answered by now. */
  readonly silent: number
  /** Used part of the fullest, 0 to 1. */
  readonly used: number
}

export interface AcceptQueueOptions {
  /** Where they differ from COMMITTER_DEFAULTS and the limits of a batch. */
  readonly committer?: Partial<Omit<CommitterSettings, 'partitions'>>
  readonly log?: QueueLog
  readonly observer?: AcceptObserver
}

interface Item {
  readonly envelope: Envelope
  readonly encoded: EncodedRecord
  readonly done: (fate: Fate) => void
}
interface Sent {
  readonly payload: Buffer
  readonly at: number
  isStored: boolean
}

/** How often what the store knows of the partitions is taken over. */
const HINTS_EVERY_MS = 250

export class AcceptQueue implements AcceptPort {
  readonly #store: Store
  readonly #log: QueueLog
  readonly #observer: AcceptObserver
  readonly #committer: Committer<Item>
  readonly #maxHeldBytes: number
  readonly #readiness = new AcceptReadiness()
  readonly #accepted: AcceptedLog
  readonly #sent = new WeakMap<Batch<Item>, Sent>()
  readonly #edge = randomBytes(9).toString('base64url')
  readonly #stopHearing: readonly (() => void)[]
  readonly #hints: NodeJS.Timeout
  #facts: readonly PartitionFacts[] = []
  #pumpIsDue = false
  #timer: NodeJS.Timeout | undefined
  #timerAt = Infinity
  #closed: Promise<void> | undefined
  #drained: (() => void) | undefined

  constructor(store: Store, options: AcceptQueueOptions = {}) {
    this.#store = store
    this.#log = options.log ?? SILENT
    this.#observer = options.observer ?? {}
    const settings: CommitterSettings = {
      ...COMMITTER_DEFAULTS,
      maxRecords: MAX_BATCH_RECORDS,
      maxBytes: MAX_BATCH_BYTES - BATCH_OVERHEAD,
      ...options.committer,
      partitions: store.partitions,
    }
    this.#maxHeldBytes = settings.maxHeldBytes
    this.#committer = new Committer(settings, Math.random, newBatchId)
    this.#accepted = new AcceptedLog({
      store,
      now: () => performance.now(),
      untold: (messages) => this.#observer.acceptancesUntold?.(messages),
    })
    this.#stopHearing = [
      store.onLease((partition, lease) => {
        this.#committer.lease(partition, lease, performance.now())
        this.#accepted.floor(partition, lease.floor)
      }),
      store.onUse(({ edge, partition }) => {
        if (edge !== this.#edge) this.#committer.usedByOther(edge, partition, performance.now())
      }),
    ]
    this.#hints = setInterval(() => this.#takeHints(), HINTS_EVERY_MS)
    this.#hints.unref()
    this.#takeHints()
  }

  /** Records without a fate, and their bytes. */
  get waiting(): { readonly records: number; readonly bytes: number } {
    return { records: this.#committer.items, bytes: this.#committer.heldBytes }
  }

  /** As of the last quarter of a second. */
  partitions(): AcceptPartitions {
    const seen = { usable: 0, leaderless: 0, full: 0, silent: 0, used: 0 }
    for (const { leader, full, suspect, used } of this.#facts) {
      seen[!leader ? 'leaderless' : full ? 'full' : suspect ? 'silent' : 'usable'] += 1
      seen.used = Math.max(seen.used, used)
    }
    return seen
  }

  accept(record: MailRecord, done: (fate: Fate) => void, writer?: BodyWriter): void {
    if (this.#closed !== undefined) throw new Error('a record was given to a closed queue')
    if (record.envelope.body !== undefined && !(writer instanceof ChunkedBodyWriter)) {
      throw new Error('a record with a body was given without its writer')
    }
    const encoded = encodeRecord(record)
    const bound = writer instanceof ChunkedBodyWriter ? writer.give() : undefined
    if (writer instanceof ChunkedBodyWriter) done = takingBack(writer, done)
    const refused = this.#committer.offer(
      { envelope: record.envelope, encoded, done },
      recordSize(encoded),
      performance.now(),
      bound,
    )
    if (refused === undefined) {
      this.#pumpSoon()
      return
    }
    if (refused.is === 'refused') this.#observer.recordsRefused?.(refused.why, 1)
    setImmediate(done, refused)
  }

  openBody(): BodyWriter {
    return new ChunkedBodyWriter(this.#store, this.#committer.placeBody(performance.now()), {
      onTrouble: (partition) => this.#committer.bodyInTrouble(partition, performance.now()),
    })
  }

  notReady(): Readiness {
    return this.#readiness.notReady
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    if (this.#committer.items > 0) await new Promise<void>((resolve) => (this.#drained = resolve))
    clearInterval(this.#hints)
    clearTimeout(this.#timer)
    for (const stop of this.#stopHearing) stop()
    await this.#accepted.close()
    await this.#store.close()
  }

  #pumpSoon(): void {
    if (this.#pumpIsDue) return
    this.#pumpIsDue = true
    setImmediate(this.#pump)
  }

  readonly #pump = (): void => {
    this.#pumpIsDue = false
    const now = performance.now()
    this.#committer.pump(now, this.#store.disconnected() === undefined)
    this.#run(now)
    this.#wake(this.#committer.wakeAt(now), now)
  }

  /** One timer; it may go off early, which costs one idle pump, and so need not be set anew for every batch. */
  #wake(at: number, now: number): void {
    if (at >= this.#timerAt) return
    clearTimeout(this.#timer)
    this.#timerAt = at
    this.#timer = setTimeout(
      () => {
        this.#timerAt = Infinity
        this.#pump()
      },
      Math.ceil(Math.max(at - now, 1)),
    )
  }

  #run(now: number): void {
    for (const effect of this.#committer.take()) this.#do(effect, now)
    if (this.#committer.items === 0) this.#drained?.()
  }

  #do(effect: Effect<Item>, now: number): void {
    switch (effect.do) {
      case 'publish':
        this.#publish(effect.batch, effect.number, now)
        return
      case 'nudge':
        this.#store.nudge(effect.partition, effect.seq)
        return
      case 'use':
        this.#store.announceUse({ edge: this.#edge, partition: effect.partition })
        return
      case 'done': {
        const { fate, items } = effect
        if (fate.is === 'refused') this.#observer.recordsRefused?.(fate.why, items.length)
        if (fate.is === 'unknown') {
          this.#observer.recordsUnknown?.(items.length)
          this.#log.error({ records: items.length }, 'gave up on a batch: nobody knows whether it was stored')
        }
        for (const item of items) item.done(fate)
        return
      }
      case 'strange':
        this.#log.warn({ partition: effect.partition, why: effect.why, text: effect.text }, 'the queue refused a batch')
    }
  }

  #publish(batch: Batch<Item>, number: number, now: number): void {
    let sent = this.#sent.get(batch)
    if (sent === undefined) {
      sent = { payload: encodeBatch(batch.items.map((item) => item.encoded)), at: now, isStored: false }
      this.#sent.set(batch, sent)
    } else {
      this.#observer.batchRepeated?.(batch.partition)
      this.#log.warn(
        { partition: batch.partition, batch: batch.id, try: number + 1 },
        'asking again for the fate of a batch',
      )
    }
    const { payload, at } = sent
    const state = sent
    this.#store.appendMail(batch.partition, batch.id, batch.items.length, payload, TRY_TIMEOUT_MS).then(
      (answer) => {
        const answeredAt = performance.now()
        if (answer.is === 'stored') {
          this.#observer.batchStored?.(batch.partition, batch.items.length, payload.length, answeredAt - at)
        }
        this.#committer.answered(batch, number, answer, answeredAt)
        this.#run(answeredAt)
        this.#pumpSoon()
        // Last: nobody's reply waits for it.
        if (answer.is === 'stored' && !state.isStored) {
          state.isStored = true
          const envelopes = batch.items.map(({ envelope }) => envelope)
          this.#accepted.stored(batch.partition, answer.seq, envelopes)
        }
      },
      // The store answers for a lost server; this is a bug, and what is known of the batch stays open.
      (error: unknown) => {
        this.#log.error({ err: error, partition: batch.partition }, 'a publish failed without an answer')
        this.#committer.answered(batch, number, { is: 'unanswered' }, performance.now())
        this.#pumpSoon()
      },
    )
  }

  #takeHints(): void {
    const now = performance.now()
    const committer = this.#committer
    const partitions = []
    for (let partition = 0; partition < this.#store.partitions; partition++) {
      const state = this.#store.state(partition)
      committer.hint(partition, state, now)
      const rank = committer.choice.rank(partition, now)
      partitions.push({
        leader: state.leader && rank !== 2,
        suspect: committer.isSuspect(partition, now),
        full: rank === 3,
        used: state.used,
      })
    }
    this.#facts = partitions
    const before = this.#readiness.notReady
    const { heldBytes } = committer
    const disconnected = this.#store.disconnected()
    const after = this.#readiness.update({ partitions, disconnected, heldBytes, maxHeldBytes: this.#maxHeldBytes }, now)
    if (after !== undefined && before?.reason !== after.reason) this.#log.warn(after, 'not ready for mail')
    else if (before !== undefined && after === undefined) this.#log.info({}, 'ready for mail')
    if (committer.items > 0) this.#pumpSoon()
  }
}

/** Resolves when the streams exist, which the delivery nodes make; rejects with one clear line when they do not. */
export async function connectAcceptQueue(options: StoreOptions & AcceptQueueOptions): Promise<AcceptQueue> {
  return new AcceptQueue(await connectStore({ ...options, as: 'edge' }), options)
}

/** For tests, and for a store that is connected already. The queue owns the store from here on and closes it. */
export function acceptQueueOn(store: Store, options: AcceptQueueOptions = {}): AcceptQueue {
  return new AcceptQueue(store, options)
}

function takingBack(writer: ChunkedBodyWriter, done: (fate: Fate) => void): (fate: Fate) => void {
  return (fate) => {
    if (fate.is === 'refused') writer.takeBack()
    done(fate)
  }
}

function newBatchId(): string {
  return randomBytes(12).toString('base64url')
}
