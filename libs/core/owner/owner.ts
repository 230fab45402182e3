/**
 * The owner of one partition, as a pure state machine (design section 2, "Single owner, by a fenced lease"): it follows
 * the lease, claims it, reads what its predecessor left, gives out tasks, stores their outcomes and removes what is
 * closed. Time, chance and answers are arguments; what it wants done is a list of effects.
 *
 *   following -> claiming -> scanning -> owning -> releasing -> following (or stopped)
 *   any -> following when another's lease is read
 */
import type { PublishAnswer } from '../answer.ts'
import type { EntryHeader, Told } from '../entry.ts'
import type { Lease, LeaseRead, Suspects } from '../lease.ts'
import type { Outcome } from '../outcome.ts'
import type { OwnerApi, OwnerOptions } from './api.ts'
import { Candidate } from './candidate.ts'
import { closingOf, post } from './closing.ts'
import type { ListedBody, Moment, OwnerEffect, Phase, ReadBatch } from './effect.ts'
import { parkHalfRun } from './half-run.ts'
import { figuresOf, type Figures } from './figures.ts'
import { Holdings } from './holdings.ts'
import { Intake } from './intake.ts'
import { LeaseHold } from './lease-hold.ts'
import { foldedSuspects, NO_LEASE, ownersLease, takeoverLease, type LeaseSigner } from './lease-record.ts'
import type { OpenBatch } from './open-batch.ts'
import type { Pending } from './outbox.ts'
import { RanClock } from './ran-clock.ts'
import { ReadRate } from './read-rate.ts'
import { Release } from './release.ts'
import { Removal } from './removal.ts'
import { ALL_RULES, TIMES, type Rules, type Times } from './rules.ts'
import { storedAtOf } from './successor.ts'
import { Tasks } from './tasks.ts'
import { WriteChannel } from './write-channel.ts'

const OPEN_BYTES = 32 * 1024 * 1024
/** Recipients that one closing names. */
const MOST_POSITIONS = 1000
/** A heard lease makes the owner look for another's so often at most. */
const DOUBT_EVERY_MS = 1_000

/** So much closed mail is not left lying until the next regular renewal lets it be purged. */
const RENEW_BYTES = 16 * 1024 * 1024

