/**
 * A delivery node: one owner machine per partition, carried out on the simulated servers, and an engine. Between any two
 * steps the world may strike (`step`): then what was still to be done is not done.
 */
import type { Closing, EntryHeader } from '@posthouse/core/entry'
import type { OwnerOptions } from '@posthouse/core/owner/api'
import type { OpenBatch } from '@posthouse/core/owner/open-batch'
import type { OwnerEffect } from '@posthouse/core/owner/effect'
import { Owner } from '@posthouse/core/owner/owner'
import { TIMES, type Rules } from '@posthouse/core/owner/rules'
import type { Outcome } from '@posthouse/core/outcome'
import type { Auditor } from './auditor.ts'
import { Broken } from './broken.ts'
import type { ByDestination } from './by-destination.ts'
import type { Cluster } from './cluster.ts'
import { Engine, type EngineHost } from './engine.ts'
import type { Ledger } from './ledger.ts'
import type { Process } from './process.ts'
import type { Random } from './random.ts'
import type { Sites } from './sites.ts'
import type { Story } from './story.ts'
import type { Timeline } from './timeline.ts'
import { Link, type Caller } from './wire.ts'

export interface NodeWorld {
  readonly timeline: Timeline
  readonly random: Random
  readonly cluster: Cluster
  readonly sites: Sites
  readonly ledger: Ledger
  readonly auditor: Auditor
  readonly story: Story | undefined
  readonly byDestination: ByDestination
  readonly rules: Partial<Rules>
  /** Off: entries name the tasks they close by destination (rule 'tasksByIndex'). */
  readonly tasksByIndex: boolean
  readonly openBytes: number
  readonly memory: NonNullable<OwnerOptions['memory']>
  newId(): string
  /** Place of this node in a partition's order of preference, by what it believes of the others. */
  rankOf(node: DeliveryNode, partition: number): number | undefined
  /** Something may befall the process now. */
  step(process: Process): void
}

/** How one partition stands at this node. */
interface Seat {
  readonly owner: Owner
  /** The machine is called at this true time; Infinity: no call is planned. */
  wakeAt: number
  /** Last lease known to be ours. */
  leaseSeq: number
  releaseSent: boolean
  /** Deliveries with a reply, whose entry is not stored yet. */
  readonly unstored: Unstored[]
}
interface Unstored {
  readonly stream: 'mail' | 'later'
  readonly seq: number
  readonly record: number
  readonly position: number
  readonly at: number
}

const TICK = 25
const LONGEST_IDLE = 1_000
/** A stopping process waits so long for what is in flight. */
const DRAIN_MS = 8_000
/** True ms that a node's 250 ms can last, as its clock may be slow. */
const CAP_MS = TIMES.outcomeCap * 1.03 + 1

export class DeliveryNode implements Caller {
  readonly process: Process
  readonly link = new Link()
  sitesCut = false
  /** True time until which no site answers this node. */
  stalledUntil = 0
  stopping = false
  /** Does not know the names of outcomes that came later. */
  isOld = false
  engine: Engine
  readonly #world: NodeWorld
  #seats: Seat[] = []
  #hasRoom: (destination: string) => boolean

