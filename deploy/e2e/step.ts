// What a step of the run is: it changes the cluster in one way, or breaks it, while mail flows; the runner waits until all is well
// again, and judges.

import type { Scene } from './scene.ts'

export interface Bars {
  /** Longest time without a 250 over all clients, ms; null: no bar. */
  readonly gapMs: number | null
  /** Nobody may notice: no command refused, no connection turned away, not made or lost. */
  readonly unnoticed: boolean
  /** Whether mail may rightly go out twice: a delivery node died, or was cut off. */
  readonly duplicates: boolean
  /** Longest that mail may take from its 250 to its arrival, ms; absent: no bar. */
  readonly deliveryMs?: number
  /** Why a bar is missing or wider than the usual one. */
  readonly why?: string
}

export interface Step {
  readonly name: string
  /** One sentence: what is done. */
  readonly what: string
  /** Absent: a step without mail, of which only success and time count. */
  readonly bars?: Bars
  /** Runs whatever --only says. */
  readonly always?: boolean
  /** A step that must have passed before; it runs too when this one is asked for. */
  readonly after?: string
  /** Why it cannot run on this cluster, or with these options. */
  cannot?(scene: Scene): string | undefined
  /** Brings about what the step begins with, before its phase: what clients see of that is none of the step's. */
  prepare?(scene: Scene): Promise<void>
  /** Resolves when it is done and put back; that all is well again the runner waits for. */
  run(scene: Scene): Promise<void>
}

/** A change on purpose: nobody notices. */
export const GRACEFUL: Bars = { gapMs: 1000, unnoticed: true, duplicates: false }
/** A part dies: its sessions break, the others go on. */
export const SUDDEN: Bars = { gapMs: 1000, unnoticed: false, duplicates: false }
/** How soon what a dead delivery node had in flight goes out again. */
export const TAKEOVER_MS = 20_000
