/** The verbs of the owner's machine, for its shell and its simulator. Implemented by owner.ts. */
import type { PublishAnswer } from '../answer.ts'
import type { EntryHeader } from '../entry.ts'
import type { LeaseRead } from '../lease.ts'
import type { Outcome } from '../outcome.ts'
import type { ListedBody, Moment, OwnerEffect, Phase, ReadBatch } from './effect.ts'
import type { Figures } from './figures.ts'
import type { OpenBatch } from './open-batch.ts'
import type { Rules, Times } from './rules.ts'

export interface OwnerOptions {
  readonly partition: number
  /** Process incarnation, never reused. */
  readonly node: string
  readonly name: string
  /** Unique id for a try; called for each lease and entry. */
  readonly newId: () => string
  /** From 0 to 1. */
  readonly chance: () => number
  readonly rules?: Partial<Rules>
  /** Where they differ from TIMES: a simulation has no patience for hours. */
  readonly memory?: Partial<
    Pick<
      Times,
      'halfRun' | 'repeatWindow' | 'repeatSlack' | 'replicaLag' | 'unknownFate' | 'trimEvery' | 'keepLog' | 'sweepAge'
    >
  >
  /** Bytes of open batches this partition may hold. */
  readonly openBytes?: number
}

export interface OwnerApi {
  readonly phase: Phase
  /** Take and clear after every call. */
  takeEffects(): OwnerEffect[]

  /**
   * Call at least every 50 ms while effects or tasks are pending, and at `nextWake`. `rank`: position of this node in the
   * partition's order of preference (0 = first choice); undefined = abstain. `hasRoom(destination)` as in the port.
   */
  wake(now: Moment, rank: number | undefined, hasRoom: (destination: string) => boolean): void
  /** Earliest monotonic time at which wake() has something to do, if nothing else happens before and no rank changes. */
  nextWake(now: Moment): number

  leaseRead(read: LeaseRead, now: Moment): void
  leaseWritten(id: string, answer: PublishAnswer, now: Moment): void
  entryWritten(id: string, answer: PublishAnswer, now: Moment): void
  /** Not for what lies under `.late`. */
  logEntry(seq: number, storedAt: number, header: EntryHeader, size: number): void
  logScanned(through: number, done: boolean, storedAt: number, now: Moment): void
  mailRead(from: number, batches: readonly ReadBatch[] | undefined, now: Moment): void
  laterRead(seq: number, batch: ReadBatch | 'none' | undefined, now: Moment): void
  mailPurged(before: number, done: boolean): void
  logTrimmed(below: number | undefined): void
  laterDeleted(seq: number, done: boolean): void
  bodyPurged(body: string, done: boolean): void
  /** A record that is known refers to it, or all of them are closed and it is being purged. */
  needsBody(body: string): boolean
  bodiesListed(bodies: readonly ListedBody[] | undefined, now: Moment): void
  /** MAIL has a batch `seq`; a hint. */
  nudge(seq: number, now: Moment): void
  /** Somebody tried to write this lease; a hint (a release wakes the candidates). */
  leaseHeard(released: boolean, now: Moment): void

  /** Nothing new is begun; when all is stored the lease is released and the phase becomes `stopped`. */
  stop(now: Moment): void
  /** Stop without waiting any longer: what is begun stays open for the successor, nothing is released. */
  abandon(now: Moment): void

  begin(batch: OpenBatch, record: number, positions: readonly number[], now: Moment): boolean
  mayFinish(now: Moment): boolean
  /** Exactly once per begun or given position. */
  close(batch: OpenBatch, record: number, positions: readonly number[], outcome: Outcome, now: Moment): void

  /** Server-time age of a message stored at `storedAt`, ms; never more than it really is. */
  age(storedAt: number, now: Moment): number
  figures(): Figures | undefined
  backlog(): { ready: number; later: number; bytes: number }
}