  constructor(process: Process, world: NodeWorld) {
    this.process = process
    this.#world = world
    this.#hasRoom = (destination) => world.sites.hasRoom(destination, world.timeline.now)
    this.engine = new Engine(this.#host())
    world.cluster.onNudge(this, (partition, seq) =>
      this.#call(partition, (owner) => owner.nudge(seq, this.process.clock.moment)),
    )
    world.cluster.onLease(this, (partition, lease) => {
      if (lease.node === process.id) return
      this.#call(partition, (owner) => owner.leaseHeard(lease.released, process.clock.moment))
      if (lease.released) this.#wakeAfter(partition, 0)
    })
  }

  start(): void {
    const { process } = this
    const { cluster, newId, rules, openBytes, memory, story } = this.#world
    process.begin()
    this.stopping = false
    story?.tell(process.name, `starts as ${process.id}`)
    const parks = this.engine.parks
    this.engine = new Engine(this.#host())
    this.engine.parks = parks
    this.#seats = cluster.partitions.map(({ number }) => {
      const options: OwnerOptions = {
        partition: number,
        node: process.id,
        name: process.name,
        newId,
        rules,
        openBytes,
        memory,
      }
      const owner = new Owner(options)
      return { owner, wakeAt: Infinity, leaseSeq: 0, releaseSent: false, unstored: [] }
    })
    for (const partition of this.#seats.keys()) this.#wakeAfter(partition, 0)
  }

  /** The next tick, now: a process looks at its clocks far more often than anybody tampers with them. */
  tick(): void {
    for (const partition of this.#seats.keys()) this.#call(partition, (owner) => this.#wakeOwner(partition, owner))
  }

  /** Stops in order; `gone` is called when the process has ended. */
  stop(gone: () => void): void {
    if (this.stopping) return
    this.stopping = true
    this.#world.story?.tell(this.process.name, 'is told to stop')
    for (const partition of this.#seats.keys()) {
      this.#call(partition, (owner) => owner.stop(this.process.clock.moment))
    }
    const deadline = this.#world.timeline.now + DRAIN_MS
    const look = () => {
      const isThrough = this.#seats.every(({ owner }) => owner.phase === 'stopped')
      if (!isThrough && this.#world.timeline.now < deadline) {
        this.#later(100, look)
        return
      }
      for (const partition of this.#seats.keys()) {
        if (this.#seats[partition]!.owner.phase === 'stopped') continue
        this.#call(partition, (owner) => owner.abandon(this.process.clock.moment))
      }
      gone()
    }
    this.#later(100, look)
  }

  owns(partition: number): boolean {
    const phase = this.phaseOf(partition)
    return phase === 'owning' || phase === 'releasing'
  }
  phaseOf(partition: number): string {
    return this.process.up ? (this.#seats[partition]?.owner.phase ?? 'none') : 'down'
  }

  // ---- the machine is called, and what it wants is done

  /** An answer: the machine hears it and is woken in the same turn. */
  #answer(partition: number, use: (owner: Owner) => void): void {
    this.#call(partition, (owner) => {
      use(owner)
      this.#wakeOwner(partition, owner)
    })
  }

  #wakeOwner(partition: number, owner: Owner): void {
    owner.wake(this.process.clock.moment, this.#world.rankOf(this, partition), this.#hasRoom)
  }

  #call(partition: number, use: (owner: Owner) => void): void {
    const { process } = this
    const { incarnation } = process
    const seat = this.#seats[partition]
    if (seat === undefined) return
    this.#world.step(process)
    process.run(incarnation, () => {
      use(seat.owner)
      this.#carryOut(partition, seat, incarnation)
    })
  }

