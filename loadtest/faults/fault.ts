// What a fault of the matrix is. Each is told what it may break; the runner puts load around it and judges.

import type { Random } from '../random.ts'
import type { Room, RoomOptions } from './room.ts'
import type { Sites } from './sites.ts'

export type FaultKind = 'process' | 'link' | 'disk' | 'site' | 'dns' | 'clock' | 'change' | 'power'

export interface Fault {
  readonly name: string
  readonly kind: FaultKind
  /** One sentence: what breaks. */
  readonly what: string
  /** Loopback is enough for process faults; all others need namespaces. */
  readonly needs: 'loopback' | 'namespaces'
  /** Part of the quick subset: each kind once. */
  readonly quick?: boolean
  /** What the room must be like; faults with the same wishes share a room. */
  readonly room?: Pick<RoomOptions, 'diskMiB' | 'sync' | 'delayable' | 'clocks'>
  readonly bars: Bars
  /** Breaks, waits, heals. Resolves when all is healed; what it changed and did not put back the runner heals. */
  run(scene: Scene): Promise<void>
}

export interface Bars {
  /** Longest time without an acceptance; null = no bar, with the reason in `why`. */
  readonly gapMs: number | null
  /** Whether mail may rightly go out twice: a delivery node or its link is hit, or a site fails at the final dot. */
  readonly duplicates: boolean
  /** Longest that mail may be held up; absent = no bar. */
  readonly takeoverMs?: number
  /** Longest time from the last heal to the normal rate; absent = 10 s. */
  readonly recoveryMs?: number
  /** True when losses are expected, and their absence is the failure (the planted fault of the power cut). */
  readonly losses?: boolean
  /** True when a release takes part that does not tell readers everything. */
  readonly untold?: boolean
  readonly why?: string
}

export interface Scene {
  readonly room: Room
  readonly sites: Sites
  readonly random: Random
  /** Writes down what was done, when, to whom. `kind` 'hit' opens a fault, 'heal' closes it. */
  mark(kind: 'hit' | 'heal' | 'note', nodes: readonly string[], text: string): void
  sleep(ms: number): Promise<void>
  /** How long a fault is left as it is: `ms` in the full matrix, less in the quick one, but never less than `atLeastMs`. */
  hold(ms: number, atLeastMs?: number): Promise<void>
  /** One of them, drawn with the seed. */
  pick<T>(list: readonly T[]): T
  /** Waits until this many more messages have been accepted: proof that mail flows. */
  flowing(messages: number, withinMs?: number): Promise<void>
}

export interface Mark {
  readonly at: number
  readonly kind: 'hit' | 'heal' | 'note'
  readonly nodes: readonly string[]
  readonly text: string
}
