/**
 * The tasks of the batches in memory, from being given out to having an outcome: which may be begun, how many are, and
 * which run on from where they lie because the log had no room for their successors. A task is closed once.
 */
import type { Moment, OwnerEffect } from './effect.ts'
import type { Holdings } from './holdings.ts'
import { TASK, type OpenBatch } from './open-batch.ts'
import type { PendingEntry } from './outbox.ts'
import type { Rules } from './rules.ts'

/** What runs on in place waits for so much longer than what it was deferred to. */
const IN_PLACE_MS = 1_000

/** Deferred or parked, but the log had no room for the successor. */
interface InPlace {
  readonly at: number
  readonly batch: OpenBatch
  readonly record: number
  readonly positions: readonly number[]
}

export class Tasks {
  readonly #holdings: Holdings
  readonly #rules: Rules
  readonly #emit: (effect: OwnerEffect) => void
  #begun = 0
  #inPlace: InPlace[] = []

  constructor(holdings: Holdings, rules: Rules, emit: (effect: OwnerEffect) => void) {
    this.#holdings = holdings
    this.#rules = rules
    this.#emit = emit
  }

  /** Tasks begun that have no outcome yet. */
  get begun(): number {
    return this.#begun
  }

  // ---- giving out

  giveAll(batch: OpenBatch): void {
    for (let record = 0; record < batch.records.length; record++) {
      const positions = batch.positions(record, TASK.waiting)
      if (positions.length > 0) this.#give(batch, record, positions)
    }
  }

  /** What went back to waiting; not what runs on in place later. */
  giveAgain(batch: OpenBatch): void {
    for (let record = 0; record < batch.records.length; record++) {
      const positions = batch
        .positions(record, TASK.waiting)
        .filter((p) => !this.#inPlace.some((t) => t.batch === batch && t.record === record && t.positions.includes(p)))
      if (positions.length > 0) this.#give(batch, record, positions)
    }
  }

  #give(batch: OpenBatch, record: number, positions: readonly number[]): void {
    for (const position of positions) batch.set(record, position, TASK.given)
    const suspect = this.#holdings.isSuspect(batch, record)
    this.#emit({ do: 'give', batch, record, positions, suspect })
  }

  // ---- running

  /** False: one of them is not given any more. */
  begin(batch: OpenBatch, record: number, positions: readonly number[]): boolean {
    for (const position of positions) {
      const state = batch.state(record, position)
      if (state !== TASK.given && state !== TASK.begun) return false
    }
    for (const position of positions) {
      if (batch.state(record, position) === TASK.given) this.#begun++
      batch.set(record, position, TASK.begun)
    }
    if (this.#rules.suspects && this.#holdings.isSuspect(batch, record)) {
      const first = this.#holdings.firstRun(batch, record, positions)
      const { id, recipients, traceparent } = batch.records[record]!.envelope
      const indexes = first.map((position) => recipients[position]!.index)
      if (first.length > 0)
        this.#emit({
          do: 'possible-duplicate',
          id,
          recipients: indexes,
          ...(traceparent === undefined ? undefined : { traceparent }),
        })
    }
    return true
  }

  /** Nothing is begun any more: these wait for what comes. */
  putBack(batch: OpenBatch, record: number, positions: readonly number[]): void {
    for (const position of positions) {
      const state = batch.state(record, position)
      if (state === TASK.begun) this.#begun--
      if (state === TASK.begun || state === TASK.given) batch.set(record, position, TASK.waiting)
    }
  }

  /** Those that can be closed; a second word on a task is ignored. */
  closable(batch: OpenBatch, record: number, positions: readonly number[]): readonly number[] {
    return positions.filter((position) => {
      const state = batch.state(record, position)
      return state === TASK.begun || state === TASK.given || state === TASK.waiting
    })
  }

  /** They have an outcome, not stored yet. True: one of them is suspect and has not been run under this lease. */
  ended(batch: OpenBatch, record: number, positions: readonly number[]): boolean {
    let unrun = false
    const suspect = this.#holdings.isSuspect(batch, record)
    for (const position of positions) {
      if (batch.state(record, position) === TASK.begun) this.#begun--
      if (suspect && !this.#holdings.wasRun(batch, record, position)) unrun = true
      batch.set(record, position, TASK.pending)
    }
    return unrun
  }

  // ---- running on in place

  /** Every try was refused for want of room: its tasks run on from where they lie (bounces are made anew then). */
  runOn(entry: PendingEntry): void {
    for (const { batch, record, closing } of entry.pendings) {
      for (const position of closing.positions) batch.set(record, position, TASK.waiting)
      if (closing.accepted !== undefined) batch.acceptanceTold(record, false)
      this.#inPlace.push({ at: entry.later!.due + IN_PLACE_MS, batch, record, positions: closing.positions })
    }
  }

  /** Meanwhile nothing new is read. */
  get runsInPlace(): boolean {
    return this.#inPlace.length > 0
  }
  /** Wall time at which giveInPlace() has something; Infinity: nothing. */
  nextInPlace(): number {
    let next = Infinity
    for (const { at } of this.#inPlace) if (at < next) next = at
    return next
  }

  giveInPlace(now: Moment): void {
    if (this.#inPlace.length === 0) return
    const due = this.#inPlace.filter(({ at }) => at <= now.wall)
    if (due.length === 0) return
    this.#inPlace = this.#inPlace.filter(({ at }) => at > now.wall)
    for (const { batch, record, positions } of due) {
      const waiting = positions.filter((position) => batch.state(record, position) === TASK.waiting)
      if (waiting.length > 0) this.#give(batch, record, waiting)
    }
  }
}