  #carryOut(partition: number, seat: Seat, incarnation: number): void {
    const { process } = this
    for (const effect of seat.owner.takeEffects()) {
      // What a process does in one turn cannot be interrupted but by its end or a stop, and goes on after a stop.
      process.run(incarnation, () => this.#do(partition, seat, effect))
      this.#world.step(process)
    }
    process.run(incarnation, () => this.#planWake(partition, seat))
  }

  #do(partition: number, seat: Seat, effect: OwnerEffect): void {
    const { cluster, story } = this.#world
    const { process } = this
    const moment = () => process.clock.moment
    const { owner } = seat
    switch (effect.do) {
      case 'read-lease':
        cluster.readLease(this, partition, (read) => {
          if (read.is === 'lease' && read.lease.node === process.id) seat.leaseSeq = Math.max(seat.leaseSeq, read.seq)
          this.#answer(partition, () => owner.leaseRead(read, moment()))
        })
        return
      case 'write-lease': {
        const { lease, expected } = effect
        if (lease.released) seat.releaseSent = true
        story?.tell(
          process.name,
          `asks for lease ${lease.id} of ${partition} after ${expected}${lease.released ? ' (release)' : ''}`,
        )
        cluster.writeLease(this, partition, lease, expected, (answer) => {
          if (answer.is === 'stored') seat.leaseSeq = Math.max(seat.leaseSeq, answer.seq)
          else story?.tell(process.name, `lease ${lease.id}: ${answer.is === 'refused' ? answer.why : answer.is}`)
          this.#answer(partition, () => owner.leaseWritten(lease.id, answer, moment()))
        })
        return
      }
      case 'write-entry': {
        const { id, kind, header, records } = effect
        if (!this.#world.tasksByIndex) this.#world.byDestination.write(header, partition)
        story?.tell(process.name, `writes ${kind} ${id} of ${partition} under ${header.lease}`)
        cluster.writeEntry(this, partition, id, kind, header, records, (answer) => {
          if (answer.is !== 'stored') {
            story?.tell(process.name, `${kind} ${id}: ${answer.is === 'refused' ? answer.why : answer.is}`)
          }
          this.#answer(partition, () => owner.entryWritten(id, answer, moment()))
        })
        return
      }
      case 'write-late':
        cluster.writeLate(this, partition, this.#world.newId(), effect.header)
        return
      case 'scan-log':
        this.#scan(partition, owner, effect)
        return
      case 'read-mail':
        cluster.readMail(this, partition, effect.from, effect.maxBytes, (batches) =>
          this.#answer(partition, () => owner.mailRead(effect.from, batches, moment())),
        )
        return
      case 'read-later':
        cluster.readLater(this, partition, effect.seq, (batch) =>
          this.#answer(partition, () => owner.laterRead(effect.seq, batch, moment())),
        )
        return
      case 'purge-mail':
        cluster.purgeMail(this, partition, effect.before, (done) =>
          this.#answer(partition, () => owner.mailPurged(effect.before, done)),
        )
        return
      case 'delete-later':
        cluster.deleteLater(this, partition, effect.seq, (done) =>
          this.#answer(partition, () => owner.laterDeleted(effect.seq, done)),
        )
        return
      case 'purge-body':
        cluster.purgeBody(this, partition, effect.body, (done) =>
          this.#answer(partition, () => owner.bodyPurged(effect.body, done)),
        )
        return
      case 'trim-log':
        cluster.trimLog(this, partition, effect.before, effect.olderThan)
        return
      case 'give':
        this.engine.give(partition, effect.batch, effect.record, effect.positions)
        return
      case 'revoke':
        story?.tell(process.name, `revokes what it has of ${partition}`)
        this.engine.revoke(partition)
        seat.unstored.length = 0
        return
      case 'possible-duplicate':
        throw new Broken('the bargain', `a possible duplicate of ${effect.id} was counted without a beginning`)
      case 'phase':
        story?.tell(process.name, `${effect.phase} ${partition}: ${effect.why}`)
        if (effect.phase === 'claiming') seat.releaseSent = false
        return
      case 'too-late':
        story?.tell(
          process.name,
          `too late: ${effect.closing.id}/${effect.closing.indexes.join()} ${effect.closing.how}`,
        )
        forget(seat.unstored, effect.closing)
    }
  }

  #scan(partition: number, owner: Owner, scan: Extract<OwnerEffect, { do: 'scan-log' }>): void {
    const { cluster, random } = this.#world
    cluster.scanLog(this, partition, scan, (entries, storedAt) => {
      const { moment } = this.process.clock
      // Readers may be interrupted in the middle, and see the waiting ones first.
      const seen = entries === undefined || random.chance(0.1) ? random.whole(0, entries?.length ?? 0) : Infinity
      const ordered = entries === undefined || random.chance(0.5) ? entries : entries.toReversed()
      const read = ordered?.slice(0, seen) ?? []
      for (const entry of read)
        owner.logEntry(entry.seq, entry.storedAt, this.#understood(entry.header!), entry.records.length)
      const done = entries !== undefined && seen >= entries.length
      this.#answer(partition, () => owner.logScanned(scan.through, done, storedAt, moment))
    })
  }

  /** An older version knows what is closed, and not how. */
  #understood(header: EntryHeader): EntryHeader {
    if (!this.#world.tasksByIndex) return this.#world.byDestination.read(header)
    if (!this.isOld) return header
    const closes = header.closes.map((closing) => ({ ...closing, how: 'unknown' as const, facts: {} }))
    const { later } = header
    return later === undefined ? { ...header, closes } : { ...header, closes, later: { ...later, state: 'deferred' } }
  }

  // ---- time

  /** On the next tick at which there is something to do; ranks change unasked. */
  #planWake(partition: number, seat: Seat): void {
    const { clock } = this.process
    const { now } = this.#world.timeline
    const idle = (seat.owner.nextWake(clock.moment) - clock.mono) / clock.rate
    const at = now + Math.min(Math.max(idle, 1), LONGEST_IDLE)
    this.#wakeAfter(partition, Math.ceil(at / TICK) * TICK - now)
  }

  #wakeAfter(partition: number, ms: number): void {
    const seat = this.#seats[partition]!
    const { timeline } = this.#world
    const at = timeline.now + ms
    if (seat.wakeAt <= at && seat.wakeAt >= timeline.now) return
    seat.wakeAt = at
    this.#later(ms, () => {
      if (seat.wakeAt !== at) return
      seat.wakeAt = Infinity
      this.#call(partition, (owner) => this.#wakeOwner(partition, owner))
    })
  }

  #later(ms: number, run: () => void): void {
    const { process } = this
    const { incarnation } = process
    this.#world.timeline.after(ms, () => process.run(incarnation, run))
  }

  // ---- the engine's side

  #host(): EngineHost {
    const { random, sites, ledger, newId, story, auditor, timeline } = this.#world
    const { clock, name } = this.process
    return {
      random,
      sites,
      ledger,
      newId,
      later: (ms, run) => this.#later(ms, run),
      wall: () => clock.wall,
      reachesSites: () => !this.sitesCut,
      stall: () => this.stalledUntil - timeline.now,
      tell: (what) => story?.tell(name, what),
      begin: (partition, batch, record, positions) => this.#begin(partition, batch, record, positions),
      mayFinish: (partition, batch) => {
        const { owner } = this.#seats[partition]!
        return owner.holds(batch) && owner.mayFinish(clock.moment)
      },
      dot: (partition, batch, record, positions) => {
        const seat = this.#seats[partition]!
        if (seat.releaseSent) throw new Broken('who has released owns nothing', `${this.process.id} sends a dot`)
        const unstored = seat.unstored.filter((one) => auditor.isOpen(partition, one))
        seat.unstored.length = 0
        seat.unstored.push(...unstored)
        const oldest = unstored[0]
        if (oldest !== undefined && timeline.now - oldest.at > CAP_MS) {
          throw new Broken(
            'no dot while an outcome waits too long',
            `${oldest.stream} ${oldest.seq}/${oldest.record}/${oldest.position} waits for ${timeline.now - oldest.at} ms`,
          )
        }
        auditor.dot(partition, this.process.id, seat.leaseSeq, batch, record, positions)
      },
      close: (partition, batch, record, positions, outcome) =>
        this.#close(partition, batch, record, positions, outcome),
    }
  }

  #begin(partition: number, batch: OpenBatch, record: number, positions: readonly number[]): boolean {
    const { process } = this
    const { ledger, story } = this.#world
    const { incarnation } = process
    const seat = this.#seats[partition]!
    const mayBegin = seat.owner.begin(batch, record, positions, process.clock.moment)
    const { id, recipients } = batch.records[record]!.envelope
    const effects = seat.owner.takeEffects()
    for (const effect of effects) {
      if (effect.do === 'possible-duplicate') {
        story?.tell(process.name, `counts a possible duplicate of ${id}`)
        for (const position of effect.positions) ledger.countPossibleDuplicate(id, recipients[position]!.index)
      } else process.run(incarnation, () => this.#do(partition, seat, effect))
    }
    return mayBegin
  }

  #close(partition: number, batch: OpenBatch, record: number, positions: readonly number[], outcome: Outcome): void {
    const seat = this.#seats[partition]!
    const { stream, seq } = batch
    this.#call(partition, (owner) => {
      if (outcome.how === 'delivered') {
        const at = this.#world.timeline.now
        for (const position of positions) seat.unstored.push({ stream, seq, record, position, at })
      }
      owner.close(batch, record, positions, outcome, this.process.clock.moment)
    })
    this.#wakeAfter(partition, 0)
  }
}

/** These are nobody's to store any longer. */
function forget(unstored: Unstored[], { stream, seq, record, positions }: Closing): void {
  for (let at = unstored.length - 1; at >= 0; at--) {
    const one = unstored[at]!
    if (one.stream !== stream || one.seq !== seq || one.record !== record) continue
    if (positions.includes(one.position)) unstored.splice(at, 1)
  }
}
