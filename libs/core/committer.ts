/**
 * Group commit at the edge: which records go together, where they go, and what each one's fate is. Per partition one
 * batch is on its way; what comes meanwhile forms the next one. A lonely record goes at once; after a batch of several
 * the clients it answered are given a few milliseconds to come back with their next one, since a batch costs the servers
 * the same whatever its size. It promises of every item given to `offer` exactly one `done`: `stored` only after a PubAck, `refused` only if no try of any
 * batch that held it can have been stored, `unknown` when the give-up time passed in doubt.
 *
 * A batch is repeated unchanged to the same partition until its fate is known. If every try of it was refused it
 * is dissolved and its items go elsewhere. Items wait free, bound to a partition only if their body lies there: so nothing
 * waits behind a partition that is silent.
 *
 * A pure state machine: the monotonic time (ms), chance and answers are arguments, effects are values to be taken after
 * each call. `pump` begins new publishes; call it after offers and answers, and at `wakeAt()`.
 */
import type { PublishAnswer, Refusal } from './answer.ts'
import { Lanes, type Traffic } from './lanes.ts'
import type { Lease } from './lease.ts'
import { PartitionChoice, type PartitionHint } from './partition-choice.ts'
import { PendingBatch, type Batch } from './pending-batch.ts'
import { WaitingRoom, type BatchLimits, type Waiting } from './waiting-room.ts'

/** `maxBytes` of a batch are counted as in `offer`. */
export interface CommitterSettings extends BatchLimits {
  readonly partitions: number
  /** Bytes of all items without a fate; above, offers are refused. */
  readonly maxHeldBytes: number
  /** A partition whose batch has no answer for this long is suspect: new batches go elsewhere. */
  readonly suspectAfterMs: number
  /** An item that was never in doubt is refused after this without any progress… */
  readonly patienceMs: number
  /** …and after this in any case. */
  readonly maxWaitMs: number
  /** Below half of the streams' duplicate window no repeat can be stored twice. */
  readonly giveUpMs: number
  /** How long new batches stay with one partition. */
  readonly stayMs: number
  /** How long the next batch waits at most for those whom a batch of several answered. */
  readonly gatherMs: number
}

export const COMMITTER_DEFAULTS = {
  maxHeldBytes: 128 * 1024 * 1024,
  suspectAfterMs: 300,
  patienceMs: 2000,
  maxWaitMs: 20_000,
  giveUpMs: 5 * 60_000,
  stayMs: 1000,
  gatherMs: 6,
}

export type ItemFate =
  | { readonly is: 'stored' }
  | { readonly is: 'refused'; readonly why: 'full' | 'unavailable' }
  | { readonly is: 'unknown' }

export type Effect<T> =
  /** Publish the batch; give the answer back with the number of the try. */
  | { readonly do: 'publish'; readonly batch: Batch<T>; readonly number: number }
  | { readonly do: 'nudge'; readonly partition: number; readonly seq: number }
  /** Tell the other edges that this one uses the partition for about a second. */
  | { readonly do: 'use'; readonly partition: number }
  | { readonly do: 'done'; readonly items: readonly T[]; readonly fate: ItemFate }
  /** For the log: a refusal that is neither a missing leader nor missing room. */
  | { readonly do: 'strange'; readonly partition: number; readonly why: Refusal; readonly text: string | undefined }

const STORED: ItemFate = { is: 'stored' }
const FULL: ItemFate = { is: 'refused', why: 'full' }
const UNAVAILABLE: ItemFate = { is: 'refused', why: 'unavailable' }
const UNKNOWN: ItemFate = { is: 'unknown' }

const MAX_STRANGE = 3

export class Committer<T> {
  readonly choice: PartitionChoice
  readonly #settings: CommitterSettings
  readonly #random: () => number
  readonly #newId: () => string
  readonly #room: WaitingRoom<T>
  readonly #lanes: Lanes
  readonly #traffic: Traffic
  readonly #pending: (PendingBatch<T> | undefined)[]
  readonly #storedAt: number[]
  #progressAt = -Infinity
  /** The next free batch waits until then, or until so many wait. */
  #gatherUntil = -Infinity
  #gatherCount = 0
  #count = 0
  #held = 0
  #effects: Effect<T>[] = []

