/**
 * What one ownership of a partition has in its hands: the open batches and what became of their tasks, the `.later`
 * entries, the bodies, the ids of batches seen; and from these the floor, R and what may be removed. It is made by a
 * takeover and thrown away with the lease; nothing in it outlives either.
 */
import type { BatchStream, EntryHeader, Told } from '../entry.ts'
import type { Lease, Suspects } from '../lease.ts'
import { BodyShelf } from './body-shelf.ts'
import type { Moment, ReadBatch } from './effect.ts'
import { LaterIndex, type LaterEntry } from './later-index.ts'
import { MailWindow } from './mail-window.ts'
import { OpenBatch, TASK } from './open-batch.ts'
import type { PendingEntry } from './outbox.ts'
import type { Rules } from './rules.ts'
import { SeenBatches } from './seen-batches.ts'
import { batchIdOf, originOf } from './successor.ts'
import { Untold } from './untold.ts'

/** Closings of a batch that is not in memory. */
interface ClosedEarlier {
  readonly tasks: Map<number, Set<number>>
  /** Records of which some closing tells the acceptance. */
  readonly acceptances: Set<number>
  lowestCloser: number
}

export class Holdings {
  readonly window: MailWindow
  readonly laters = new LaterIndex()
  readonly bodies: BodyShelf
  readonly seen = new SeenBatches()
  readonly untold = new Untold()
  readonly suspects: Suspects
  /** Bytes of the batches in memory that have open tasks. */
  openBytes = 0
  /** Open tasks of the batches in memory. */
  openTasks = 0
  readonly #rules: Rules
  /** Entries below have been told by their writers. */
  readonly #toldBelow: number
  readonly #closedEarlier = new Map<string, ClosedEarlier>()
  /** Server time minus monotonic time, from the entry or batch that gave the largest. */
  #serverOffset = -Infinity
  /** Batches that came into memory; outcomes of others are too late. */
  readonly #ours = new WeakSet<OpenBatch>()
  /** Suspect tasks that were begun under this lease. */
  readonly #run = new WeakMap<OpenBatch, Set<string>>()

  constructor(lease: Lease, suspects: Suspects, rules: Rules) {
    this.window = new MailWindow(lease.floor, lease.floorTime)
    this.suspects = suspects
    this.bodies = new BodyShelf(rules.bodyRule)
    this.#rules = rules
    this.#toldBelow = lease.r
  }

  // ---- takeover: the log as it was found

