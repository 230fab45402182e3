/**
 * The writes of an owner to its log: lease records and entries, one in flight at a time, for the servers' checks of the last
 * sequence collide with one's own writes. A renewal goes before entries. A try that was not answered is repeated
 * unchanged: a lease with its id, an entry with its id under the lease of the day.
 */
import type { PublishAnswer } from '../answer.ts'
import type { Told } from '../entry.ts'
import type { Lease } from '../lease.ts'
import type { Candidate } from './candidate.ts'
import type { Moment, OwnerEffect, Phase } from './effect.ts'
import type { LeaseHold } from './lease-hold.ts'
import { Outbox, type Pending, type PendingEntry } from './outbox.ts'
import type { RanClock } from './ran-clock.ts'
import { TIMES } from './rules.ts'

export interface WriteOptions {
  readonly node: string
  readonly name: string
  readonly newId: () => string
  readonly hold: LeaseHold
  readonly clock: RanClock
  /** Whoever is told of another's write looks at the lease. */
  readonly candidate: Candidate
  /** What a renewal says now; asked once for each. */
  readonly renewal: (now: Moment) => Lease
  readonly emit: (effect: OwnerEffect) => void
  /** The log has no room to tell this. */
  readonly notTold: (told: readonly Told[]) => void
}

export class WriteChannel {
  readonly outbox: Outbox
  readonly #options: WriteOptions
  #inFlight: 'lease' | 'entry' | undefined
  #notBefore = -Infinity
  /** Not known to be stored yet. */
  #lease: { readonly lease: Lease; readonly expected: number } | undefined
  #entry: PendingEntry | undefined
  /** The highest sequence of ours in the log that we know. */
  #lastOwnSeq = 0
  #renewSoon = false
  #releaseSent = false

  constructor(options: WriteOptions) {
    this.#options = options
    this.outbox = new Outbox(options.newId)
  }

