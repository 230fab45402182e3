/**
 * Runs the owner's machine of one partition on the store: carries out its effects, one try each, and brings the answers
 * back. It decides nothing.
 */
import { decodeBatch, encodeBatch } from '@posthouse/core/batch-codec'
import type { Moment, OwnerEffect, ReadBatch } from '@posthouse/core/owner/effect'
import type { OpenBatch } from '@posthouse/core/owner/open-batch'
import type { Figures } from '@posthouse/core/owner/figures'
import { Owner } from '@posthouse/core/owner/owner'
import { keptTrace } from '@posthouse/core/traceparent'
import type { BodyReference, Envelope } from '@posthouse/core/record'
import type { Outcome } from '@posthouse/core/outcome'
import { GivenDelivery } from './given-delivery.ts'
import type { QueueLog } from './log.ts'
import type { DeliverObserver } from './deliver-queue.ts'
import type { DeliveryEngine } from './port.ts'
import type { Store, StoredBatch } from './store.ts'

const WRITE_MS = 500
/** The machine is woken at least so often: ranks change without telling. */
const TICK_MS = 250

export interface PartitionShellOptions {
  readonly store: Store
  readonly partition: number
  readonly node: string
  readonly name: string
  readonly newId: () => string
  readonly openBytes: number
  /** A body that nothing refers to is purged when it is so old, ms; undefined: as the rules say. */
  readonly sweepBodiesAfter?: number | undefined
  readonly engine: DeliveryEngine
  /** Position of this node in the partition's order of preference. */
  readonly rank: () => number | undefined
  readonly log: QueueLog
  readonly observer: DeliverObserver
}

export class PartitionShell {
  readonly partition: number
  readonly #options: PartitionShellOptions
  readonly #owner: Owner
  readonly #tick: NodeJS.Timeout
  readonly #stopHearing: readonly (() => void)[]
  readonly #hasRoom: (destination: string) => boolean
  #wakeIsDue = false
  #timer: NodeJS.Timeout | undefined
  #timerAt = Infinity
  #stopped: (() => void) | undefined

  constructor(options: PartitionShellOptions) {
    this.#options = options
    this.partition = options.partition
    const { node, name, newId, openBytes, partition, engine, store, sweepBodiesAfter } = options
    const memory = sweepBodiesAfter === undefined ? {} : { sweepAge: sweepBodiesAfter }
    this.#owner = new Owner({ partition, node, name, newId, chance: Math.random, openBytes, memory })
    this.#hasRoom = (destination) => engine.hasRoom(destination)
    this.#stopHearing = [
      store.onNudge(partition, (seq) => {
        this.#owner.nudge(seq, now())
        this.#carryOut()
      }),
      store.onAbandoned(partition, (body) => {
        // Known: some record does refer to it, or this node owns nothing.
        if (!this.#owner.needsBody(body)) void store.purgeBody(partition, body)
      }),
    ]
    this.#tick = setInterval(() => this.#wake(), TICK_MS)
  }

  get phase(): Owner['phase'] {
    return this.#owner.phase
  }
  /** What is to be said of the partition; undefined: it is not ours, or not read yet. */
  figures(): Figures | undefined {
    return this.#owner.figures()
  }
  get backlog(): ReturnType<Owner['backlog']> {
    return this.#owner.backlog()
  }

  heard(released: boolean): void {
    this.#owner.leaseHeard(released, now())
    if (released) this.#wakeSoon()
  }

  /** Resolves when the partition is released, or was not ours. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#stopped = resolve
      this.#owner.stop(now())
      this.#wake()
    })
  }

  /** What is in flight stays open for the successor; nothing is released. */
  abandon(): void {
    this.#owner.abandon(now())
    this.#carryOut()
  }

