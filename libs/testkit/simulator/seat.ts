/**
 * One partition at one delivery node: the owner's machine, carried out on the simulated servers. Between any two steps the
 * world may strike: then what was still to be done is not done.
 */
import type { Closing, EntryHeader } from '@posthouse/core/entry'
import type { OpenBatch } from '@posthouse/core/owner/open-batch'
import type { OwnerEffect } from '@posthouse/core/owner/effect'
import { Owner } from '@posthouse/core/owner/owner'
import { TIMES } from '@posthouse/core/owner/rules'
import type { Outcome } from '@posthouse/core/outcome'
import { Broken } from './broken.ts'
import type { NodeWorld } from './node-world.ts'
import type { Process } from './process.ts'
import type { Caller } from './wire.ts'

/** What the seat needs of its node. */
export interface SeatNode extends Caller {
  readonly isOld: boolean
  readonly hasRoom: (destination: string) => boolean
  rank(partition: number): number | undefined
  later(ms: number, run: () => void): void
  give(partition: number, batch: OpenBatch, record: number, positions: readonly number[]): void
  revoke(partition: number): void
}

/** A delivery with a reply, whose entry is not stored yet. */
interface Unstored {
  readonly stream: 'mail' | 'later'
  readonly seq: number
  readonly record: number
  readonly position: number
  readonly at: number
}

const TICK = 25
const MARK_MS = 500
const LONGEST_IDLE = 1_000
/** True ms that a node's 250 ms can last, as its clock may be slow. */
const CAP_MS = TIMES.outcomeCap * 1.05 + 1

export class Seat {
  readonly #partition: number
  readonly #node: SeatNode
  readonly #process: Process
  readonly #world: NodeWorld
  readonly #owner: Owner
  /** The machine is called at this true time; Infinity: no call is planned. */
  #wakeAt = Infinity
  /** Last lease known to be ours. */
  #leaseSeq = 0
  #releaseSent = false
  #unstored: Unstored[] = []

  constructor(partition: number, node: SeatNode, world: NodeWorld) {
    this.#partition = partition
    this.#node = node
    this.#process = node.process
    this.#world = world
    const { newId, rules, openBytes, memory, random } = world
    const chance = () => random.next()
    const { id, name } = node.process
    this.#owner = new Owner({ partition, node: id, name, newId, chance, rules, openBytes, memory })
  }

  get phase(): Owner['phase'] {
    return this.#owner.phase
  }

  // ---- the machine is called, and what it wants is done

  nudge(seq: number): void {
    this.#call((owner) => owner.nudge(seq, this.#process.clock.moment))
  }
  hearLease(released: boolean): void {
    this.#call((owner) => owner.leaseHeard(released, this.#process.clock.moment))
    if (released) this.wakeAfter(0)
  }
  stop(): void {
    this.#call((owner) => owner.stop(this.#process.clock.moment))
  }
  abandon(): void {
    this.#call((owner) => owner.abandon(this.#process.clock.moment))
  }
  tick(): void {
    this.#call((owner) => this.#wake(owner))
  }

