/** The queue's servers: three streams per partition, the ways to them, and the operations of the store on them. */
import type { PublishAnswer } from '@posthouse/core/answer'
import type { EntryHeader } from '@posthouse/core/entry'
import type { Lease, LeaseRead } from '@posthouse/core/lease'
import type { ListedBody, ReadBatch } from '@posthouse/core/owner/effect'
import type { MailRecord } from '@posthouse/core/record'
import type { Random } from './random.ts'
import { NO_PARTS, Stream, type Message, type Stored } from './stream.ts'
import type { Timeline } from './timeline.ts'
import type { Caller, Wire } from './wire.ts'

export interface Partition {
  readonly number: number
  readonly mail: Stream
  readonly log: Stream
  readonly body: Stream
}

/** Told of everything that the servers do, as it happens. */
export interface Observer {
  stored(partition: Partition, stream: Stream, stored: Stored): void
  removed(partition: Partition, stream: Stream, removed: readonly Stored[], by: string): void
}

/** Replicas that answer reads but lag. */
export interface Lag {
  chance: number
  most: number
}

const UNANSWERED = { is: 'unanswered' } as const
const UNSENT: PublishAnswer = { is: 'refused', why: 'no-leader' }
const WRITE_MS = 500
const READ_MS = 700
const REMOVE_MS = 2_000
const HELD_MOST_MS = 30_000
const RETRY_MS = 1_000
const SCAN_MS = 5_000
const MINUTE = 60_000
/** A batch is worth so many bytes, per record. */
export const RECORD_BYTES = 1_000

export class Cluster {
  readonly partitions: readonly Partition[]
  readonly streams: readonly Stream[]
  readonly lag: Lag = { chance: 0, most: 0 }
  /** A former owner is refused (rule 'fencedEntries'). */
  fencedEntries = true
  /** A scan must show the end of what is asked for (rule 'readToOwnLease'). */
  scansToTheEnd = true
  readonly #wire: Wire
  readonly #timeline: Timeline
  readonly #random: Random
  readonly #observer: Observer
  #leaseListeners: { caller: Caller; hear: (partition: number, lease: Lease) => void }[] = []
  #nudgeListeners: { caller: Caller; hear: (partition: number, seq: number) => void }[] = []

  constructor(count: number, shortMemory: number, timeline: Timeline, random: Random, wire: Wire, observer: Observer) {
    this.#wire = wire
    this.#timeline = timeline
    this.#random = random
    this.#observer = observer
    this.partitions = Array.from({ length: count }, (_, number) => {
      const stored = (stored: Stored, stream: Stream) => observer.stored(partition, stream, stored)
      const stream = (name: string, minutes: number) =>
        new Stream(`${name}_${number}`, (minutes * MINUTE) / shortMemory, timeline, random, stored)
      const partition: Partition = { number, mail: stream('MAIL', 6), log: stream('LOG', 10), body: stream('BODY', 2) }
      return partition
    })
    this.streams = this.partitions.flatMap(({ mail, log, body }) => [mail, log, body])
  }