  /** Who has sent a release owns nothing. */
  get releaseSent(): boolean {
    return this.#releaseSent
  }
  /** The lease that is not known to be stored. */
  get leaseTry(): { readonly lease: Lease; readonly expected: number } | undefined {
    return this.#lease
  }
  /** Time (RanClock) of the oldest delivered outcome not known to be stored; Infinity: none. */
  get oldestDelivered(): number {
    return Math.min(this.outbox.oldestDelivered, this.#entry?.oldestDelivered ?? Infinity)
  }
  /** No entry of ours that is not known can lie below. */
  get free(): number {
    const free = this.#lastOwnSeq + 1
    return this.#entry !== undefined && this.#entry.unknownTries > 0 ? Math.min(free, this.#entry.mark) : free
  }
  /** Everything is stored, and the channel is open. */
  isDone(now: Moment): boolean {
    if (this.#entry !== undefined || !this.outbox.isEmpty) return false
    return this.#inFlight === undefined && this.#lease === undefined && now.mono >= this.#notBefore
  }
  /** An entry's fate is unknown for so long that it must not be sent again. */
  isLost(now: Moment, unknownFate: number): boolean {
    const entry = this.#entry
    return entry?.firstSent !== undefined && entry.unknownTries > 0 && now.mono - entry.firstSent > unknownFate
  }

  /** Monotonic time at which write() has something to do. */
  nextAt(now: Moment): number {
    if (this.#inFlight !== undefined) return Infinity
    const waits = this.#lease !== undefined || this.#renewSoon || this.#entry !== undefined
    const next = waits ? now.mono : Math.min(this.#options.hold.from.mono + TIMES.renewEvery, this.outbox.nextAt())
    return Math.max(next, this.#notBefore)
  }

  write(now: Moment, phase: Phase): void {
    if (this.#inFlight !== undefined || now.mono < this.#notBefore) return
    const { hold, clock, renewal } = this.#options
    const sent = this.#lease && hold.firstSent(this.#lease.lease.id)
    if (this.#lease !== undefined && sent !== undefined) {
      // A try as old as this would give a lease that is nearly over: better a new one, which then may find it stored.
      const stale = phase !== 'claiming' && now.mono - sent.mono > TIMES.renewEvery * 2 && !this.#releaseSent
      if (!stale) {
        this.sendLease(this.#lease.lease, this.#lease.expected, now)
        return
      }
    }
    if (phase === 'claiming') return
    const due = now.mono - hold.from.mono >= TIMES.renewEvery || clock.at(now) - hold.from.ran >= TIMES.lease / 2
    if (due || this.#lease !== undefined || this.#renewSoon) {
      if (this.#releaseSent) return
      this.#renewSoon = false
      this.sendLease(renewal(now), hold.seq, now)
      return
    }
    if (phase === 'scanning' || this.#releaseSent) return
    const entry = this.#entry ?? this.outbox.take(now.mono)
    if (entry !== undefined) this.#sendEntry(entry, now)
  }

  /** Nothing else may be in flight when this is called from outside. */
  sendLease(lease: Lease, expected: number, now: Moment): void {
    const { hold, clock, emit } = this.#options
    this.#lease = { lease, expected }
    this.#inFlight = 'lease'
    if (lease.released) this.#releaseSent = true
    hold.sending(lease, { mono: now.mono, ran: clock.at(now) })
    emit({ do: 'write-lease', lease, expected })
  }

  renewSoon(): void {
    this.#renewSoon = true
  }

  #sendEntry(entry: PendingEntry, now: Moment): void {
    const { node, name, hold, emit } = this.#options
    this.#entry = entry
    if (entry.firstSent === undefined) {
      entry.firstSent = now.mono
      entry.mark = this.#lastOwnSeq + 1
    }
    this.#inFlight = 'entry'
    const { id, kind, pendings, later, told, records } = entry
    const header = {
      node,
      name,
      lease: hold.seq,
      closes: pendings.map(({ closing }) => closing),
      ...(later === undefined ? {} : { later }),
      ...(told.length === 0 ? {} : { told }),
    }
    emit({ do: 'write-entry', id, kind, header, records })
  }

  // ---- answers

  /** True: it is the lease that is being tried. */
  leaseAnswered(id: string): boolean {
    if (this.#lease?.lease.id !== id) return false
    if (this.#inFlight === 'lease') this.#inFlight = undefined
    return true
  }

  /** A lease of ours is stored, by an answer or because it was read. */
  leaseStored(id: string, seq: number): void {
    this.#lastOwnSeq = Math.max(this.#lastOwnSeq, seq)
    if (this.#lease === undefined || (this.#lease.lease.id !== id && this.#lease.expected >= seq)) return
    this.#lease = undefined
    if (this.#inFlight === 'lease') this.#inFlight = undefined
    this.#notBefore = -Infinity
  }

  /** Nothing is written for so long. */
  pause(ms: number, now: Moment): void {
    this.#notBefore = now.mono + ms
  }

  /** Returns the entry when the answer settles it: it is stored, or every try was refused because the log is full. */
  entryAnswered(id: string, answer: PublishAnswer, now: Moment): PendingEntry | undefined {
    const entry = this.#entry
    if (entry === undefined || entry.id !== id) return undefined
    if (this.#inFlight === 'entry') this.#inFlight = undefined
    if (answer.is === 'stored') {
      this.#entry = undefined
      this.#lastOwnSeq = Math.max(this.#lastOwnSeq, answer.seq)
      return entry
    }
    if (answer.is === 'unanswered' || answer.why === 'in-flight') {
      entry.unknownTries++
      return undefined
    }
    if (answer.why === 'full' && entry.kind === 'later' && entry.unknownTries === 0) {
      this.#entry = undefined
      return entry
    }
    if (answer.why === 'full' && entry.told.length > 0 && entry.unknownTries === 0) {
      // What readers want must not stand in the way of what keeps mail from going out twice.
      this.#options.notTold(entry.told)
      entry.told = []
      if (entry.pendings.length === 0) this.#entry = undefined
    }
    if (answer.why === 'wrong-last') this.#options.candidate.read(now)
    this.pause(TIMES.retryWrite, now)
    return undefined
  }

  /** Every outcome that is not known to be stored. The channel is not used again. */
  unstored(): Pending[] {
    return [...(this.#entry?.pendings ?? []), ...this.outbox.drain()]
  }
}
