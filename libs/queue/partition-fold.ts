/**
 * Which tasks of one partition are open, folded from the headers of its log: the entries say what they close and, if
 * `.later`, what they carry on. Pure.
 */
import type { BatchStream, Later } from '@posthouse/core/entry'
import type { StoredEntry } from './store.ts'

/** A `.later` entry with the positions that are open in each of its records. */
export interface OpenLater {
  readonly seq: number
  readonly storedAt: number
  readonly size: number
  readonly later: Later
  readonly open: readonly (readonly number[])[]
}

export class PartitionFold {
  readonly #closed = new Map<string, Set<number>>()
  readonly #laters: StoredEntry[] = []

  see(entry: StoredEntry): void {
    for (const { stream, seq, record, positions } of entry.header.closes) {
      const key = `${stream} ${seq} ${record}`
      const closed = this.#closed.get(key)
      if (closed === undefined) this.#closed.set(key, new Set(positions))
      else for (const position of positions) closed.add(position)
    }
    if (entry.header.later !== undefined) this.#laters.push(entry)
  }

  /** Positions of one record that no entry has closed. */
  open(stream: BatchStream, seq: number, record: number, recipients: number): number[] {
    const closed = this.#closed.get(`${stream} ${seq} ${record}`)
    const open: number[] = []
    for (let position = 0; position < recipients; position++) {
      if (closed === undefined || !closed.has(position)) open.push(position)
    }
    return open
  }

  /** In the order of the log. */
  openLaters(): OpenLater[] {
    const laters: OpenLater[] = []
    for (const { seq, storedAt, size, header } of this.#laters) {
      const later = header.later as Later
      const open = later.records.map(({ recipients }, record) => this.open('later', seq, record, recipients))
      if (open.some((positions) => positions.length > 0)) laters.push({ seq, storedAt, size, later, open })
    }
    return laters.sort((a, b) => a.seq - b.seq)
  }
}
