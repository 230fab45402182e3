/**
 * The reading of MAIL, in order and as far as there is room, and of the `.later` entries that are due. A batch beyond what
 * the stored lease lets us begin is held until a renewal reaches it, and nothing more is read meanwhile.
 */
import type { Moment, OwnerEffect, ReadBatch } from './effect.ts'
import type { Holdings } from './holdings.ts'
import type { LeaseHold } from './lease-hold.ts'
import type { OpenBatch } from './open-batch.ts'
import type { ReadRate } from './read-rate.ts'
import { TIMES, type Rules, type Times } from './rules.ts'

const READ_BYTES = 4 * 1024 * 1024
const LATERS_READ_AT_ONCE = 4
/** MAIL is asked again after so long: no answer; a hint says that there is more. */
const UNANSWERED_MS = 250
const BEHIND_HINT_MS = 5
/** A hint of what does not show for so long is given up. */
const HINT_SHOWS_MS = 1_000
/** A `.later` entry is looked for again after so long: it is not there; no answer. */
const LATER_MISSING_MS = 10_000
const LATER_UNANSWERED_MS = 500

export interface IntakeOptions {
  readonly rules: Rules
  readonly times: Times
  readonly hold: LeaseHold
  readonly rate: ReadRate
  /** Bytes of open batches above which nothing is read. */
  readonly openLimit: number
  readonly emit: (effect: OwnerEffect) => void
  /** The batch may be begun. */
  readonly give: (batch: OpenBatch) => void
  /** It may not: a renewal is needed. */
  readonly renew: (now: Moment) => void
}

export class Intake {
  readonly #options: IntakeOptions
  #readingMail = false
  /** The highest sequence of MAIL that was heard of. */
  #hint = 0
  #emptySince = Infinity
  #pollAt = -Infinity
  #latersReading = 0
  /** Batches beyond the stored word on what may be begun. */
  #held: OpenBatch[] = []

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /** Batches of MAIL heard of, but not read. */
  unread(holdings: Holdings): number {
    return Math.max(0, this.#hint - holdings.window.next + 1)
  }

  /** Monotonic time at which there is something to read. */
  nextAt({ openBytes, laters }: Holdings, now: Moment): number {
    if (openBytes >= this.#options.openLimit) return Infinity
    const later =
      this.#latersReading < LATERS_READ_AT_ONCE ? now.mono + Math.max(0, laters.nextDue() - now.wall) : Infinity
    return this.#readingMail || this.#held.length > 0 ? later : Math.min(later, this.#pollAt)
  }

  // ---- MAIL

  /** True: that is news, look. */
  hear(seq: number, now: Moment): boolean {
    if (seq <= this.#hint) return false
    this.#hint = seq
    this.#pollAt = Math.min(this.#pollAt, now.mono)
    return true
  }

  readMail({ window, openBytes }: Holdings, now: Moment): void {
    const { openLimit, emit } = this.#options
    if (this.#readingMail || openBytes >= openLimit || this.#held.length > 0 || now.mono < this.#pollAt) return
    this.#readingMail = true
    this.#pollAt = now.mono + TIMES.pollMail
    emit({ do: 'read-mail', from: window.next, maxBytes: Math.min(READ_BYTES, openLimit) })
  }

  /** `owning`: false while we release, when nothing is given out. True: something came, there may be more. */
  mailRead(
    holdings: Holdings,
    from: number,
    batches: readonly ReadBatch[] | undefined,
    owning: boolean,
    now: Moment,
  ): boolean {
    this.#readingMail = false
    if (from !== holdings.window.next) return false
    if (batches === undefined) {
      this.#pollAt = now.mono + UNANSWERED_MS
      return false
    }
    if (batches.length === 0) {
      this.#nothingCame(holdings, from, now)
      return false
    }
    this.#emptySince = Infinity
    this.#options.rate.read(batches.length)
    for (const read of batches) {
      if (read.seq < holdings.window.next) continue
      const batch = holdings.mail(read, now)
      if (owning) this.#giveOrHold(batch, now)
    }
    this.#pollAt = now.mono
    return true
  }

  #nothingCame(holdings: Holdings, from: number, now: Moment): void {
    // A hint says there is more than this replica has: ask again soon, and give up the hint if it never shows.
    this.#pollAt = now.mono + (this.#hint >= from ? BEHIND_HINT_MS : TIMES.pollMail)
    if (this.#emptySince === Infinity) this.#emptySince = now.mono
    const empty = now.mono - this.#emptySince
    if (empty > HINT_SHOWS_MS) this.#hint = from - 1
    // A replica so far behind does not answer reads: what comes now was stored in this span.
    const { replicaLag } = this.#options.times
    if (empty > replicaLag) holdings.window.nothingBefore(holdings.serverNow(now) - replicaLag)
  }

  #giveOrHold(batch: OpenBatch, now: Moment): void {
    const { rules, hold, give, renew } = this.#options
    if (batch.open === 0) return
    if (rules.mayBegin && batch.seq > hold.stored!.mayBegin.mail) {
      this.#held.push(batch)
      renew(now)
    } else give(batch)
  }

  holds(batch: OpenBatch): boolean {
    return this.#held.includes(batch)
  }

  /** A renewal is stored. True: some were held. */
  giveHeld(now: Moment): boolean {
    const held = this.#held
    if (held.length === 0) return false
    this.#held = []
    for (const batch of held) this.#giveOrHold(batch, now)
    return true
  }

  // ---- `.later`

  readLaters({ laters, openBytes }: Holdings, now: Moment, hasRoom: (destination: string) => boolean): void {
    const { rules, hold, openLimit, emit } = this.#options
    if (laters.nextDue() > now.wall || openBytes >= openLimit) return
    const until = rules.mayBegin ? hold.stored!.mayBegin.due : Infinity
    while (this.#latersReading < LATERS_READ_AT_ONCE) {
      const entry = laters.takeDue(now.wall, until, hasRoom)
      if (entry === undefined) return
      this.#latersReading++
      emit({ do: 'read-later', seq: entry.seq })
    }
  }

  laterRead(holdings: Holdings, seq: number, read: ReadBatch | 'none' | undefined, now: Moment): void {
    const entry = holdings.laters.get(seq)
    if (entry === undefined || !entry.reading || entry.batch !== undefined) return
    this.#latersReading--
    if (read === 'none' || read === undefined) {
      holdings.laters.putBack(entry, now.wall + (read === 'none' ? LATER_MISSING_MS : LATER_UNANSWERED_MS))
      return
    }
    this.#options.give(holdings.later(entry, read, now))
  }
}