  constructor(settings: CommitterSettings, random: () => number, newId: () => string) {
    this.#settings = settings
    this.#random = random
    this.#newId = newId
    this.choice = new PartitionChoice(settings.partitions)
    this.#room = new WaitingRoom(settings.partitions, settings)
    this.#lanes = new Lanes(this.choice, random, settings.stayMs, (partition) => {
      this.#effects.push({ do: 'use', partition })
    })
    this.#pending = new Array<PendingBatch<T> | undefined>(settings.partitions).fill(undefined)
    this.#storedAt = new Array<number>(settings.partitions).fill(-Infinity)
    const room = this.#room
    this.#traffic = {
      isBusy: (partition) => this.#pending[partition] !== undefined,
      isSuspect: (partition, now) => this.isSuspect(partition, now),
      get fullBatchWaits() {
        return room.fullBatchWaits
      },
    }
  }

  /** Items without a fate, and their bytes. */
  get items(): number {
    return this.#count
  }
  get heldBytes(): number {
    return this.#held
  }

  /** Takes an item, or says at once why not: nothing is published for it then. */
  offer(item: T, size: number, now: number, bound?: number): ItemFate | undefined {
    if (this.#held + size > this.#settings.maxHeldBytes && this.#count > 0) return UNAVAILABLE
    if (bound === undefined && this.choice.allFull()) return FULL
    this.#room.push({ item, size, at: now, bound, strange: 0 })
    this.#held += size
    this.#count++
    return undefined
  }

  /** The partition for a new body; undefined if all are full. */
  placeBody(now: number): number | undefined {
    const answering = this.choice.pick(now, this.#random, (partition) => !this.isSuspect(partition, now))
    return answering ?? this.choice.pick(Infinity, this.#random, () => true)
  }

  /** A chunk of a body was refused there, or is on its way for too long: what is not bound to it goes elsewhere. */
  bodyInTrouble(partition: number, now: number): void {
    this.choice.refused(partition, 'no-leader', now)
  }

  lease(partition: number, lease: Lease, now: number): void {
    this.choice.lease(partition, lease, now)
  }

  hint(partition: number, hint: PartitionHint, now: number): void {
    this.choice.hint(partition, hint, now)
  }

  /** Another edge says that it uses the partition. */
  usedByOther(edge: string, partition: number, now: number): void {
    this.choice.usedByOther(edge, partition, now)
    this.#lanes.usedByOther(partition, now)
  }

  /** Its batch has had no answer for too long, or an answer was lost. */
  isSuspect(partition: number, now: number): boolean {
    const pending = this.#pending[partition]
    return pending !== undefined && pending.suspectAt <= now
  }

  answered(batch: Batch<T>, number: number, answer: PublishAnswer, now: number): void {
    const pending = this.#pending[batch.partition]
    // Its fate was known before: a late answer to one of several tries.
    if (pending === undefined || pending.batch !== batch) return
    const fate = pending.answer(number, answer, now, this.#random)
    switch (fate.is) {
      case 'stored':
        this.#pending[batch.partition] = undefined
        this.#storedAt[batch.partition] = now
        this.#progressAt = now
        this.#gather(batch.items.length, now)
        this.choice.stored(batch.partition, now)
        this.#effects.push({ do: 'nudge', partition: batch.partition, seq: fate.seq })
        this.#finish(batch.items, pending.bytes, STORED)
        return
      case 'refused':
        this.#pending[batch.partition] = undefined
        this.#dissolve(pending, fate.why, fate.text, now)
        return
      case 'open':
    }
  }

  /** Begins what can begin. While not `connected` nothing is published, so that what waits is surely not stored. */
  pump(now: number, connected: boolean): void {
    for (let partition = 0; partition < this.#pending.length; partition++) {
      const pending = this.#pending[partition]
      if (pending !== undefined) this.#repeat(pending, now, connected)
    }
    if (this.#room.empty) return
    if (connected) {
      this.#sendBound(now)
      this.#sendFree(now)
    }
    this.#expire(now)
  }

  /** The next time, after a pump at `now`, at which there is something to do unasked; Infinity if there is none. */
  wakeAt(now: number): number {
    const waits = !this.#room.empty
    let at = waits && this.#gatherUntil > now ? this.#gatherUntil : Infinity
    for (let partition = 0; partition < this.#pending.length; partition++) {
      const pending = this.#pending[partition]
      if (pending !== undefined) {
        at = Math.min(at, pending.retryAt, pending.firstAt + this.#settings.giveUpMs)
        if (waits && pending.suspectAt > now) at = Math.min(at, pending.suspectAt)
      }
      if (!waits) continue
      const probeAt = this.choice.mayTryAt(partition)
      if (probeAt > now) at = Math.min(at, probeAt)
      const bound = this.#room.oldestBound(partition)
      if (bound !== undefined) at = Math.min(at, this.#expiresAt(bound))
    }
    const free = this.#room.oldestFree()
    return free === undefined ? at : Math.min(at, this.#expiresAt(free))
  }

  /** What is to be done now, in order. */
  take(): readonly Effect<T>[] {
    const effects = this.#effects
    if (effects.length > 0) this.#effects = []
    return effects
  }

  #sendBound(now: number): void {
    for (let partition = 0; partition < this.#pending.length; partition++) {
      if (this.#pending[partition] !== undefined || !this.#room.hasBound(partition)) continue
      if (this.choice.mayTryAt(partition) <= now) this.#publish(partition, now)
    }
  }

  /** Nobody is waited for who was alone, or longer than until as many wait as were on the way. */
  #gather(answered: number, now: number): void {
    this.#gatherUntil = answered > 1 ? now + this.#settings.gatherMs : now
    this.#gatherCount = answered + this.#room.free
  }

  #gathers(now: number): boolean {
    return now < this.#gatherUntil && this.#room.free < this.#gatherCount && !this.#room.fullBatchWaits
  }

  #sendFree(now: number): void {
    if (this.#gathers(now)) return
    while (this.#room.hasFree) {
      const partition = this.#lanes.next(now, this.#traffic)
      if (partition === undefined) return
      this.#publish(partition, now)
    }
  }

  #publish(partition: number, now: number): void {
    // Where there is trouble a record goes only if it must.
    const onlyBound = this.#room.hasBound(partition) && this.choice.rank(partition, now) > 1
    const { items, bytes } = this.#room.take(partition, onlyBound)
    const batch: Batch<T> = { id: this.#newId(), partition, items: items.map((waiting) => waiting.item) }
    const pending = new PendingBatch(batch, items, bytes, now, this.#settings.suspectAfterMs)
    this.#pending[partition] = pending
    this.#try(pending, now)
  }

  #try(pending: PendingBatch<T>, now: number): void {
    const number = pending.begin(now, this.#random)
    if (number !== undefined) this.#effects.push({ do: 'publish', batch: pending.batch, number })
  }

  #repeat(pending: PendingBatch<T>, now: number, connected: boolean): void {
    if (now - pending.firstAt >= this.#settings.giveUpMs) {
      const { batch } = pending
      this.#pending[batch.partition] = undefined
      this.choice.refused(batch.partition, 'other', now)
      this.#finish(batch.items, pending.bytes, UNKNOWN)
    } else if (pending.retryAt <= now) {
      if (connected) this.#try(pending, now)
      else pending.postpone(now)
    }
  }

  /** No try of the batch was stored: its items may go elsewhere under another id. */
  #dissolve(pending: PendingBatch<T>, why: Refusal, text: string | undefined, now: number): void {
    const { partition } = pending.batch
    this.choice.refused(partition, why, now)
    const strange = why !== 'no-leader' && why !== 'full'
    if (strange) this.#effects.push({ do: 'strange', partition, why, text })
    const back: Waiting<T>[] = []
    for (const waiting of pending.waiting) {
      if (strange) waiting.strange++
      if (why === 'full' && (waiting.bound !== undefined || this.choice.allFull())) this.#refuse([waiting], FULL)
      else if (waiting.strange >= MAX_STRANGE) this.#refuse([waiting], UNAVAILABLE)
      else back.push(waiting)
    }
    this.#room.putBack(back)
  }

  #expire(now: number): void {
    if (this.choice.allFull())
      this.#refuse(
        this.#room.leave(undefined, () => true),
        FULL,
      )
    const expired = (waiting: Waiting<T>) => this.#expiresAt(waiting) <= now
    this.#refuse(this.#room.leave(undefined, expired), UNAVAILABLE)
    for (let partition = 0; partition < this.#pending.length; partition++) {
      this.#refuse(this.#room.leave(partition, expired), UNAVAILABLE)
    }
  }

  #expiresAt(waiting: Waiting<T>): number {
    const progress = waiting.bound === undefined ? this.#progressAt : (this.#storedAt[waiting.bound] as number)
    const { patienceMs, maxWaitMs } = this.#settings
    return Math.min(Math.max(waiting.at, progress) + patienceMs, waiting.at + maxWaitMs)
  }

  #refuse(waiting: readonly Waiting<T>[], fate: ItemFate): void {
    if (waiting.length === 0) return
    let bytes = 0
    for (const { size } of waiting) bytes += size
    this.#finish(
      waiting.map(({ item }) => item),
      bytes,
      fate,
    )
  }

  #finish(items: readonly T[], bytes: number, fate: ItemFate): void {
    this.#count -= items.length
    this.#held -= bytes
    this.#effects.push({ do: 'done', items, fate })
  }
}
