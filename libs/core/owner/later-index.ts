/**
 * The `.later` entries of a partition: some hundred bytes for each, however many mails it carries. It knows when which
 * destination has something due, which entries are in memory, and which are closed and wait for their removal.
 */
import type { Later } from '../entry.ts'
import type { OpenBatch } from './open-batch.ts'

export interface LaterEntry {
  readonly seq: number
  readonly due: number
  readonly destination: string
  readonly state: Later['state']
  readonly recipients: number
  readonly bytes: number
  readonly bodies: readonly string[]
  /** Server time, ms, at which the oldest of its messages was first stored. */
  readonly oldest: number
  /** Tasks closed before it was read under this lease: record index -> positions. */
  closed: Map<number, Set<number>> | undefined
  lowestCloser: number
  reading: boolean
  batch: OpenBatch | undefined
}

/** Due entries of one destination, soonest first. */
interface Waiting {
  readonly destination: string
  readonly entries: LaterEntry[]
  /** When to look again, ms since the epoch. */
  at: number
}

export class LaterIndex {
  readonly #entries = new Map<number, LaterEntry>()
  readonly #waiting = new Map<string, Waiting>()
  /** Destinations by the time to look at them; an entry may be out of date. */
  readonly #heap: { at: number; waiting: Waiting }[] = []
  /** Closed, not yet deleted (answered). */
  readonly #closed = new Map<number, LaterEntry>()
  recipients = 0

  get(seq: number): LaterEntry | undefined {
    return this.#entries.get(seq)
  }
  get size(): number {
    return this.#entries.size
  }
  get closedCount(): number {
    return this.#closed.size
  }
  get closed(): IterableIterator<LaterEntry> {
    return this.#closed.values()
  }
  all(): IterableIterator<LaterEntry> {
    return this.#entries.values()
  }

  add(entry: LaterEntry): void {
    this.#entries.set(entry.seq, entry)
    this.recipients += entry.recipients
    let waiting = this.#waiting.get(entry.destination)
    if (waiting === undefined) {
      waiting = { destination: entry.destination, entries: [], at: Infinity }
      this.#waiting.set(entry.destination, waiting)
    }
    insertByDue(waiting.entries, entry)
    if (entry.due < waiting.at) this.#lookAt(waiting, entry.due)
  }

  /** Takes one due entry of a destination that has room; undefined: none now. */
  takeDue(now: number, until: number, hasRoom: (destination: string) => boolean): LaterEntry | undefined {
    for (;;) {
      const top = this.#heap[0]
      if (top === undefined || top.at > now) return undefined
      if (top.at !== top.waiting.at) {
        pop(this.#heap)
        continue
      }
      const { waiting } = top
      const first = waiting.entries[0]
      if (first === undefined) {
        pop(this.#heap)
        waiting.at = Infinity
        this.#waiting.delete(waiting.destination)
        continue
      }
      if (first.due > now) {
        this.#lookAt(waiting, first.due)
        continue
      }
      if (first.due > until || !hasRoom(waiting.destination)) {
        this.#lookAt(waiting, now + 250)
        continue
      }
      waiting.entries.shift()
      first.reading = true
      return first
    }
  }

  /** The read failed: it waits again. */
  putBack(entry: LaterEntry, at: number): void {
    entry.reading = false
    let waiting = this.#waiting.get(entry.destination)
    if (waiting === undefined) {
      waiting = { destination: entry.destination, entries: [], at: Infinity }
      this.#waiting.set(entry.destination, waiting)
    }
    waiting.entries.unshift(entry)
    this.#lookAt(waiting, at)
  }

  nextDue(): number {
    return this.#heap[0]?.at ?? Infinity
  }

  /** All its tasks are closed by stored entries: it waits for its removal. */
  close(entry: LaterEntry): void {
    if (!this.#entries.delete(entry.seq)) return
    this.recipients -= entry.recipients
    entry.batch = undefined
    this.#closed.set(entry.seq, entry)
    if (!entry.reading) {
      const entries = this.#waiting.get(entry.destination)?.entries
      const at = entries?.indexOf(entry) ?? -1
      if (at >= 0) entries!.splice(at, 1)
    }
  }

  deleted(seq: number): void {
    this.#closed.delete(seq)
  }

  /** The lowest entry that closes a task of an entry not yet deleted; Infinity: none. */
  lowestCloser(): number {
    let lowest = Infinity
    for (const { lowestCloser } of this.#closed.values())
      if (lowestCloser > 0 && lowestCloser < lowest) lowest = lowestCloser
    for (const entry of this.#entries.values()) {
      const closer = entry.batch?.lowestCloser || entry.lowestCloser
      if (closer > 0 && closer < lowest) lowest = closer
    }
    return lowest
  }

  #lookAt(waiting: Waiting, at: number): void {
    waiting.at = at
    push(this.#heap, { at, waiting })
  }
}

function insertByDue(entries: LaterEntry[], entry: LaterEntry): void {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (entries[middle]!.due <= entry.due) low = middle + 1
    else high = middle
  }
  entries.splice(low, 0, entry)
}

function push(heap: { at: number; waiting: Waiting }[], item: { at: number; waiting: Waiting }): void {
  let child = heap.push(item) - 1
  while (child > 0) {
    const parent = (child - 1) >>> 1
    if (heap[parent]!.at <= item.at) break
    heap[child] = heap[parent]!
    child = parent
  }
  heap[child] = item
}

function pop(heap: { at: number; waiting: Waiting }[]): void {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return
  let parent = 0
  for (;;) {
    let child = parent * 2 + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child++
    if (heap[child]!.at >= last.at) break
    heap[parent] = heap[child]!
    parent = child
  }
  heap[parent] = last
}