  onLease(caller: Caller, hear: (partition: number, lease: Lease) => void): void {
    this.#leaseListeners.push({ caller, hear })
  }
  onNudge(caller: Caller, hear: (partition: number, seq: number) => void): void {
    this.#nudgeListeners.push({ caller, hear })
  }
  nudge(from: Caller, partition: number, seq: number): void {
    if (from.link.requestsCut) return
    for (const { caller, hear } of this.#nudgeListeners) this.#wire.tell(caller, () => hear(partition, seq))
  }

  appendMail(
    caller: Caller,
    partition: number,
    id: string,
    records: readonly MailRecord[],
    timeoutMs: number,
    done: (answer: PublishAnswer) => void,
  ): void {
    const { mail } = this.partitions[partition]!
    this.#publish(caller, mail, { ...NO_PARTS, subject: 'mail', id, records, expected: undefined }, timeoutMs, done)
  }

  putBody(caller: Caller, partition: number, body: string, done: (answer: PublishAnswer) => void): void {
    const stream = this.partitions[partition]!.body
    const id = `${body}.0`
    const message: Message = {
      subject: 'chunk',
      id,
      records: [],
      header: undefined,
      lease: undefined,
      body,
      expected: undefined,
    }
    this.#publish(caller, stream, message, WRITE_MS, done)
  }

  writeLease(
    caller: Caller,
    partition: number,
    lease: Lease,
    expected: number,
    done: (answer: PublishAnswer) => void,
  ): void {
    const { log } = this.partitions[partition]!
    const message: Message = {
      subject: 'lease',
      id: lease.id,
      records: [],
      header: undefined,
      lease,
      body: undefined,
      expected,
    }
    this.#publish(caller, log, message, WRITE_MS, done)
    if (caller.link.requestsCut) return
    for (const { caller: listener, hear } of this.#leaseListeners)
      this.#wire.tell(listener, () => hear(partition, lease))
  }

  writeEntry(
    caller: Caller,
    partition: number,
    id: string,
    kind: 'outcome' | 'later',
    header: EntryHeader,
    records: readonly MailRecord[],
    done: (answer: PublishAnswer) => void,
  ): void {
    const { log } = this.partitions[partition]!
    const expected = this.fencedEntries ? header.lease : undefined
    const message: Message = { subject: kind, id, records, header, lease: undefined, body: undefined, expected }
    this.#publish(caller, log, message, WRITE_MS, done)
  }

  writeLate(caller: Caller, partition: number, id: string, header: EntryHeader): void {
    const { log } = this.partitions[partition]!
    const message: Message = { ...NO_PARTS, subject: 'late', id, records: [], header, expected: undefined }
    this.#publish(caller, log, message, WRITE_MS, () => {})
  }

  readLease(caller: Caller, partition: number, done: (read: LeaseRead) => void): void {
    const { log } = this.partitions[partition]!
    this.#wire.call<LeaseRead>(
      caller,
      READ_MS,
      UNANSWERED,
      UNANSWERED,
      (reply) => {
        const last = log.readLease()
        if (last === undefined) reply(undefined)
        else if (last === 'none') reply({ is: 'none' })
        else reply({ is: 'lease', seq: last.seq, lease: last.lease! })
      },
      done,
    )
  }

  /** Any replica answers; what it does not show proves nothing, so it must show the end. */
  scanLog(
    caller: Caller,
    partition: number,
    scan: { readonly through: number; readonly from: number; readonly sinceMs: number },
    done: (entries: readonly Stored[] | undefined, storedAt: number) => void,
  ): void {
    const { log } = this.partitions[partition]!
    const { through, from, sinceMs } = scan
    type Answer = { entries: readonly Stored[]; storedAt: number } | 'silence'
    this.#wire.call<Answer>(
      caller,
      SCAN_MS,
      'silence',
      'silence',
      (reply) => {
        const lag = this.#lagNow()
        const end = log.messages[through - 1]
        if (this.scansToTheEnd && (end === undefined || !log.isVisible(end, lag))) {
          reply(undefined)
          return
        }
        let start = Math.min(from, through)
        const young = log.messages.findIndex((stored) => log.isVisible(stored, lag) && stored.storedAt >= sinceMs)
        if (young >= 0) start = Math.min(start, young + 1)
        const entries: Stored[] = []
        for (const stored of log.messages) {
          if (stored.seq > through) break
          if (stored.header === undefined || stored.subject === 'late' || !log.isVisible(stored, lag)) continue
          if (stored.seq >= start || stored.subject === 'later') entries.push(stored)
        }
        reply({ entries, storedAt: end?.storedAt ?? 0 })
      },
      (answer) => (answer === 'silence' ? done(undefined, 0) : done(answer.entries, answer.storedAt)),
    )
  }

