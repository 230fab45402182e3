/**
 * The owner of one partition, as a pure state machine (design section 2, "Single owner, by a fenced lease"): it follows
 * the lease, claims it, reads what its predecessor left, gives out tasks, stores their outcomes and removes what is
 * closed. Time, chance and answers are arguments; what it wants done is a list of effects.
 *
 *   following -> claiming -> scanning -> owning -> releasing -> following (or stopped)
 *   any -> following when another's lease is read
 */
import type { PublishAnswer } from '../answer.ts'
import type { Closing, EntryHeader } from '../entry.ts'
import type { Lease, LeaseRead, MayBegin, Suspects } from '../lease.ts'
import type { Outcome } from '../outcome.ts'
import type { OwnerApi, OwnerOptions } from './api.ts'
import type { Moment, OwnerEffect, Phase, ReadBatch } from './effect.ts'
import { Holdings } from './holdings.ts'
import { LeaseHold } from './lease-hold.ts'
import { TASK, type OpenBatch } from './open-batch.ts'
import { Outbox, type Pending, type PendingEntry } from './outbox.ts'
import { RanClock } from './ran-clock.ts'
import { ALL_RULES, TIMES, type Rules, type Times } from './rules.ts'
import { batchIdOf, bounceOf, headOf, originOf, storedAtOf, successorOf } from './successor.ts'

const NOTHING: Lease = {
  id: '',
  node: '',
  name: '',
  time: 0,
  floor: 1,
  floorTime: 0,
  r: 1,
  mayBegin: { mail: 0, due: 0 },
  suspects: { mail: 0, log: 0, due: 0 },
  backlog: { ready: 0, later: 0, bytes: 0 },
  released: true,
}
const OPEN_BYTES = 32 * 1024 * 1024
const READ_BYTES = 4 * 1024 * 1024
const LATERS_READ_AT_ONCE = 4
const DELETES_AT_ONCE = 16
/** A first choice that stays another's for so long makes the owner release. */
const UNRANKED_MS = 3_000
/** A release that was heard is looked for so often, and so long. */
const RELEASE_LOOK_MS = 20
const RELEASE_SHOWS_MS = 1_000
/** A release that waits longer for what is in flight is called off for a while. */
const RELEASE_CAP_MS = 30_000

/** Only such a task can be closed; a second word on it is ignored. */
const isRunning = (state: number) => state === TASK.begun || state === TASK.given || state === TASK.waiting

/** Deferred or parked, but the log had no room for the successor: it runs on from where it lies. */
interface InPlace {
  readonly at: number
  readonly batch: OpenBatch
  readonly record: number
  readonly positions: readonly number[]
}

export class Owner implements OwnerApi {
  phase: Phase = 'following'
  readonly #options: OwnerOptions
  readonly #rules: Rules
  readonly #times: Times
  readonly #hold: LeaseHold
  readonly #clock = new RanClock()
  readonly #openLimit: number
  #effects: OwnerEffect[] = []

  // following
  /** The last lease read, and when it may be claimed (monotonic). */
  #known: { seq: number; lease: Lease } = { seq: 0, lease: NOTHING }
  #claimFrom = Infinity
  /** Our place in the order of preference at the last wake. */
  #rank: number | undefined
  #reading = false
  #readAt = -Infinity
  #readSoon = true
  #releaseHeard = -Infinity
  #stopping = false

  // the lease being written
  #leaseTry: { lease: Lease; expected: number } | undefined
  #predecessor: Lease = NOTHING
  #writing: 'lease' | 'entry' | undefined
  #notBefore = -Infinity

  // owning
  #holdings: Holdings | undefined
  #outbox: Outbox
  #entry: PendingEntry | undefined
  /** Batches of this ownership; outcomes of others are too late. */
  #ours = new WeakSet<OpenBatch>()
  #lastOwnSeq = 0
  #begun = 0
  #readingMail = false
  #mailHint = 0
  #mailEmptySince = Infinity
  #pollAt = -Infinity
  #latersReading = 0
  #deleting = new Set<number>()
  #purgeAt = -Infinity
  #purging = 0
  #halfRunAt = -Infinity
  #trimAt = -Infinity
  /** Batches beyond the stored word on what may be begun. */
  #held: OpenBatch[] = []
  #wantRenewal = false
  #readSinceRenewal = 0
  #readRate = 0
  #inPlace: InPlace[] = []
  #unrankedSince = Infinity
  #releaseSince = Infinity
  #noReleaseBefore = -Infinity
  #releaseSent = false

  constructor(options: OwnerOptions) {
    this.#options = options
    this.#rules = { ...ALL_RULES, ...options.rules }
    this.#times = { ...TIMES, ...options.memory }
    this.#hold = new LeaseHold(this.#rules)
    this.#openLimit = options.openBytes ?? OPEN_BYTES
    this.#outbox = new Outbox(options.newId)
  }

