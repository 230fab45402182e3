/**
 * Items that wait for a batch: free ones in one queue, those whose body lies in a partition in that partition's own. Each
 * queue keeps the order of the offers; what a dissolved batch held goes back to the front.
 */

export interface Waiting<T> {
  readonly item: T
  readonly size: number
  /** When it was offered, monotonic ms. */
  readonly at: number
  /** The partition of its body. */
  readonly bound: number | undefined
  /** Refusals for odd reasons so far: what no partition takes must not go round for ever. */
  strange: number
}

export interface BatchLimits {
  readonly maxRecords: number
  readonly maxBytes: number
}

export class WaitingRoom<T> {
  readonly #limits: BatchLimits
  #free: Waiting<T>[] = []
  #freeBytes = 0
  readonly #bound: Waiting<T>[][]
  #boundCount = 0

  constructor(partitions: number, limits: BatchLimits) {
    this.#limits = limits
    this.#bound = Array.from({ length: partitions }, () => [])
  }

  get empty(): boolean {
    return this.#free.length === 0 && this.#boundCount === 0
  }
  get free(): number {
    return this.#free.length
  }
  get hasFree(): boolean {
    return this.#free.length > 0
  }
  hasBound(partition: number): boolean {
    return this.#boundTo(partition).length > 0
  }

  /** What waits free fills a batch. */
  get fullBatchWaits(): boolean {
    return this.#free.length >= this.#limits.maxRecords || this.#freeBytes >= this.#limits.maxBytes
  }

  push(waiting: Waiting<T>): void {
    if (waiting.bound === undefined) {
      this.#free.push(waiting)
      this.#freeBytes += waiting.size
    } else {
      this.#boundTo(waiting.bound).push(waiting)
      this.#boundCount++
    }
  }

  putBack(items: readonly Waiting<T>[]): void {
    const free = items.filter((waiting) => waiting.bound === undefined)
    this.#free = free.concat(this.#free)
    for (const waiting of free) this.#freeBytes += waiting.size
    for (const waiting of items.toReversed()) {
      if (waiting.bound === undefined) continue
      this.#boundTo(waiting.bound).unshift(waiting)
      this.#boundCount++
    }
  }

  /** The next batch for a partition: what is bound to it first, then free items unless `onlyBound`. */
  take(partition: number, onlyBound: boolean): { readonly items: Waiting<T>[]; readonly bytes: number } {
    const bound = this.#boundTo(partition)
    const fromBound = this.#fit(bound, 0, 0)
    const items = bound.splice(0, fromBound.count)
    this.#boundCount -= items.length
    let { bytes } = fromBound
    if (!onlyBound && bound.length === 0) {
      const fromFree = this.#fit(this.#free, items.length, bytes)
      const free = this.#free.splice(0, fromFree.count)
      this.#freeBytes -= fromFree.bytes - bytes
      bytes = fromFree.bytes
      if (items.length === 0) return { items: free, bytes }
      items.push(...free)
    }
    return { items, bytes }
  }

  oldestFree(): Waiting<T> | undefined {
    return this.#free[0]
  }
  oldestBound(partition: number): Waiting<T> | undefined {
    return this.#boundTo(partition)[0]
  }

  /** Removes the oldest items for which `gone` holds, up to the first for which it does not. */
  leave(partition: number | undefined, gone: (waiting: Waiting<T>) => boolean): Waiting<T>[] {
    const queue = partition === undefined ? this.#free : this.#boundTo(partition)
    let count = 0
    for (const waiting of queue) {
      if (!gone(waiting)) break
      count++
    }
    if (count === 0) return []
    const left = queue.splice(0, count)
    if (partition === undefined) for (const waiting of left) this.#freeBytes -= waiting.size
    else this.#boundCount -= left.length
    return left
  }

  /** How many from the head of the queue still fit after `count` items of `bytes`; always one into an empty batch. */
  #fit(queue: readonly Waiting<T>[], count: number, bytes: number): { count: number; bytes: number } {
    const { maxRecords, maxBytes } = this.#limits
    let taken = 0
    for (const { size } of queue) {
      if (count + taken >= maxRecords || (bytes + size > maxBytes && count + taken > 0)) break
      bytes += size
      taken++
    }
    return { count: taken, bytes }
  }

  #boundTo(partition: number): Waiting<T>[] {
    const queue = this.#bound[partition]
    if (queue === undefined) throw new RangeError(`there is no partition ${partition}`)
    return queue
  }
}