  readMail(
    caller: Caller,
    partition: number,
    from: number,
    maxBytes: number,
    done: (batches: readonly ReadBatch[] | undefined) => void,
  ): void {
    const { mail } = this.partitions[partition]!
    this.#wire.call<readonly ReadBatch[] | 'silence'>(
      caller,
      READ_MS,
      'silence',
      'silence',
      (reply) => {
        const lag = this.#lagNow()
        const batches: ReadBatch[] = []
        let bytes = 0
        for (let seq = Math.max(1, from); seq <= mail.messages.length && bytes < maxBytes; seq++) {
          const stored = mail.messages[seq - 1]!
          if (!mail.isVisible(stored, lag)) {
            if (batches.length > 0) break
            continue
          }
          const batch = readBatch(stored)
          bytes += batch.bytes
          batches.push(batch)
        }
        reply(batches)
      },
      (answer) => done(answer === 'silence' ? undefined : answer),
    )
  }

  readLater(
    caller: Caller,
    partition: number,
    seq: number,
    done: (read: ReadBatch | 'none' | undefined) => void,
  ): void {
    const { log } = this.partitions[partition]!
    this.#wire.call<ReadBatch | 'none' | 'silence'>(
      caller,
      READ_MS,
      'silence',
      'silence',
      (reply) => {
        const lag = this.#lagNow()
        const stored = log.messages[seq - 1]
        if (stored !== undefined && log.isVisible(stored, lag)) reply(readBatch(stored))
        // Only a message beyond it shows that it is gone: else the replica lags.
        else reply(log.messages.some((other) => other.seq > seq && log.isVisible(other, lag)) ? 'none' : 'silence')
      },
      (answer) => done(answer === 'silence' ? undefined : answer),
    )
  }

  /** The store of a node may hold a purge back after it has answered, and then it is gone if the node is. */
  purgeMail(caller: Caller, partition: number, before: number, done: (done: boolean) => void): void {
    if (this.#random.chance(0.5)) {
      this.#remove(caller, partition, 'mail', 'below', before, done)
      return
    }
    const { process } = caller
    const { incarnation } = process
    const purge = () =>
      process.run(incarnation, () =>
        this.#remove(caller, partition, 'mail', 'below', before, (gone) => {
          if (!gone) this.#timeline.after(RETRY_MS, purge)
        }),
      )
    process.run(incarnation, () => done(true))
    this.#timeline.after(this.#random.spread(1_000, HELD_MOST_MS), purge)
  }
  deleteLater(caller: Caller, partition: number, seq: number, done: (done: boolean) => void): void {
    this.#remove(caller, partition, 'log', 'exactly', seq, done)
  }
  purgeBody(caller: Caller, partition: number, body: string, done: (done: boolean) => void): void {
    this.#remove(caller, partition, 'body', 'body', body, done)
  }

  listBodies(caller: Caller, partition: number, done: (bodies: readonly ListedBody[] | undefined) => void): void {
    const { body: stream } = this.partitions[partition]!
    this.#wire.call<readonly ListedBody[] | 'silence'>(
      caller,
      SCAN_MS,
      'silence',
      'silence',
      (reply) => {
        const lag = this.#lagNow()
        const bodies = new Map<string, ListedBody>()
        for (const stored of stream.messages) {
          if (!stream.isVisible(stored, lag)) continue
          const id = stored.body!
          bodies.set(id, { id, chunks: 1, bytes: 1, newestAt: stored.storedAt })
        }
        reply([...bodies.values()])
      },
      (answer) => done(answer === 'silence' ? undefined : answer),
    )
  }

  /** Facts that nobody needs any more. Old leases stay: they cost nothing here. */
  trimLog(caller: Caller, partition: number, before: number, olderThan: number): void {
    const its = this.partitions[partition]!
    const serve = (reply: (answer: boolean | undefined) => void) => {
      const removed = its.log.trim(before, olderThan)
      if (removed !== undefined && removed.length > 0) this.#observer.removed(its, its.log, removed, caller.process.id)
      reply(removed === undefined ? undefined : true)
    }
    this.#wire.call<boolean>(caller, REMOVE_MS, false, false, serve, () => {})
  }

  #remove(
    caller: Caller,
    partition: number,
    where: 'mail' | 'log' | 'body',
    which: 'below' | 'exactly' | 'body',
    what: number | string,
    done: (done: boolean) => void,
  ): void {
    const its = this.partitions[partition]!
    this.#wire.call<boolean>(
      caller,
      REMOVE_MS,
      false,
      false,
      (reply) => {
        const removed = its[where].remove(which, what)
        if (removed !== undefined && removed.length > 0) {
          this.#observer.removed(its, its[where], removed, caller.process.id)
        }
        reply(removed === undefined ? undefined : true)
      },
      done,
    )
  }

  #publish(
    caller: Caller,
    stream: Stream,
    message: Message,
    timeoutMs: number,
    done: (answer: PublishAnswer) => void,
  ): void {
    const serve = (reply: (answer: PublishAnswer | undefined) => void) => stream.publish(message, reply)
    this.#wire.call<PublishAnswer>(caller, timeoutMs, UNSENT, UNANSWERED, serve, done)
  }

  #lagNow(): number {
    return this.#random.chance(this.lag.chance) ? this.#random.spread(1, this.lag.most) : 0
  }
}

function readBatch({ seq, storedAt, subject, id, records }: Stored): ReadBatch {
  return { seq, storedAt, id: subject === 'mail' ? id : '', records, bytes: records.length * RECORD_BYTES }
}