  takeEffects(): OwnerEffect[] {
    const effects = this.#effects
    if (effects.length > 0) this.#effects = []
    return effects
  }

  // ---- time passes

  wake(now: Moment, rank: number | undefined, hasRoom: (destination: string) => boolean): void {
    this.#clock.at(now)
    switch (this.phase) {
      case 'stopped':
        return
      case 'following':
        this.#follow(now, rank)
        return
      case 'claiming':
        this.#write(now)
        return
      case 'scanning':
        if (this.#stopping) this.#enter('releasing', 'stopping')
        this.#write(now)
        return
      case 'owning':
        this.#considerRelease(now, rank)
        this.#work(now, hasRoom)
        return
      case 'releasing':
        this.#considerOwning(now)
        this.#work(now, hasRoom)
        this.#release(now)
    }
  }

  nextWake(now: Moment): number {
    switch (this.phase) {
      case 'stopped':
        return Infinity
      case 'following': {
        if (this.#stopping) return now.mono
        const read = this.#reading ? Infinity : this.#nextRead()
        const claim =
          this.#rank === undefined || this.#reading ? Infinity : this.#claimFrom + this.#rank * TIMES.rankDelay
        return Math.min(read, claim)
      }
      case 'claiming':
      case 'scanning':
        return this.#nextWrite(now)
      case 'owning':
      case 'releasing':
        return Math.min(this.#nextWrite(now), this.#nextWork(now))
    }
  }

  #nextWrite(now: Moment): number {
    if (this.#writing !== undefined) return Infinity
    const waits = this.#leaseTry !== undefined || this.#wantRenewal || this.#entry !== undefined
    const next = waits ? now.mono : Math.min(this.#hold.from.mono + TIMES.renewEvery, this.#outbox.nextAt())
    return Math.max(next, this.#notBefore)
  }

  #nextWork(now: Moment): number {
    const holdings = this.#holdings
    if (holdings === undefined || this.#releaseSent) return Infinity
    let next = Math.min(this.#halfRunAt, Math.max(this.#trimAt, this.#purgeAt))
    if (this.#somethingToRemove(holdings)) next = Math.min(next, this.#purgeAt)
    const mono = (wall: number) => now.mono + Math.max(0, wall - now.wall)
    for (const { at } of this.#inPlace) next = Math.min(next, mono(at))
    if (holdings.openBytes >= this.#openLimit || this.phase !== 'owning') return next
    if (this.#latersReading < LATERS_READ_AT_ONCE) next = Math.min(next, mono(holdings.laters.nextDue()))
    if (!this.#readingMail && this.#held.length === 0) {
      next = Math.min(next, this.#pollAt)
    }
    return next
  }

  // ---- following and claiming

  #follow(now: Moment, rank: number | undefined): void {
    this.#rank = rank
    if (this.#stopping) {
      this.#enter('stopped', 'nothing is ours')
      return
    }
    if (now.mono >= this.#nextRead()) this.#readLease(now)
    if (rank === undefined || this.#reading || now.mono < this.#claimFrom + rank * TIMES.rankDelay) return
    this.#claim(now)
  }

  /** A release is heard when it is sent, before it is stored: look until it shows. */
  #nextRead(): number {
    if (this.#readSoon) return -Infinity
    const again = this.#readAt - this.#releaseHeard < RELEASE_SHOWS_MS ? RELEASE_LOOK_MS : TIMES.renewEvery
    return this.#readAt + again
  }

  #readLease(now: Moment): void {
    if (this.#reading) return
    this.#reading = true
    this.#readSoon = false
    this.#readAt = now.mono
    this.#effects.push({ do: 'read-lease' })
  }

  #claim(now: Moment): void {
    const { seq, lease } = this.#known
    this.#claimFrom = Infinity
    this.#predecessor = lease
    this.#hold.clear()
    this.#enter(
      'claiming',
      seq === 0 ? 'nobody owned it' : lease.released ? 'it was released' : `${lease.name} went silent`,
    )
    this.#tryLease(
      {
        ...lease,
        id: this.#options.newId(),
        node: this.#options.node,
        name: this.#options.name,
        time: TIMES.lease,
        mayBegin: { mail: 0, due: 0 },
        // Entries of the predecessor up to this record may be suspect as well; its sequence is known only when stored.
        suspects: this.#foldedSuspects(0),
        released: false,
      },
      seq,
      now,
    )
  }

  /** What the predecessor and its predecessors may have begun. `seq`: our own first lease. */
  #foldedSuspects(seq: number): Suspects {
    const { suspects, mayBegin, released } = this.#predecessor
    if (released || !this.#rules.suspects) return suspects
    return {
      mail: Math.max(suspects.mail, mayBegin.mail),
      due: Math.max(suspects.due, mayBegin.due),
      log: Math.max(suspects.log, seq),
    }
  }

  leaseRead(read: LeaseRead, now: Moment): void {
    this.#reading = false
    if (read.is !== 'lease') {
      if (read.is === 'none' && this.phase === 'following' && this.#known.seq === 0) {
        this.#claimFrom = Math.min(this.#claimFrom, now.mono)
      } else this.#readAt = Math.min(this.#readAt, now.mono - TIMES.renewEvery + 250)
      // Who gets no answer cannot tell a dead owner from one that is cut off likewise: the waiting begins anew, so that the
      // owner can renew first when the queue is back.
      if (read.is === 'unanswered') this.#claimFrom = Infinity
      return
    }
    const { seq, lease } = read
    if (seq < this.#known.seq) return
    if (this.#leaseTry?.lease.id === lease.id || this.#hold.isOurs(lease.id)) {
      if (this.phase !== 'following') this.#leaseStored(lease.id, seq, now)
      return
    }
    if (this.phase === 'following') {
      if (seq === this.#known.seq && this.#claimFrom !== Infinity) return
      this.#known = { seq, lease }
      this.#claimFrom = now.mono + (lease.released ? 0 : lease.time)
      return
    }
    if (seq > this.#hold.seq && seq > (this.#leaseTry?.expected ?? 0)) {
      this.#lose(`${lease.name} has a later lease`)
      this.#known = { seq, lease }
      this.#claimFrom = now.mono + (lease.released ? 0 : lease.time)
    }
  }

  leaseHeard(released: boolean, now: Moment): void {
    if (this.phase === 'following' && released) this.#releaseHeard = now.mono
    else if (this.phase !== 'following' && now.mono - this.#readAt > 1_000 && !released) this.#readLeaseIfForeign(now)
  }

  /** Heard leases are mostly our own: look only now and then. */
  #readLeaseIfForeign(now: Moment): void {
    if (this.#hold.remaining(this.#clock.at(now)) < TIMES.lease / 2) this.#readLease(now)
  }

  // ---- the write channel: one write in flight

  #tryLease(lease: Lease, expected: number, now: Moment): void {
    this.#leaseTry = { lease, expected }
    this.#writing = 'lease'
    this.#hold.sending(lease, { mono: now.mono, ran: this.#clock.at(now) })
    this.#effects.push({ do: 'write-lease', lease, expected })
  }

  #write(now: Moment): void {
    if (this.#writing !== undefined || now.mono < this.#notBefore) return
    const sent = this.#leaseTry && this.#hold.firstSent(this.#leaseTry.lease.id)
    if (this.#leaseTry !== undefined && sent !== undefined) {
      // A try as old as this would give a lease that is nearly over: better a new one, which then may find it stored.
      const stale = this.phase !== 'claiming' && now.mono - sent.mono > TIMES.renewEvery * 2 && !this.#releaseSent
      if (!stale) {
        this.#tryLease(this.#leaseTry.lease, this.#leaseTry.expected, now)
        return
      }
    }
    if (this.phase === 'claiming') return
    const due =
      now.mono - this.#hold.from.mono >= TIMES.renewEvery ||
      this.#clock.at(now) - this.#hold.from.ran >= TIMES.lease / 2
    if (due || this.#leaseTry !== undefined || this.#wantRenewal) {
      if (!this.#releaseSent) this.#renew(now)
      return
    }
    if (this.phase === 'scanning' || this.#releaseSent) return
    if (this.#entry !== undefined) {
      this.#sendEntry(this.#entry, now)
      return
    }
    const entry = this.#outbox.take(now.mono)
    if (entry !== undefined) this.#sendEntry(entry, now)
  }

  #renew(now: Moment): void {
    this.#wantRenewal = false
    this.#tryLease(this.#leaseNow(now, false), this.#hold.seq, now)
  }

  #leaseNow(now: Moment, released: boolean): Lease {
    const { node, name, newId } = this.#options
    const holdings = this.#holdings
    const base = { id: newId(), node, name, time: TIMES.lease, released }
    if (holdings === undefined || !this.#scanned) {
      const { floor, floorTime, r, backlog } = this.#predecessor
      const suspects = this.#foldedSuspects(this.#firstSeq)
      return { ...base, floor, floorTime, r, backlog, suspects, mayBegin: { mail: 0, due: 0 } }
    }
    this.#readRate = Math.max(this.#readSinceRenewal, this.#readRate * 0.5)
    this.#readSinceRenewal = 0
    const previous = this.#hold.stored!.mayBegin
    const mayBegin: MayBegin = {
      mail: Math.max(previous.mail, holdings.window.next - 1 + Math.ceil(16 + 1.5 * this.#readRate)),
      due: Math.max(previous.due, Math.floor(now.wall) + 2 * TIMES.renewEvery),
    }
    const { floor, floorTime } = holdings.window
    const r = Math.max(this.#hold.stored!.r, holdings.r(this.#free()))
    return { ...base, floor, floorTime, r, mayBegin, suspects: holdings.suspects, backlog: this.backlog() }
  }

  /** Sequence of the first lease of this ownership. */
  #firstSeq = 0
  #scanThrough = 0
  /** The log has been read up to there: only from then on the holdings are true. */
  #scanned = false

  /** No entry of ours that is not known can lie below. */
  #free(): number {
    const free = this.#lastOwnSeq + 1
    return this.#entry !== undefined && this.#entry.unknownTries > 0 ? Math.min(free, this.#entry.mark) : free
  }

  leaseWritten(id: string, answer: PublishAnswer, now: Moment): void {
    const current = this.#leaseTry?.lease.id === id
    if (current && this.#writing === 'lease') this.#writing = undefined
    if (answer.is === 'stored') {
      if (this.phase !== 'following' && this.phase !== 'stopped') this.#leaseStored(id, answer.seq, now)
      return
    }
    if (!current) return
    if (answer.is === 'refused' && answer.why === 'wrong-last') this.#readLease(now)
    if (this.phase === 'claiming' && answer.is === 'refused' && answer.why === 'wrong-last') {
      // Somebody was faster, or an earlier try of ours is stored: reading tells. Until then it is not ours.
      this.#notBefore = now.mono + TIMES.renewEvery
      this.#claimRefused(now)
      return
    }
    this.#notBefore = now.mono + (answer.is === 'refused' ? TIMES.retryWrite : 0)
  }

  #claimRefused(now: Moment): void {
    const sent = this.#hold.firstSent(this.#leaseTry!.lease.id)
    if (sent !== undefined && now.mono - sent.mono < TIMES.lease / 2) return
    this.#toFollowing('the claim was refused')
  }

  #leaseStored(id: string, seq: number, now: Moment): void {
    if (!this.#hold.storedAs(id, seq)) return
    this.#lastOwnSeq = Math.max(this.#lastOwnSeq, seq)
    if (this.#leaseTry?.lease.id === id || (this.#leaseTry !== undefined && this.#leaseTry.expected < seq)) {
      this.#leaseTry = undefined
      if (this.#writing === 'lease') this.#writing = undefined
      this.#notBefore = -Infinity
    }
    const stored = this.#hold.stored!
    if (stored.released) {
      this.#known = { seq, lease: stored }
      this.#forget()
      this.#enter(this.#stopping ? 'stopped' : 'following', 'released')
      // Others are preferred; if nobody takes it, it is ours again after a while.
      this.#claimFrom = now.mono + UNRANKED_MS
      return
    }
    if (this.phase === 'claiming') {
      this.#firstSeq = seq
      this.#enter('scanning', `lease ${seq}`)
      this.#scan()
      return
    }
    this.#giveHeld(now)
  }

  // ---- takeover

  #scan(): void {
    const lease = this.#predecessor
    this.#holdings = new Holdings(lease, this.#foldedSuspects(this.#firstSeq), this.#rules)
    const sinceMs = Math.max(0, lease.floorTime - this.#times.repeatWindow)
    this.#scanThrough = this.#rules.readToOwnLease ? this.#firstSeq : this.#known.seq
    this.#effects.push({ do: 'scan-log', through: this.#scanThrough, from: lease.r, sinceMs })
  }

  logEntry(seq: number, storedAt: number, header: EntryHeader, size: number): void {
    if (this.phase === 'scanning' && seq <= this.#scanThrough) this.#holdings!.scanned(seq, storedAt, header, size)
  }

  logScanned(through: number, done: boolean, storedAt: number, now: Moment): void {
    if (this.phase !== 'scanning' || through !== this.#scanThrough) return
    if (!done) {
      this.#scan()
      return
    }
    const holdings = this.#holdings!
    holdings.scanEnds()
    this.#scanned = true
    holdings.serverTime(storedAt, now)
    this.#wantRenewal = true
    this.#enter('owning', `floor ${holdings.window.floor}, ${holdings.laters.size} later`)
  }

  // ---- owning

  #work(now: Moment, hasRoom: (destination: string) => boolean): void {
    const entry = this.#entry
    if (
      entry?.firstSent !== undefined &&
      entry.unknownTries > 0 &&
      now.mono - entry.firstSent > this.#times.unknownFate
    ) {
      this.#lose('nobody knows the fate of an entry')
      return
    }
    this.#write(now)
    if (this.#releaseSent || !this.#scanned) return
    this.#giveInPlace(now)
    if (this.phase === 'owning') {
      this.#readMail(now)
      this.#readLaters(now, hasRoom)
      this.#copyHalfRun(now)
    }
    this.#remove(now)
  }

  #readMail(now: Moment): void {
    const holdings = this.#holdings!
    if (this.#readingMail || this.#inPlace.length > 0 || holdings.openBytes >= this.#openLimit) return
    if (this.#held.length > 0) return
    const { next } = holdings.window
    if (now.mono < this.#pollAt) return
    this.#readingMail = true
    this.#pollAt = now.mono + TIMES.pollMail
    this.#effects.push({ do: 'read-mail', from: next, maxBytes: Math.min(READ_BYTES, this.#openLimit) })
  }

  nudge(seq: number, now: Moment): void {
    if (seq <= this.#mailHint) return
    this.#mailHint = seq
    this.#pollAt = Math.min(this.#pollAt, now.mono)
    if (this.phase === 'owning') this.#readMail(now)
  }

  mailRead(from: number, batches: readonly ReadBatch[] | undefined, now: Moment): void {
    this.#readingMail = false
    const holdings = this.#holdings
    if ((this.phase !== 'owning' && this.phase !== 'releasing') || from !== holdings?.window.next) return
    if (batches === undefined) {
      this.#pollAt = now.mono + 250
      return
    }
    if (batches.length === 0) {
      // A hint says there is more than this replica has: ask again soon, and give up the hint if it never shows.
      this.#pollAt = now.mono + (this.#mailHint >= from ? 5 : TIMES.pollMail)
      if (this.#mailEmptySince === Infinity) this.#mailEmptySince = now.mono
      const empty = now.mono - this.#mailEmptySince
      if (empty > 1_000) this.#mailHint = from - 1
      // A replica so far behind does not answer reads: what comes now was stored in this span.
      const { replicaLag } = this.#times
      if (empty > replicaLag) holdings.window.nothingBefore(holdings.serverNow(now) - replicaLag)
      return
    }
    this.#mailEmptySince = Infinity
    this.#readSinceRenewal += batches.length
    for (const read of batches) {
      if (read.seq < holdings.window.next) continue
      const batch = holdings.mail(read, now)
      this.#ours.add(batch)
      if (this.phase === 'owning') this.#giveOrHold(batch, now)
    }
    this.#pollAt = now.mono
    if (this.phase === 'owning') this.#readMail(now)
  }

  #readLaters(now: Moment, hasRoom: (destination: string) => boolean): void {
    const { laters, openBytes } = this.#holdings!
    if (laters.nextDue() > now.wall || openBytes >= this.#openLimit) return
    const until = this.#rules.mayBegin ? this.#hold.stored!.mayBegin.due : Infinity
    while (this.#latersReading < LATERS_READ_AT_ONCE) {
      const entry = laters.takeDue(now.wall, until, hasRoom)
      if (entry === undefined) return
      this.#latersReading++
      this.#effects.push({ do: 'read-later', seq: entry.seq })
    }
  }

  laterRead(seq: number, read: ReadBatch | 'none' | undefined, now: Moment): void {
    const entry = this.#holdings?.laters.get(seq)
    if (entry === undefined || !entry.reading || entry.batch !== undefined) return
    this.#latersReading--
    if (read === 'none' || read === undefined) {
      this.#holdings!.laters.putBack(entry, now.wall + (read === 'none' ? 10_000 : 500))
      return
    }
    const batch = this.#holdings!.later(entry, read, now)
    this.#ours.add(batch)
    this.#giveAll(batch)
  }

  #giveOrHold(batch: OpenBatch, now: Moment): void {
    if (batch.open === 0) return
    if (this.#rules.mayBegin && batch.seq > this.#hold.stored!.mayBegin.mail) {
      this.#held.push(batch)
      this.#wantRenewal = true
      this.#write(now)
    } else this.#giveAll(batch)
  }

  #giveHeld(now: Moment): void {
    const held = this.#held
    if (held.length === 0) return
    this.#held = []
    for (const batch of held) this.#giveOrHold(batch, now)
    if (this.phase === 'owning') this.#readMail(now)
  }

  #giveAll(batch: OpenBatch): void {
    for (let record = 0; record < batch.records.length; record++) {
      const positions = batch.positions(record, TASK.waiting)
      if (positions.length > 0) this.#give(batch, record, positions)
    }
  }

  #give(batch: OpenBatch, record: number, positions: readonly number[]): void {
    for (const position of positions) batch.set(record, position, TASK.given)
    const suspect = this.#holdings!.isSuspect(batch, record)
    this.#effects.push({ do: 'give', batch, record, positions, suspect })
  }

  #giveInPlace(now: Moment): void {
    if (this.#inPlace.length === 0) return
    const due = this.#inPlace.filter(({ at }) => at <= now.wall)
    if (due.length === 0) return
    this.#inPlace = this.#inPlace.filter(({ at }) => at > now.wall)
    for (const { batch, record, positions } of due) {
      const waiting = positions.filter((position) => batch.state(record, position) === TASK.waiting)
      if (waiting.length > 0) this.#give(batch, record, waiting)
    }
  }

  begin(batch: OpenBatch, record: number, positions: readonly number[], _now: Moment): boolean {
    if (!this.#ours.has(batch) || this.phase !== 'owning') {
      if (this.#ours.has(batch)) for (const position of positions) this.#toWaiting(batch, record, position)
      return false
    }
    for (const position of positions) {
      const state = batch.state(record, position)
      if (state !== TASK.given && state !== TASK.begun) return false
    }
    for (const position of positions) {
      if (batch.state(record, position) === TASK.given) this.#begun++
      batch.set(record, position, TASK.begun)
    }
    if (this.#rules.suspects && this.#holdings!.isSuspect(batch, record)) {
      const first = this.#holdings!.firstRun(batch, record, positions)
      const { id } = batch.records[record]!.envelope
      if (first.length > 0) this.#effects.push({ do: 'possible-duplicate', id, positions: first })
    }
    return true
  }

  #toWaiting(batch: OpenBatch, record: number, position: number): void {
    const state = batch.state(record, position)
    if (state === TASK.begun) this.#begun--
    if (state === TASK.begun || state === TASK.given) batch.set(record, position, TASK.waiting)
  }

  /** Is this batch of the present ownership? */
  holds(batch: OpenBatch): boolean {
    return this.#ours.has(batch)
  }

  mayFinish(now: Moment): boolean {
    if (!this.#rules.fencedDot) return true
    if ((this.phase !== 'owning' && this.phase !== 'releasing') || this.#releaseSent) return false
    if (this.#hold.remaining(this.#clock.at(now)) <= (this.#rules.margin ? TIMES.margin : 0)) return false
    if (!this.#rules.outcomeCap) return true
    const oldest = Math.min(this.#outbox.oldestDelivered, this.#entry?.oldestDelivered ?? Infinity)
    return this.#clock.at(now) - oldest <= TIMES.outcomeCap
  }

  close(batch: OpenBatch, record: number, given: readonly number[], outcome: Outcome, now: Moment): void {
    const positions = this.#ours.has(batch) ? given.filter((p) => isRunning(batch.state(record, p))) : given
    if (positions.length === 0) return
    const pending = this.#pendingOf(batch, record, positions, outcome, now)
    if (!this.#ours.has(batch) || this.#releaseSent) {
      this.#tooLate([pending])
      return
    }
    let unrun = false
    const suspect = this.#holdings!.isSuspect(batch, record)
    for (const position of positions) {
      if (batch.state(record, position) === TASK.begun) this.#begun--
      if (suspect && !this.#holdings!.wasRun(batch, record, position)) unrun = true
      batch.set(record, position, TASK.pending)
    }
    switch (outcome.how) {
      case 'deferred':
      case 'parked': {
        const next = successorOf(batch, record, positions, outcome, unrun)
        this.#outbox.successor(pending, outcome.how, outcome.destination, Math.ceil(outcome.due), headOf(next), next)
        break
      }
      case 'bounced':
      case 'expired': {
        const { bounce } = outcome
        if (bounce === undefined) {
          this.#outbox.final(pending)
          break
        }
        const { envelope } = batch.records[record]!
        const next = bounceOf(bounce.record, originOf(batch, envelope), batchIdOf(batch, envelope))
        this.#outbox.successor(pending, 'deferred', bounce.destination, Math.ceil(now.wall), headOf(next), next)
        break
      }
      default:
        this.#outbox.final(pending)
    }
    this.#write(now)
  }

  #pendingOf(batch: OpenBatch, record: number, positions: readonly number[], outcome: Outcome, now: Moment): Pending {
    const { envelope } = batch.records[record]!
    const { recipients, body, report } = envelope
    const attempted = outcome.how !== 'parked'
    const closing: Closing = {
      stream: batch.stream,
      seq: batch.seq,
      record,
      positions,
      id: envelope.id,
      indexes: positions.map((position) => recipients[position]!.index),
      origin: originOf(batch, envelope),
      batch: batchIdOf(batch, envelope),
      how: outcome.how,
      attempt: envelope.attempts.count + (attempted ? 1 : 0),
      facts: outcome.how === 'parked' ? {} : outcome.facts,
      ...(body === undefined ? {} : { body: body.id }),
      ...(report === undefined ? {} : { report }),
    }
    return { batch, record, closing, at: now.mono, ran: this.#clock.at(now) }
  }

  // ---- entries

  #sendEntry(entry: PendingEntry, now: Moment): void {
    this.#entry = entry
    if (entry.firstSent === undefined) {
      entry.firstSent = now.mono
      entry.mark = this.#lastOwnSeq + 1
    }
    this.#writing = 'entry'
    this.#effects.push({
      do: 'write-entry',
      id: entry.id,
      kind: entry.kind,
      header: this.#headerOf(entry),
      records: entry.records,
    })
  }

  #headerOf({ pendings, later }: Pick<PendingEntry, 'pendings' | 'later'>): EntryHeader {
    const closes = pendings.map(({ closing }) => closing)
    return { node: this.#options.node, lease: this.#hold.seq, closes, ...(later === undefined ? {} : { later }) }
  }

  entryWritten(id: string, answer: PublishAnswer, now: Moment): void {
    const entry = this.#entry
    if (entry === undefined || entry.id !== id) return
    if (this.#writing === 'entry') this.#writing = undefined
    if (answer.is === 'stored') {
      this.#entry = undefined
      this.#lastOwnSeq = Math.max(this.#lastOwnSeq, answer.seq)
      this.#holdings!.stored(entry, answer.seq, now)
      this.#write(now)
      return
    }
    if (answer.is === 'unanswered' || answer.why === 'in-flight') {
      entry.unknownTries++
      return
    }
    if (answer.why === 'full' && entry.kind === 'later' && entry.unknownTries === 0) {
      this.#runOnInPlace(entry)
      return
    }
    if (answer.why === 'wrong-last') this.#readLease(now)
    this.#notBefore = now.mono + TIMES.retryWrite
  }

  /** Every try was refused for want of room: its tasks run on from where they lie (bounces are made anew then). */
  #runOnInPlace(entry: PendingEntry): void {
    this.#entry = undefined
    for (const { batch, record, closing } of entry.pendings) {
      for (const position of closing.positions) batch.set(record, position, TASK.waiting)
      this.#inPlace.push({ at: entry.later!.due + 1_000, batch, record, positions: closing.positions })
    }
  }

  // ---- half-run batches, removal

  #copyHalfRun(now: Moment): void {
    if (now.mono < this.#halfRunAt) return
    this.#halfRunAt = now.mono + this.#times.halfRun / 60
    const { window, laters } = this.#holdings!
    this.#holdings!.seen.forget(window.floorTime - this.#times.repeatWindow - this.#times.repeatSlack)
    for (const batch of window.open) this.#copyRest(batch, '', now)
    for (const { batch, destination } of laters.all()) if (batch !== undefined) this.#copyRest(batch, destination, now)
  }

  #copyRest(batch: OpenBatch, destination: string, now: Moment): void {
    if (batch.lowestCloser === 0 || now.mono - batch.firstClosed < this.#times.halfRun) return
    for (let record = 0; record < batch.records.length; record++) {
      const positions = [...batch.positions(record, TASK.given), ...batch.positions(record, TASK.waiting)]
      if (positions.length > 0) {
        this.close(batch, record, positions, { how: 'parked', due: Math.floor(now.wall), destination }, now)
      }
    }
  }

  #somethingToRemove({ window, laters, bodies }: Holdings): boolean {
    return window.floor > window.purged || laters.closedCount > 0 || bodies.size > 0
  }

  #remove(now: Moment): void {
    if (this.#hold.remaining(this.#clock.at(now)) <= (this.#rules.margin ? TIMES.margin : 0)) return
    if (now.mono < this.#purgeAt) return
    this.#purgeAt = now.mono + TIMES.purgeEvery
    const { window, laters, bodies } = this.#holdings!
    // Up to the stored floor only, so that a successor finds MAIL without a gap from the floor it reads.
    const floor = Math.min(window.floor, this.#hold.stored!.floor)
    if (floor > window.purged && this.#purging === 0) {
      this.#purging = floor
      this.#effects.push({ do: 'purge-mail', before: floor })
    }
    const below = this.#rules.deleteBelowR ? this.#hold.stored!.r : Infinity
    for (const entry of laters.closed) {
      if (this.#deleting.size >= DELETES_AT_ONCE) break
      if (entry.seq >= below || this.#deleting.has(entry.seq)) continue
      this.#deleting.add(entry.seq)
      this.#effects.push({ do: 'delete-later', seq: entry.seq })
    }
    if (now.mono >= this.#trimAt) this.#trim(now)
    for (const body of bodies.takeUnneeded(window.floor)) this.#effects.push({ do: 'purge-body', body })
  }

  /** The rest of the log serves its readers; it goes when it is old, below R, and no repeat can need its ids. */
  #trim(now: Moment): void {
    if (this.#trimAt === -Infinity) {
      this.#trimAt = now.mono + this.#times.trimEvery
      return
    }
    this.#trimAt = now.mono + this.#times.trimEvery
    const { window } = this.#holdings!
    const server = this.#holdings!.serverNow(now)
    const olderThan = Math.min(server - this.#times.keepLog, window.floorTime - 2 * this.#times.repeatWindow)
    if (olderThan > 0) this.#effects.push({ do: 'trim-log', before: this.#hold.stored!.r, olderThan })
  }

  mailPurged(before: number, done: boolean): void {
    if (this.#purging !== before) return
    this.#purging = 0
    if (done) this.#holdings?.window.purgedBelow(before)
  }

  laterDeleted(seq: number, done: boolean): void {
    if (!this.#deleting.delete(seq)) return
    if (done) this.#holdings?.laters.deleted(seq)
    // Many closed entries go in a row, not one handful a second.
    if (this.#deleting.size === 0 && done) this.#purgeAt = -Infinity
  }

  bodyPurged(body: string, done: boolean): void {
    this.#holdings?.bodies.purged(body, done)
  }

  // ---- release, stop, loss

  stop(now: Moment): void {
    this.#stopping = true
    if (this.phase === 'owning') this.#beginRelease(now, 'stopping')
    else if (this.phase === 'following') this.#enter('stopped', 'nothing is ours')
  }

  abandon(_now: Moment): void {
    if (this.phase === 'owning' || this.phase === 'releasing') this.#lose('stopped without waiting any longer')
    this.#stopping = true
    this.#enter('stopped', 'not released')
  }

  #beginRelease(now: Moment, why: string): void {
    this.#releaseSince = now.mono
    this.#enter('releasing', why)
  }

  #considerRelease(now: Moment, rank: number | undefined): void {
    if (rank === 0) {
      this.#unrankedSince = Infinity
      return
    }
    this.#unrankedSince = Math.min(this.#unrankedSince, now.mono)
    if (now.mono - this.#unrankedSince < UNRANKED_MS || now.mono < this.#noReleaseBefore) return
    this.#unrankedSince = Infinity
    this.#beginRelease(now, rank === undefined ? 'abstaining' : 'another node is preferred')
  }

  /** What is in flight takes too long: own on, rather than let the partition stand still. */
  #considerOwning(now: Moment): void {
    if (this.#stopping || this.#releaseSent || now.mono - this.#releaseSince < RELEASE_CAP_MS) return
    this.#noReleaseBefore = now.mono + 2 * RELEASE_CAP_MS
    this.#enter('owning', 'what is in flight takes long')
    for (const batch of this.#holdings!.window.open) this.#giveWaiting(batch)
    for (const { batch } of this.#holdings!.laters.all()) if (batch !== undefined) this.#giveWaiting(batch)
  }

  #giveWaiting(batch: OpenBatch): void {
    if (this.#held.includes(batch)) return
    for (let record = 0; record < batch.records.length; record++) {
      const positions = batch
        .positions(record, TASK.waiting)
        .filter((p) => !this.#inPlace.some((t) => t.batch === batch && t.record === record && t.positions.includes(p)))
      if (positions.length > 0) this.#give(batch, record, positions)
    }
  }

  #release(now: Moment): void {
    if (this.#releaseSent || this.#begun > 0 || this.#entry !== undefined || !this.#outbox.isEmpty) return
    if (this.#writing !== undefined || this.#leaseTry !== undefined || now.mono < this.#notBefore) return
    const lease = this.#leaseNow(now, true)
    this.#releaseSent = true
    this.#effects.push({ do: 'revoke' })
    this.#tryLease(lease, this.#hold.seq, now)
  }

  /** Another owns it, or nobody can tell: nothing of it may reach its dot from here on. */
  #lose(why: string): void {
    const late = [...(this.#entry?.pendings ?? []), ...this.#outbox.drain()]
    this.#effects.push({ do: 'revoke' })
    this.#tooLate(late)
    this.#toFollowing(why)
  }

  #tooLate(pendings: readonly Pending[]): void {
    for (const { closing } of pendings) {
      if (closing.how === 'parked') continue
      this.#effects.push({
        do: 'write-late',
        header: { node: this.#options.node, lease: this.#hold.seq, closes: [closing] },
      })
      this.#effects.push({ do: 'too-late', closing })
    }
  }

  #toFollowing(why: string): void {
    this.#forget()
    this.#enter('following', why)
    this.#readSoon = true
    this.#claimFrom = Infinity
  }

  #forget(): void {
    this.#holdings = undefined
    this.#outbox = new Outbox(this.#options.newId)
    this.#entry = undefined
    this.#ours = new WeakSet()
    this.#hold.clear()
    this.#leaseTry = undefined
    this.#writing = undefined
    this.#notBefore = -Infinity
    this.#begun = 0
    this.#lastOwnSeq = 0
    this.#firstSeq = 0
    this.#scanned = false
    this.#readingMail = false
    this.#mailHint = 0
    this.#mailEmptySince = Infinity
    this.#pollAt = -Infinity
    this.#latersReading = 0
    this.#deleting = new Set()
    this.#purging = 0
    this.#held = []
    this.#inPlace = []
    this.#wantRenewal = false
    this.#unrankedSince = Infinity
    this.#releaseSince = Infinity
    this.#releaseSent = false
  }

  #enter(phase: Phase, why: string): void {
    this.phase = phase
    this.#effects.push({ do: 'phase', phase, why })
  }

  // ---- facts for others

  age(storedAt: number, now: Moment): number {
    const server = this.#holdings?.serverNow(now) ?? 0
    return Math.max(0, server - storedAt)
  }

  /** Server time at which the message of this record was first stored, ms. */
  storedAt(batch: OpenBatch, record: number): number {
    return storedAtOf(batch, batch.records[record]!.envelope)
  }

  destination(batch: OpenBatch): string | undefined {
    return this.#holdings?.destination(batch)
  }

  backlog(): { ready: number; later: number; bytes: number } {
    const holdings = this.#holdings
    if (holdings === undefined) return this.#predecessor.backlog
    const unread = Math.max(0, this.#mailHint - holdings.window.next + 1)
    return { ready: holdings.openTasks + unread, later: holdings.laters.recipients, bytes: holdings.openBytes }
  }
}