  scanned(seq: number, storedAt: number, header: EntryHeader, bytes: number): void {
    for (const closing of header.closes) {
      if (closing.stream === 'later' || closing.seq >= this.window.floor) {
        const key = `${closing.stream} ${closing.seq}`
        let earlier = this.#closedEarlier.get(key)
        if (earlier === undefined) {
          earlier = { tasks: new Map(), acceptances: new Set(), lowestCloser: seq }
          this.#closedEarlier.set(key, earlier)
        }
        if (closing.accepted !== undefined) earlier.acceptances.add(closing.record)
        if (seq < earlier.lowestCloser) earlier.lowestCloser = seq
        let positions = earlier.tasks.get(closing.record)
        if (positions === undefined) earlier.tasks.set(closing.record, (positions = new Set()))
        for (const position of closing.positions) positions.add(position)
      }
      this.seen.see(closing.batch, closing.origin, storedAt)
      if (closing.body !== undefined) this.bodies.closedBy(closing.body, closing.origin, seq)
    }
    if (seq >= this.#toldBelow) this.untold.scanned(seq, header)
    const { later } = header
    // A scan that was begun anew may show an entry twice.
    if (later === undefined || this.laters.get(seq) !== undefined) return
    let recipients = 0
    const bodies: string[] = []
    for (const head of later.records) {
      recipients += head.recipients
      this.seen.see(head.batch, head.origin, storedAt)
      if (head.body !== undefined) {
        bodies.push(head.body)
        this.bodies.later(head.body, head.origin)
      }
    }
    const { due, destination, state, oldest = storedAt } = later
    this.laters.add(laterEntry(seq, { due, destination, state, recipients, bytes, bodies, oldest }))
  }

  /** All entries up to our lease have been seen: which `.later` entries are still open? */
  scanEnds(): void {
    for (const entry of this.laters.all()) {
      const earlier = this.#takeEarlier('later', entry.seq)
      if (earlier === undefined) continue
      entry.lowestCloser = earlier.lowestCloser
      entry.closed = earlier.tasks
      let closed = 0
      for (const positions of earlier.tasks.values()) closed += positions.size
      if (closed >= entry.recipients) this.#laterClosed(entry)
    }
    for (const key of this.#closedEarlier.keys()) if (key.startsWith('later')) this.#closedEarlier.delete(key)
  }

  // ---- batches come into memory

  mail(read: ReadBatch, now: Moment): OpenBatch {
    const batch = new OpenBatch('mail', read)
    this.#ours.add(batch)
    this.serverTime(read.storedAt, now)
    const repeat = this.#rules.rememberedIds && this.seen.isRepeat(batch.id, batch.seq)
    this.seen.see(batch.id, batch.seq, this.serverNow(now))
    for (let seq = this.window.next; seq < batch.seq; seq++) this.#takeEarlier('mail', seq)
    const earlier = this.#takeEarlier('mail', batch.seq)
    if (earlier !== undefined) {
      markClosed(batch, earlier.tasks, earlier.lowestCloser)
      for (const record of earlier.acceptances) batch.acceptanceTold(record, true)
    }
    if (repeat) closeAll(batch)
    for (const { envelope } of batch.records) {
      if (envelope.body !== undefined && !repeat) this.bodies.know(envelope.body.id, batch.seq)
    }
    if (batch.open > 0) this.#holds(batch)
    this.window.add(batch)
    return batch
  }

  later(entry: LaterEntry, read: ReadBatch, now: Moment): OpenBatch {
    this.serverTime(read.storedAt, now)
    const batch = new OpenBatch('later', read)
    this.#ours.add(batch)
    if (entry.closed !== undefined) markClosed(batch, entry.closed, entry.lowestCloser)
    entry.batch = batch
    this.#holds(batch)
    return batch
  }

  /** Is it a batch of this ownership? */
  has(batch: OpenBatch): boolean {
    return this.#ours.has(batch)
  }

  /** Name of the destination it waited under; undefined for a batch of MAIL. */
  destination(batch: OpenBatch): string | undefined {
    return batch.stream === 'later' ? this.laters.get(batch.seq)?.destination : undefined
  }

  // ---- suspects

  isSuspect(batch: OpenBatch, record: number): boolean {
    const { envelope } = batch.records[record]!
    if (envelope.suspect) return true
    const { mail, log, due } = this.suspects
    if (batch.stream === 'mail') return batch.seq <= mail
    const entry = this.laters.get(batch.seq)
    return entry !== undefined && entry.seq <= log && entry.due <= due
  }

  /** Positions that were not run before under this lease; they have been now. */
  firstRun(batch: OpenBatch, record: number, positions: readonly number[]): number[] {
    let run = this.#run.get(batch)
    if (run === undefined) this.#run.set(batch, (run = new Set()))
    const first: number[] = []
    for (const position of positions) {
      const key = `${record} ${position}`
      if (run.has(key)) continue
      run.add(key)
      first.push(position)
    }
    return first
  }
  wasRun(batch: OpenBatch, record: number, position: number): boolean {
    return this.#run.get(batch)?.has(`${record} ${position}`) ?? false
  }

  // ---- an entry of ours is stored

  /** Returns what is to be told of it to readers. */
  stored(entry: PendingEntry, seq: number, now: Moment): readonly Told[] {
    for (const one of entry.told) this.untold.told(one)
    for (const { batch, record, closing } of entry.pendings) {
      if (batch.lowestCloser === 0) {
        batch.lowestCloser = seq
        batch.firstClosed = now.mono
      }
      this.openTasks -= closing.positions.length
      for (const position of closing.positions) batch.set(record, position, TASK.closed)
      if (closing.body !== undefined) this.bodies.closedBy(closing.body, closing.origin, seq)
    }
    const at = this.serverNow(now)
    const { later } = entry
    let toTell: readonly Told[] = []
    if (later !== undefined) {
      const closes = entry.pendings.map(({ closing }) => closing)
      toTell = this.untold.add(seq, closes, later)
      let recipients = 0
      const bodies: string[] = []
      for (const head of later.records) {
        recipients += head.recipients
        if (head.body === undefined) continue
        bodies.push(head.body)
        this.bodies.later(head.body, head.origin)
      }
      const { due, destination, state, oldest = at } = later
      this.laters.add(laterEntry(seq, { due, destination, state, recipients, bytes: entry.bytes, bodies, oldest }))
    }
    // Only now: the successor's need of a body is known before its predecessor's ends.
    for (const { batch, record } of entry.pendings) {
      if (batch.open !== 0) continue
      batch.open = -1 // once
      this.openBytes -= batch.bytes
      const { envelope } = batch.records[record]!
      this.seen.see(batchIdOf(batch, envelope), originOf(batch, envelope), at)
      if (batch.stream === 'mail') this.window.closed(batch)
      else {
        const later = this.laters.get(batch.seq)
        if (later !== undefined) {
          later.lowestCloser = batch.lowestCloser
          this.#laterClosed(later)
        }
      }
    }
    return toTell
  }

  // ---- floor, R, time

  /** R for the next lease. `free`: an entry not known yet can only lie at or above it. */
  r(free: number): number {
    if (!this.#rules.r) return free
    return Math.min(
      free,
      this.window.lowestCloser(),
      this.laters.lowestCloser(),
      this.bodies.lowestCloser(),
      this.#earlierCloser(),
      this.#rules.tellsBeforeDelete ? this.untold.lowest() : Infinity,
    )
  }

  /** Batches not read yet may have been closed in part under a predecessor. */
  #earlierCloser(): number {
    let lowest = Infinity
    for (const { lowestCloser } of this.#closedEarlier.values()) if (lowestCloser < lowest) lowest = lowestCloser
    return lowest
  }

  serverTime(storedAt: number, now: Moment): void {
    this.#serverOffset = Math.max(this.#serverOffset, storedAt - now.mono)
  }
  /** Server time, ms; rather too early than too late. 0: not known yet. */
  serverNow(now: Moment): number {
    return this.#serverOffset === -Infinity ? 0 : Math.floor(this.#serverOffset + now.mono)
  }

  #holds(batch: OpenBatch): void {
    this.openBytes += batch.bytes
    this.openTasks += batch.open
  }

  #laterClosed(entry: LaterEntry): void {
    this.laters.close(entry)
    for (const body of entry.bodies) this.bodies.laterClosed(body)
  }

  #takeEarlier(stream: BatchStream, seq: number): ClosedEarlier | undefined {
    const key = `${stream} ${seq}`
    const earlier = this.#closedEarlier.get(key)
    if (earlier !== undefined) this.#closedEarlier.delete(key)
    return earlier
  }
}

function laterEntry(
  seq: number,
  facts: Pick<LaterEntry, 'due' | 'destination' | 'state' | 'recipients' | 'bytes' | 'bodies' | 'oldest'>,
): LaterEntry {
  return { seq, ...facts, closed: undefined, lowestCloser: 0, reading: false, batch: undefined }
}

function markClosed(batch: OpenBatch, tasks: Map<number, Set<number>>, lowestCloser: number): void {
  batch.lowestCloser = lowestCloser
  for (const [record, positions] of tasks) {
    if (batch.records[record] === undefined) continue
    for (const position of positions) {
      if (batch.records[record].envelope.recipients[position] !== undefined) batch.set(record, position, TASK.closed)
    }
  }
}

function closeAll(batch: OpenBatch): void {
  for (const record of batch.records.keys()) {
    for (const position of batch.positions(record, TASK.waiting)) batch.set(record, position, TASK.closed)
  }
}