  close(): void {
    clearInterval(this.#tick)
    clearTimeout(this.#timer)
    this.#timerAt = -Infinity
    for (const stop of this.#stopHearing) stop()
  }

  // ---- asked by deliveries

  begin(batch: OpenBatch, record: number, positions: readonly number[]): boolean {
    const begun = this.#owner.begin(batch, record, positions, now())
    this.#wakeSoon()
    return begun
  }
  mayFinish(batch: OpenBatch): boolean {
    return this.#owner.holds(batch) && this.#owner.mayFinish(now())
  }
  closeTasks(batch: OpenBatch, record: number, positions: readonly number[], outcome: Outcome): void {
    this.#owner.close(batch, record, positions, outcome, now())
    this.#wakeSoon()
  }
  age(batch: OpenBatch, record: number): number {
    return this.#owner.age(this.#owner.storedAt(batch, record), now())
  }
  readBody(body: BodyReference): AsyncIterable<Uint8Array> {
    return this.#options.store.readBody(this.partition, body)
  }
  lostAfterDot({ id, recipients, traceparent }: Envelope, positions: readonly number[]): void {
    const trace = keptTrace(traceparent)
    this.#options.log.warn(
      { partition: this.partition, id, trace, recipients: positions.map((position) => recipients[position]?.index) },
      'possible duplicate: connection lost after the final dot',
    )
    this.#options.observer.possibleDuplicates?.(positions.length)
  }

  // ---- the machine's turn

  /** Outcomes of one turn of the event loop go together. */
  #wakeSoon(): void {
    if (this.#wakeIsDue) return
    this.#wakeIsDue = true
    setImmediate(() => {
      this.#wakeIsDue = false
      this.#wake()
    })
  }

  /** One timer; one that goes off too early costs an idle turn. */
  #wakeAt(): void {
    const moment = now()
    const at = this.#owner.nextWake(moment)
    if (at >= this.#timerAt || at - moment.mono > TICK_MS) return
    clearTimeout(this.#timer)
    this.#timerAt = at
    this.#timer = setTimeout(
      () => {
        this.#timerAt = Infinity
        this.#wake()
      },
      Math.max(1, Math.ceil(at - moment.mono)),
    )
  }

  #wake(): void {
    this.#owner.wake(now(), this.#options.rank(), this.#hasRoom)
    this.#carryOut()
  }

  #carryOut(): void {
    for (const effect of this.#owner.takeEffects()) this.#do(effect)
    this.#wakeAt()
    if (this.#owner.phase === 'stopped') this.#stopped?.()
  }

  #do(effect: OwnerEffect): void {
    const { store, engine, log, observer } = this.#options
    const { partition } = this
    const owner = this.#owner
    switch (effect.do) {
      case 'give':
        engine.give(new GivenDelivery(this, effect, owner.destination(effect.batch)))
        return
      case 'write-entry': {
        const { id, kind, header, records } = effect
        const payload = kind === 'later' ? encodeBatch(records) : EMPTY
        const at = performance.now()
        this.#answered(store.writeEntry(partition, id, kind, header, payload, WRITE_MS), (answer) => {
          if (answer.is === 'stored') observer.entryStored?.(kind, header, performance.now() - at)
          owner.entryWritten(id, answer, now())
        })
        return
      }
      case 'write-lease': {
        const { lease, expected } = effect
        this.#answered(store.writeLease(partition, lease, expected, WRITE_MS), (answer) =>
          owner.leaseWritten(lease.id, answer, now()),
        )
        return
      }
      case 'read-lease':
        this.#answered(store.readLease(partition), (read) => owner.leaseRead(read, now()))
        return
      case 'scan-log': {
        const { through, from, sinceMs } = effect
        this.#answered(
          store.scanLog(partition, through, from, sinceMs, ({ seq, storedAt, header, size }) =>
            owner.logEntry(seq, storedAt, header, size),
          ),
          (scanned) =>
            owner.logScanned(through, scanned.is === 'done', scanned.is === 'done' ? scanned.storedAt : 0, now()),
        )
        return
      }
      case 'read-mail':
        this.#answered(store.readMail(partition, effect.from, effect.maxBytes), (read) => {
          owner.mailRead(effect.from, read.is === 'batches' ? this.#decode(read.batches) : undefined, now())
        })
        return
      case 'read-later':
        this.#answered(store.readLater(partition, effect.seq), (read) => {
          const batch = read.is === 'batch' ? this.#decode([read.batch])?.[0] : read.is === 'none' ? 'none' : undefined
          if (batch === 'none') log.error({ partition, seq: effect.seq }, 'a waiting batch is missing in the log')
          owner.laterRead(effect.seq, batch, now())
        })
        return
      case 'purge-mail':
        this.#answered(store.purgeMail(partition, effect.before), ({ is }) =>
          owner.mailPurged(effect.before, is === 'done'),
        )
        return
      case 'delete-later':
        this.#answered(store.deleteLater(partition, effect.seq), ({ is }) =>
          owner.laterDeleted(effect.seq, is === 'done'),
        )
        return
      case 'purge-body':
        this.#answered(store.purgeBody(partition, effect.body), ({ is }) =>
          owner.bodyPurged(effect.body, is === 'done'),
        )
        return
      case 'list-bodies':
        this.#answered(
          store.listBodies(partition, (body) => owner.needsBody(body)),
          (listed) => owner.bodiesListed(listed.is === 'bodies' ? listed.bodies : undefined, now()),
        )
        return
      case 'mark-mail':
        this.#answered(store.appendMail(partition, effect.id, 0, encodeBatch(effect.records), WRITE_MS), (answer) => {
          if (answer.is === 'stored') owner.nudge(answer.seq, now())
        })
        return
      case 'swept':
        log.info({ partition, bodies: effect.bodies, bytes: effect.bytes }, 'purged bodies that no message refers to')
        observer.bodiesSwept?.(effect.bodies)
        return
      case 'trim-log':
        this.#answered(store.trimLog(partition, effect.before, effect.olderThan, effect.latest), (trimmed) =>
          owner.logTrimmed(trimmed.is === 'trimmed' ? trimmed.below : undefined),
        )
        return
      case 'write-late':
        void store.writeLate(partition, this.#options.newId(), effect.header).catch(() => {})
        return
      case 'not-told':
        log.warn({ partition, events: effect.told.length }, 'the log is full: readers may miss events')
        observer.eventsLost?.(effect.told.length)
        return
      case 'too-late':
        log.warn(
          { partition, id: effect.closing.id, how: effect.closing.how },
          'an outcome came after the lease was lost: the next owner tries again',
        )
        return
      case 'revoke':
        engine.revoke(partition)
        return
      case 'possible-duplicate':
        log.warn(
          { partition, id: effect.id, trace: keptTrace(effect.traceparent), recipients: effect.recipients },
          'possible duplicate: a dead owner may have sent it',
        )
        observer.possibleDuplicates?.(effect.recipients.length)
        return
      case 'phase':
        log.info({ partition, phase: effect.phase, why: effect.why }, 'partition')
    }
  }

  /** A batch that this version cannot read stays where it is; the partition waits for a newer node. */
  #decode(batches: readonly StoredBatch[]): ReadBatch[] | undefined {
    try {
      return batches.map(({ seq, storedAt, id, payload }) => {
        return { seq, storedAt, id, records: decodeBatch(payload), bytes: payload.length }
      })
    } catch (error) {
      this.#options.log.error(
        { partition: this.partition, err: error },
        'a batch cannot be read: it stays in the queue',
      )
      return undefined
    }
  }

  #answered<T>(promise: Promise<T>, then: (answer: T) => void): void {
    promise.then(
      (answer) => {
        then(answer)
        this.#wake()
      },
      (error: unknown) => {
        // A bug: the process goes down and its partitions go to others, rather than own without working.
        setImmediate(() => {
          throw error
        })
      },
    )
  }
}

const EMPTY = new Uint8Array(0)

function now(): Moment {
  return { mono: performance.now(), wall: Date.now() }
}
