/**
 * The `.later` entries whose word on the tasks they closed has not been said once more for readers. A `.later` entry is deleted when
 * its own tasks are closed, and whoever reads the log after that would never hear of the deferral or bounce it was: so R
 * stays at or below it until an `.outcome` entry that tells of it is stored. A successor finds those left untold in its scan.
 */
import type { Closing, EntryHeader, Later, Told } from '../entry.ts'

export class Untold {
  /** By sequence of the `.later` entry, what is not known to be told of it, by closing. */
  readonly #left = new Map<number, Map<string, Told>>()

  /** Of a scan, which may show an entry before the one that it tells of. */
  readonly #found = new Set<string>()

  /** A `.later` entry is stored. Returns what is to be told of it. */
  add(seq: number, closes: readonly Closing[], later: Later): Told[] {
    const told = closes
      .map((closing, at) => toldOf(seq, closing, later, at))
      // An older version says too little to be told.
      .filter((one) => one.closing.at !== undefined && !this.#found.has(key(one)))
    if (told.length > 0) this.#left.set(seq, new Map(told.map((one) => [key(one), one])))
    return told
  }

  /** This is in a stored `.outcome` entry, or there is no room for it. */
  told(one: Told): void {
    const left = this.#left.get(one.later)
    if (left?.delete(key(one)) === true && left.size === 0) this.#left.delete(one.later)
  }

  scanned(seq: number, { closes, later, told }: EntryHeader): void {
    for (const one of told ?? []) {
      this.#found.add(key(one))
      this.told(one)
    }
    if (later !== undefined) this.add(seq, closes, later)
  }

  /** What a predecessor has left untold. */
  scanEnds(): Told[] {
    this.#found.clear()
    return [...this.#left.values()].flatMap((left) => [...left.values()])
  }

  /** The lowest `.later` entry of which something is untold; Infinity: none. */
  lowest(): number {
    let lowest = Infinity
    for (const seq of this.#left.keys()) if (seq < lowest) lowest = seq
    return lowest
  }
}

/** Entries carry one record for each of their closings, in the same order. */
function toldOf(seq: number, closing: Closing, later: Later, at: number): Told {
  const head = later.records[at]
  const isReport = head !== undefined && (closing.how === 'bounced' || closing.how === 'expired')
  return { later: seq, closing, due: later.due, ...(isReport ? { bounce: head.id } : {}) }
}

const key = ({ later, closing: { stream, seq, record, positions } }: Told) =>
  `${later} ${stream} ${seq} ${record} ${positions[0]}`
