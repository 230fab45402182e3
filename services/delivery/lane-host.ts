/** What a lane needs of the engine: its limits, its share of the node's connections, and whom to tell. */
import type { Closer } from './closer.ts'
import type { Dialled } from './dialler.ts'
import type { Job } from './job.ts'

export interface LaneHost {
  readonly closer: Closer
  readonly limits: LaneLimits
  now(): number
  chance(): number
  dial(destination: string): Promise<Dialled>
  /** Takes a place for one more connection; false: none is free, `lane.pump` will be called when one is. */
  takePlace(lane: Waiting): boolean
  freePlace(): void
  /** Other lanes wait for a place. */
  othersWait(lane: Waiting): boolean
  /** The job may not begin or finish now (lease): it comes back to its lane later, or is revoked. */
  hold(job: Job): void
  /** A transaction begins… */
  began(): void
  /** …and is over, whatever it came to. */
  ended(job: Job): void
  fenced(): void
  lostAfterDot(): void
}

export interface LaneLimits {
  readonly connections: number
  readonly messagesPerConnection: number
  /** Jobs that may wait in memory; beyond, they are parked at once. */
  readonly ready: number
  readonly idleMs: number
  /** Jobs that wait longer than this are parked; Infinity where parking would make room for nobody. */
  readonly parkAfterMs: number
}

/** Whoever waits for a place. */
export interface Waiting {
  pump(): void
}
