/**
 * The part of MAIL from the floor on, as far as it was read: which batches are open, and where the floor stands. The
 * floor is the lowest sequence that is not closed; everything below can be purged.
 */
import type { OpenBatch } from './open-batch.ts'

export class MailWindow {
  /** Batches from `#purged` on; a closed one keeps only its lowest closer, until its purge is answered. */
  readonly #open = new Map<number, OpenBatch>()
  readonly #closed = new Map<number, { lowestCloser: number; storedAt: number; bytes: number }>()
  #floor: number
  #next: number
  #lastStoredAt = 0
  #passedBytes = 0
  #floorTime: number
  /** Every batch below has been purged, answered. */
  #purged: number

  constructor(floor: number, floorTime: number) {
    this.#floor = floor
    this.#next = floor
    // What a predecessor found closed it may not have purged.
    this.#purged = 1
    this.#floorTime = floorTime
  }

  get floor(): number {
    return this.#floor
  }
  /** Sequence to read next. */
  get next(): number {
    return this.#next
  }
  get purged(): number {
    return this.#purged
  }
  /** Lower bound of the server time of the batch at the floor, ms. */
  get floorTime(): number {
    return this.#open.get(this.#floor)?.storedAt ?? Math.max(this.#floorTime, this.#lastStoredAt)
  }
  /** Have this many bytes been closed since it last said so? They are purged when a lease with their floor is stored. */
  takePassed(bytes: number): boolean {
    if (this.#passedBytes < bytes) return false
    this.#passedBytes = 0
    return true
  }
  /** Server time of the youngest batch that was read, ms: what was stored before, by the servers' clocks, has been read. */
  get readTo(): number {
    return this.#lastStoredAt
  }
  get open(): IterableIterator<OpenBatch> {
    return this.#open.values()
  }

  /** Nothing was stored in MAIL before this server time that has not been read. */
  nothingBefore(time: number): void {
    this.#floorTime = Math.max(this.#floorTime, time)
  }

  /** Batches come in order. What lies between was purged by a predecessor, so it is closed. */
  add(batch: OpenBatch): void {
    if (this.#floor === this.#next) this.#floor = batch.seq
    else
      for (let seq = this.#next; seq < batch.seq; seq++)
        this.#closed.set(seq, { lowestCloser: 0, storedAt: 0, bytes: 0 })
    this.#next = batch.seq + 1
    this.#lastStoredAt = Math.max(this.#lastStoredAt, batch.storedAt)
    this.#open.set(batch.seq, batch)
    if (batch.open === 0) this.closed(batch)
  }

  /** All tasks of the batch are closed by stored entries. */
  closed(batch: OpenBatch): void {
    if (!this.#open.delete(batch.seq)) return
    const { lowestCloser, storedAt, bytes } = batch
    this.#closed.set(batch.seq, { lowestCloser, storedAt, bytes })
    while (this.#floor < this.#next && this.#closed.has(this.#floor)) {
      const passed = this.#closed.get(this.#floor)!
      this.#floorTime = Math.max(this.#floorTime, passed.storedAt)
      this.#passedBytes += passed.bytes
      this.#floor++
    }
  }

  purgedBelow(before: number): void {
    for (const seq of this.#closed.keys()) if (seq < before) this.#closed.delete(seq)
    this.#purged = Math.max(this.#purged, before)
  }

  /** The lowest entry that closes a task of a batch not yet purged; Infinity: none. */
  lowestCloser(): number {
    let lowest = Infinity
    for (const { lowestCloser } of this.#closed.values())
      if (lowestCloser > 0 && lowestCloser < lowest) lowest = lowestCloser
    for (const { lowestCloser } of this.#open.values())
      if (lowestCloser > 0 && lowestCloser < lowest) lowest = lowestCloser
    return lowest
  }
}