  /** An answer: the machine hears it and is woken in the same turn. */
  #answer(use: (owner: Owner) => void): void {
    this.#call((owner) => {
      use(owner)
      this.#wake(owner)
    })
  }

  #wake(owner: Owner): void {
    owner.wake(this.#process.clock.moment, this.#node.rank(this.#partition), this.#node.hasRoom)
  }

  #call(use: (owner: Owner) => void): void {
    const process = this.#process
    const { incarnation } = process
    this.#world.step(process)
    process.run(incarnation, () => {
      use(this.#owner)
      this.#carryOut(incarnation)
    })
  }

  #carryOut(incarnation: number): void {
    const process = this.#process
    for (const effect of this.#owner.takeEffects()) {
      // What a process does in one turn cannot be interrupted but by its end or a stop, and goes on after a stop.
      process.run(incarnation, () => this.#do(effect))
      this.#world.step(process)
    }
    process.run(incarnation, () => this.#planWake())
  }

  #do(effect: OwnerEffect): void {
    const { cluster, story } = this.#world
    const node = this.#node
    const process = this.#process
    const partition = this.#partition
    const now = () => process.clock.moment
    switch (effect.do) {
      case 'read-lease':
        cluster.readLease(node, partition, (read) => {
          if (read.is === 'lease' && read.lease.node === process.id) this.#leaseSeq = Math.max(this.#leaseSeq, read.seq)
          this.#answer((owner) => owner.leaseRead(read, now()))
        })
        return
      case 'write-lease':
        this.#writeLease(effect)
        return
      case 'write-entry':
        this.#writeEntry(effect)
        return
      case 'write-late':
        cluster.writeLate(node, partition, this.#world.newId(), effect.header)
        return
      case 'scan-log':
        this.#scan(effect)
        return
      case 'read-mail':
        cluster.readMail(node, partition, effect.from, effect.maxBytes, (batches) =>
          this.#answer((owner) => owner.mailRead(effect.from, batches, now())),
        )
        return
      case 'read-later':
        cluster.readLater(node, partition, effect.seq, (batch) =>
          this.#answer((owner) => owner.laterRead(effect.seq, batch, now())),
        )
        return
      case 'purge-mail':
        cluster.purgeMail(node, partition, effect.before, (done) =>
          this.#answer((owner) => owner.mailPurged(effect.before, done)),
        )
        return
      case 'delete-later':
        cluster.deleteLater(node, partition, effect.seq, (done) =>
          this.#answer((owner) => owner.laterDeleted(effect.seq, done)),
        )
        return
      case 'purge-body':
        cluster.purgeBody(node, partition, effect.body, (done) =>
          this.#answer((owner) => owner.bodyPurged(effect.body, done)),
        )
        return
      case 'list-bodies':
        cluster.listBodies(node, partition, (bodies) => this.#answer((owner) => owner.bodiesListed(bodies, now())))
        return
      case 'mark-mail':
        story?.tell(process.name, `marks ${partition} with batch ${effect.id}`)
        cluster.appendMail(node, partition, effect.id, effect.records, MARK_MS, (answer) =>
          this.#answer((owner) => (answer.is === 'stored' ? owner.nudge(answer.seq, now()) : undefined)),
        )
        return
      case 'swept':
        story?.tell(process.name, `has swept ${effect.bodies} bodies of ${partition}`)
        return
      case 'trim-log':
        cluster.trimLog(node, partition, effect.before, effect.olderThan)
        return
      case 'give':
        node.give(partition, effect.batch, effect.record, effect.positions)
        return
      case 'revoke':
        story?.tell(process.name, `revokes what it has of ${partition}`)
        node.revoke(partition)
        this.#unstored = []
        return
      case 'not-told':
        this.#world.auditor.notTold(partition, effect.told)
        return
      case 'possible-duplicate':
        throw new Broken('the bargain', `a possible duplicate of ${effect.id} was counted without a beginning`)
      case 'phase':
        story?.tell(process.name, `${effect.phase} ${partition}: ${effect.why}`)
        if (effect.phase === 'claiming') this.#releaseSent = false
        return
      case 'too-late': {
        const { closing } = effect
        story?.tell(process.name, `too late: ${closing.id}/${closing.indexes.join()} ${closing.how}`)
        this.#unstored = this.#unstored.filter((one) => !isNamedBy(closing, one))
      }
    }
  }

  #writeLease({ lease, expected }: Extract<OwnerEffect, { do: 'write-lease' }>): void {
    const { cluster, story } = this.#world
    const { name, clock } = this.#process
    const partition = this.#partition
    if (lease.released) this.#releaseSent = true
    story?.tell(
      name,
      `asks for lease ${lease.id} of ${partition} after ${expected}${lease.released ? ' (release)' : ''}`,
    )
    cluster.writeLease(this.#node, partition, lease, expected, (answer) => {
      if (answer.is === 'stored') this.#leaseSeq = Math.max(this.#leaseSeq, answer.seq)
      else story?.tell(name, `lease ${lease.id}: ${answer.is === 'refused' ? answer.why : answer.is}`)
      this.#answer((owner) => owner.leaseWritten(lease.id, answer, clock.moment))
    })
  }

  #writeEntry({ id, kind, header, records }: Extract<OwnerEffect, { do: 'write-entry' }>): void {
    const { cluster, story, tasksByIndex, byDestination } = this.#world
    const { name, clock } = this.#process
    const partition = this.#partition
    if (!tasksByIndex) byDestination.write(header, partition)
    story?.tell(name, `writes ${kind} ${id} of ${partition} under ${header.lease}`)
    cluster.writeEntry(this.#node, partition, id, kind, header, records, (answer) => {
      if (answer.is !== 'stored') {
        story?.tell(name, `${kind} ${id}: ${answer.is === 'refused' ? answer.why : answer.is}`)
      }
      this.#answer((owner) => owner.entryWritten(id, answer, clock.moment))
    })
  }

  #scan(scan: Extract<OwnerEffect, { do: 'scan-log' }>): void {
    const { cluster, random } = this.#world
    cluster.scanLog(this.#node, this.#partition, scan, (entries, storedAt) => {
      const { moment } = this.#process.clock
      // Readers may be interrupted in the middle, and see the waiting ones first.
      const seen = entries === undefined || random.chance(0.1) ? random.whole(0, entries?.length ?? 0) : Infinity
      const ordered = entries === undefined || random.chance(0.5) ? entries : entries.toReversed()
      for (const entry of ordered?.slice(0, seen) ?? []) {
        this.#owner.logEntry(entry.seq, entry.storedAt, this.#understood(entry.header!), entry.records.length)
      }
      const done = entries !== undefined && seen >= entries.length
      this.#answer((owner) => owner.logScanned(scan.through, done, storedAt, moment))
    })
  }

  /** An older version knows what is closed, and not how. */
  #understood(header: EntryHeader): EntryHeader {
    if (!this.#world.tasksByIndex) return this.#world.byDestination.read(header)
    if (!this.#node.isOld) return header
    const closes = header.closes.map((closing) => ({ ...closing, how: 'unknown' as const, facts: {} }))
    const { later } = header
    return later === undefined ? { ...header, closes } : { ...header, closes, later: { ...later, state: 'deferred' } }
  }

  // ---- time

  /** On the next tick at which there is something to do; ranks change unasked. */
  #planWake(): void {
    const { clock } = this.#process
    const { now } = this.#world.timeline
    const idle = (this.#owner.nextWake(clock.moment) - clock.mono) / clock.rate
    const at = now + Math.min(Math.max(idle, 1), LONGEST_IDLE)
    this.wakeAfter(Math.ceil(at / TICK) * TICK - now)
  }

  wakeAfter(ms: number): void {
    const { timeline } = this.#world
    const at = timeline.now + ms
    if (this.#wakeAt <= at && this.#wakeAt >= timeline.now) return
    this.#wakeAt = at
    this.#node.later(ms, () => {
      if (this.#wakeAt !== at) return
      this.#wakeAt = Infinity
      this.tick()
    })
  }

  // ---- asked by the engine

  begin(batch: OpenBatch, record: number, positions: readonly number[]): boolean {
    const process = this.#process
    const { incarnation } = process
    const { ledger, story } = this.#world
    const mayBegin = this.#owner.begin(batch, record, positions, process.clock.moment)
    const { id } = batch.records[record]!.envelope
    for (const effect of this.#owner.takeEffects()) {
      if (effect.do === 'possible-duplicate') {
        story?.tell(process.name, `counts a possible duplicate of ${id}`)
        for (const recipient of effect.recipients) ledger.countPossibleDuplicate(id, recipient)
      } else process.run(incarnation, () => this.#do(effect))
    }
    return mayBegin
  }

  mayFinish(batch: OpenBatch): boolean {
    return this.#owner.holds(batch) && this.#owner.mayFinish(this.#process.clock.moment)
  }

  /** The final dot goes out: what the seat alone knows is checked here, the rest by the auditor. */
  dot(batch: OpenBatch, record: number, positions: readonly number[]): void {
    const { auditor, timeline } = this.#world
    const { id } = this.#process
    if (this.#releaseSent) throw new Broken('who has released owns nothing', `${id} sends a dot`)
    this.#unstored = this.#unstored.filter((one) => auditor.isOpen(this.#partition, one))
    const [oldest] = this.#unstored
    if (oldest !== undefined && timeline.now - oldest.at > CAP_MS) {
      throw new Broken(
        'no dot while an outcome waits too long',
        `${oldest.stream} ${oldest.seq}/${oldest.record}/${oldest.position} waits for ${timeline.now - oldest.at} ms`,
      )
    }
    auditor.dot(this.#partition, id, this.#leaseSeq, batch, record, positions)
  }

  close(batch: OpenBatch, record: number, positions: readonly number[], outcome: Outcome): void {
    const { stream, seq } = batch
    this.#call((owner) => {
      if (outcome.how === 'delivered') {
        const at = this.#world.timeline.now
        for (const position of positions) this.#unstored.push({ stream, seq, record, position, at })
      }
      owner.close(batch, record, positions, outcome, this.#process.clock.moment)
    })
    this.wakeAfter(0)
  }
}

function isNamedBy({ stream, seq, record, positions }: Closing, one: Unstored): boolean {
  return one.stream === stream && one.seq === seq && one.record === record && positions.includes(one.position)
}