export class Owner implements OwnerApi {
  phase: Phase = 'following'
  readonly #options: OwnerOptions
  readonly #rules: Rules
  readonly #times: Times
  #effects: OwnerEffect[] = []
  readonly #emit = (effect: OwnerEffect): void => {
    this.#effects.push(effect)
  }
  #stopping = false

  // of the process, whoever owns the partition
  readonly #clock = new RanClock()
  readonly #candidate: Candidate
  readonly #hold: LeaseHold
  readonly #rate = new ReadRate()
  readonly #removal: Removal
  readonly #release = new Release()
  #predecessor: Lease = NO_LEASE
  #tidyAt = -Infinity

  // of one claim and ownership, made anew by #forget()
  #channel!: WriteChannel
  #intake!: Intake
  #holdings: Holdings | undefined
  #tasks: Tasks | undefined
  /** Sequence of its first lease. */
  #firstSeq = 0
  #scanThrough = 0
  /** The log has been read up to there: only from then on the holdings are true. */
  #scanned = false

  constructor(options: OwnerOptions) {
    this.#options = options
    this.#rules = { ...ALL_RULES, ...options.rules }
    this.#times = { ...TIMES, ...options.memory }
    this.#candidate = new Candidate(this.#emit)
    this.#hold = new LeaseHold(this.#rules)
    this.#removal = new Removal({
      rules: this.#rules,
      times: this.#times,
      hold: this.#hold,
      clock: this.#clock,
      newId: options.newId,
      chance: options.chance,
      emit: this.#emit,
    })
    this.#forget()
  }

  #forget(): void {
    this.#hold.clear()
    this.#removal.forget()
    this.#release.forget()
    this.#channel = new WriteChannel({
      node: this.#options.node,
      name: this.#options.name,
      newId: this.#options.newId,
      hold: this.#hold,
      clock: this.#clock,
      candidate: this.#candidate,
      renewal: (now) => this.#leaseNow(now, false),
      emit: this.#emit,
      notTold: (told) => this.#notTold(told),
    })
    this.#intake = new Intake({
      rules: this.#rules,
      times: this.#times,
      hold: this.#hold,
      rate: this.#rate,
      openLimit: this.#options.openBytes ?? OPEN_BYTES,
      emit: this.#emit,
      give: (batch) => this.#tasks!.giveAll(batch),
      renew: (now) => {
        this.#channel.renewSoon()
        this.#write(now)
      },
    })
    this.#holdings = undefined
    this.#tasks = undefined
    this.#firstSeq = 0
    this.#scanned = false
  }

  takeEffects(): OwnerEffect[] {
    const effects = this.#effects
    if (effects.length > 0) this.#effects = []
    return effects
  }

  #enter(phase: Phase, why: string): void {
    this.phase = phase
    this.#emit({ do: 'phase', phase, why })
  }

  // ---- time passes

  wake(now: Moment, rank: number | undefined, hasRoom: (destination: string) => boolean): void {
    this.#clock.at(now)
    switch (this.phase) {
      case 'stopped':
        return
      case 'following':
        if (this.#stopping) this.#enter('stopped', 'nothing is ours')
        else if (this.#candidate.follow(now, rank)) this.#claim(now)
        return
      case 'claiming':
        this.#write(now)
        return
      case 'scanning':
        if (this.#stopping) this.#enter('releasing', 'stopping')
        this.#write(now)
        return
      case 'owning': {
        const why = this.#release.reason(rank, now)
        if (why !== undefined) this.#beginRelease(now, why)
        this.#work(now, hasRoom)
        return
      }
      case 'releasing':
        if (!this.#stopping && !this.#channel.releaseSent && this.#release.callOff(now)) this.#ownOn()
        this.#work(now, hasRoom)
        this.#releaseWhenDone(now)
    }
  }

  nextWake(now: Moment): number {
    switch (this.phase) {
      case 'stopped':
        return Infinity
      case 'following':
        return this.#stopping ? now.mono : this.#candidate.nextAt()
      case 'claiming':
      case 'scanning':
        return this.#channel.nextAt(now)
      case 'owning':
      case 'releasing':
        return Math.min(this.#channel.nextAt(now), this.#nextWork(now))
    }
  }

  #nextWork(now: Moment): number {
    const holdings = this.#holdings
    if (holdings === undefined || this.#channel.releaseSent) return Infinity
    const inPlace = now.mono + Math.max(0, this.#tasks!.nextInPlace() - now.wall)
    const next = Math.min(this.#tidyAt, this.#removal.nextAt(holdings), inPlace)
    return this.phase === 'owning' ? Math.min(next, this.#intake.nextAt(holdings, now)) : next
  }

  // ---- claiming

  #claim(now: Moment): void {
    const { seq, lease } = this.#candidate.known
    this.#candidate.claims()
    this.#predecessor = lease
    this.#hold.clear()
    this.#enter(
      'claiming',
      seq === 0 ? 'nobody owned it' : lease.released ? 'it was released' : `${lease.name} went silent`,
    )
    // Our sequence is known only when this is stored, so that the next lease says which entries are suspect as well.
    this.#channel.sendLease(takeoverLease(this.#signer(), lease, this.#suspects(0), false), seq, now)
  }

  #signer(): LeaseSigner {
    const { node, name, newId } = this.#options
    return { id: newId(), node, name }
  }

  #suspects(firstSeq: number): Suspects {
    return foldedSuspects(this.#predecessor, firstSeq, this.#rules)
  }

  #leaseNow(now: Moment, released: boolean): Lease {
    const holdings = this.#holdings
    if (holdings === undefined || !this.#scanned) {
      return takeoverLease(this.#signer(), this.#predecessor, this.#suspects(this.#firstSeq), released)
    }
    const facts = {
      free: this.#channel.free,
      rate: this.#rate.renewal(),
      backlog: this.backlog(),
      trimmed: this.#removal.trimmed,
      released,
    }
    return ownersLease(this.#signer(), this.#hold.stored!, holdings, facts, now)
  }

  leaseRead(read: LeaseRead, now: Moment): void {
    const candidate = this.#candidate
    const following = this.phase === 'following'
    candidate.answered()
    if (read.is !== 'lease') {
      candidate.notRead(read.is, following, now)
      return
    }
    const { seq, lease } = read
    if (seq < candidate.known.seq) return
    const { leaseTry } = this.#channel
    if (leaseTry?.lease.id === lease.id || this.#hold.isOurs(lease.id)) {
      if (!following) this.#leaseStored(lease.id, seq, now)
    } else if (following) {
      candidate.sees(seq, lease, now)
    } else if (seq > this.#hold.seq && seq > (leaseTry?.expected ?? 0)) {
      this.#lose(`${lease.name} has a later lease`)
      candidate.sees(seq, lease, now)
    }
  }

  leaseHeard(released: boolean, now: Moment): void {
    if (this.phase === 'following') {
      if (released) this.#candidate.hearsRelease(now)
      return
    }
    if (released || now.mono - this.#candidate.readAt <= DOUBT_EVERY_MS) return
    // Heard leases are mostly our own: look only when ours has not been renewed for long.
    if (this.#hold.remaining(this.#clock.at(now)) < TIMES.lease / 2) this.#candidate.read(now)
  }

  leaseWritten(id: string, answer: PublishAnswer, now: Moment): void {
    const current = this.#channel.leaseAnswered(id)
    if (answer.is === 'stored') {
      if (this.phase !== 'following' && this.phase !== 'stopped') this.#leaseStored(id, answer.seq, now)
      return
    }
    if (!current) return
    const wrongLast = answer.is === 'refused' && answer.why === 'wrong-last'
    if (wrongLast) this.#candidate.read(now)
    if (wrongLast && this.phase === 'claiming') {
      // Somebody was faster, or an earlier try of ours is stored: reading tells. Until then it is not ours.
      this.#channel.pause(TIMES.renewEvery, now)
      const sent = this.#hold.firstSent(id)
      if (sent === undefined || now.mono - sent.mono >= TIMES.lease / 2) this.#follow('the claim was refused')
    } else this.#channel.pause(answer.is === 'refused' ? TIMES.retryWrite : 0, now)
  }

  #leaseStored(id: string, seq: number, now: Moment): void {
    if (!this.#hold.storedAs(id, seq)) return
    this.#channel.leaseStored(id, seq)
    const stored = this.#hold.stored!
    if (stored.released) {
      this.#candidate.released(seq, stored, now)
      this.#forget()
      this.#enter(this.#stopping ? 'stopped' : 'following', 'released')
    } else if (this.phase === 'claiming') {
      this.#firstSeq = seq
      this.#enter('scanning', `lease ${seq}`)
      this.#scan()
    } else if (this.#intake.giveHeld(now) && this.phase === 'owning') this.#readMail(now)
  }

  // ---- takeover

  #scan(): void {
    const lease = this.#predecessor
    const holdings = new Holdings(lease, this.#suspects(this.#firstSeq), this.#rules)
    this.#holdings = holdings
    this.#tasks = new Tasks(holdings, this.#rules, this.#emit)
    const sinceMs = Math.max(0, lease.floorTime - this.#times.repeatWindow)
    this.#scanThrough = this.#rules.readToOwnLease ? this.#firstSeq : this.#candidate.known.seq
    this.#emit({ do: 'scan-log', through: this.#scanThrough, from: lease.r, sinceMs })
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
    const left = holdings.untold.scanEnds()
    if (this.#rules.tellsBeforeDelete) this.#tell(left)
    this.#scanned = true
    holdings.serverTime(storedAt, now)
    this.#channel.renewSoon()
    this.#enter('owning', `floor ${holdings.window.floor}, ${holdings.laters.size} later`)
    // Told so while it read.
    if (this.#stopping) this.#beginRelease(now, 'stopping')
  }

  // ---- owning

  #work(now: Moment, hasRoom: (destination: string) => boolean): void {
    if (this.#channel.isLost(now, this.#times.unknownFate)) {
      this.#lose('nobody knows the fate of an entry')
      return
    }
    this.#write(now)
    if (this.#channel.releaseSent || !this.#scanned) return
    const holdings = this.#holdings!
    this.#tasks!.giveInPlace(now)
    if (this.phase === 'owning') {
      this.#readMail(now)
      this.#intake.readLaters(holdings, now, hasRoom)
      this.#tidy(holdings, now)
    }
    this.#removal.remove(holdings, now)
  }

  #write(now: Moment): void {
    this.#channel.write(now, this.phase)
  }

  #readMail(now: Moment): void {
    if (!this.#tasks!.runsInPlace) this.#intake.readMail(this.#holdings!, now)
  }

  nudge(seq: number, now: Moment): void {
    if (this.#intake.hear(seq, now) && this.phase === 'owning') this.#readMail(now)
  }

  mailRead(from: number, batches: readonly ReadBatch[] | undefined, now: Moment): void {
    const owning = this.phase === 'owning'
    if (!owning && this.phase !== 'releasing') return
    if (this.#intake.mailRead(this.#holdings!, from, batches, owning, now) && owning) this.#readMail(now)
  }

  laterRead(seq: number, read: ReadBatch | 'none' | undefined, now: Moment): void {
    if (this.#holdings !== undefined) this.#intake.laterRead(this.#holdings, seq, read, now)
  }

  #tidy(holdings: Holdings, now: Moment): void {
    if (now.mono < this.#tidyAt) return
    const { halfRun, repeatWindow, repeatSlack } = this.#times
    this.#tidyAt = now.mono + halfRun / 60
    holdings.seen.forget(holdings.window.floorTime - repeatWindow - repeatSlack)
    const due = Math.floor(now.wall)
    parkHalfRun(holdings, now.mono - halfRun, (batch, record, positions, destination) =>
      this.close(batch, record, positions, { how: 'parked', due, destination }, now),
    )
  }

  // ---- tasks

  /** Is this batch of the present ownership? */
  holds(batch: OpenBatch): boolean {
    return this.#holdings !== undefined && this.#holdings.has(batch)
  }

  begin(batch: OpenBatch, record: number, positions: readonly number[], _now: Moment): boolean {
    if (!this.holds(batch)) return false
    if (this.phase === 'owning') return this.#tasks!.begin(batch, record, positions)
    this.#tasks!.putBack(batch, record, positions)
    return false
  }

  mayFinish(now: Moment): boolean {
    if (!this.#rules.fencedDot) return true
    if ((this.phase !== 'owning' && this.phase !== 'releasing') || this.#channel.releaseSent) return false
    const ran = this.#clock.at(now)
    if (!this.#hold.hasMargin(ran)) return false
    return !this.#rules.outcomeCap || ran - this.#channel.oldestDelivered <= TIMES.outcomeCap
  }

  close(batch: OpenBatch, record: number, given: readonly number[], outcome: Outcome, now: Moment): void {
    // What names very many would not fit an entry. A report stands for all of its recipients, and goes whole.
    const isReport = (outcome.how === 'bounced' || outcome.how === 'expired') && outcome.bounce !== undefined
    const most = isReport ? Infinity : MOST_POSITIONS
    for (let from = 0; from < given.length; from += most)
      this.#close(batch, record, given.slice(from, from + most), outcome, now)
  }

  #close(batch: OpenBatch, record: number, given: readonly number[], outcome: Outcome, now: Moment): void {
    const ours = this.holds(batch)
    const positions = ours ? this.#tasks!.closable(batch, record, given) : given
    if (positions.length === 0) return
    const mayBeTwice = ours && this.#holdings!.isSuspect(batch, record)
    const closing = closingOf(batch, record, positions, outcome, now.wall, mayBeTwice)
    if (closing.accepted !== undefined) batch.acceptanceTold(record, true)
    const pending: Pending = { batch, record, closing, at: now.mono, ran: this.#clock.at(now) }
    if (!ours || this.#channel.releaseSent) {
      this.#tooLate([pending])
      return
    }
    const suspect = this.#tasks!.ended(batch, record, positions)
    post(this.#channel.outbox, pending, outcome, suspect, now.wall)
    this.#write(now)
  }

  entryWritten(id: string, answer: PublishAnswer, now: Moment): void {
    const entry = this.#channel.entryAnswered(id, answer, now)
    if (entry === undefined) return
    if (answer.is === 'stored') {
      this.#tell(this.#holdings!.stored(entry, answer.seq, now))
      if (this.#holdings!.window.takePassed(RENEW_BYTES)) this.#channel.renewSoon()
      this.#write(now)
    } else this.#tasks!.runOn(entry)
  }

  /** For readers. */
  #tell(told: readonly Told[]): void {
    const tooLarge = this.#channel.outbox.tell(told)
    if (tooLarge.length > 0) this.#notTold(tooLarge)
  }

  #notTold(told: readonly Told[]): void {
    for (const one of told) this.#holdings?.untold.told(one)
    this.#emit({ do: 'not-told', told })
  }

  // ---- removal

  mailPurged(before: number, done: boolean): void {
    if (this.#holdings !== undefined) this.#removal.mailPurged(this.#holdings, before, done)
  }

  logTrimmed(below: number | undefined): void {
    if (this.#holdings !== undefined) this.#removal.logTrimmed(below)
  }

  laterDeleted(seq: number, done: boolean): void {
    if (this.#holdings !== undefined) this.#removal.laterDeleted(this.#holdings, seq, done)
  }

  bodyPurged(body: string, done: boolean): void {
    if (this.#holdings !== undefined) this.#removal.bodyPurged(this.#holdings, body, done)
  }

  needsBody(body: string): boolean {
    return this.#holdings?.bodies.has(body) ?? true
  }

  bodiesListed(bodies: readonly ListedBody[] | undefined, now: Moment): void {
    if (this.#holdings !== undefined) this.#removal.sweep.listed(this.#holdings, bodies, now)
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
    this.#release.begins(now)
    this.#enter('releasing', why)
  }

  #ownOn(): void {
    this.#enter('owning', 'what is in flight takes long')
    const { window, laters } = this.#holdings!
    for (const batch of window.open) if (!this.#intake.holds(batch)) this.#tasks!.giveAgain(batch)
    for (const { batch } of laters.all()) if (batch !== undefined) this.#tasks!.giveAgain(batch)
  }

  #releaseWhenDone(now: Moment): void {
    if (this.#channel.releaseSent || !this.#channel.isDone(now)) return
    if (this.#tasks !== undefined && this.#tasks.begun > 0) return
    const lease = this.#leaseNow(now, true)
    this.#emit({ do: 'revoke' })
    this.#channel.sendLease(lease, this.#hold.seq, now)
  }

  /** Another owns it, or nobody can tell: nothing of it may reach its dot from here on. */
  #lose(why: string): void {
    this.#emit({ do: 'revoke' })
    this.#tooLate(this.#channel.unstored())
    this.#follow(why)
  }

  #tooLate(pendings: readonly Pending[]): void {
    for (const { closing } of pendings) {
      if (closing.how === 'parked') continue
      const { node, name } = this.#options
      const header = { node, name, lease: this.#hold.seq, closes: [closing] }
      this.#emit({ do: 'write-late', header })
      this.#emit({ do: 'too-late', closing })
    }
  }

  #follow(why: string): void {
    this.#forget()
    this.#enter('following', why)
    this.#candidate.begins()
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

  /** Undefined: it is not ours, or not read yet. */
  figures(): Figures | undefined {
    const holdings = this.#holdings
    if (holdings === undefined || !this.#scanned) return undefined
    return figuresOf(holdings, this.backlog(), this.#tasks!.begun)
  }

  backlog(): { ready: number; later: number; bytes: number } {
    const holdings = this.#holdings
    if (holdings === undefined) return this.#predecessor.backlog
    const { openTasks, openBytes, laters } = holdings
    return { ready: openTasks + this.#intake.unread(holdings), later: laters.recipients, bytes: openBytes }
  }
}
