// What a run came to: the JSON that it prints, and that docs/kubernetes.json keeps.

import type { PhaseFacts } from './load.ts'
import type { Bars } from './step.ts'

export interface StepResult {
  readonly name: string
  readonly what: string
  readonly outcome: 'passed' | 'failed' | 'not run'
  /** Why it was not run, what it threw, which bars it missed. */
  readonly why: readonly string[]
  /** How long it took until all was well again. */
  readonly seconds: number
  /** What the senders and the sink saw meanwhile; null: no mail flowed. */
  readonly facts: PhaseFacts | null
  readonly bars: Bars | null
  /** What was done to whom. */
  readonly notes: readonly string[]
}

export interface Mail {
  readonly messages: number
  readonly recipients: number
  readonly lost: number
  readonly altered: number
  readonly unexpected: number
  readonly duplicates: number
  /** Tries whose fate the client never learned. */
  readonly unknown: number
}

export interface Conditions {
  readonly date: string
  readonly kubernetes: string
  readonly helm: string
  readonly nodes: number
  /** Nodes may share one. */
  readonly machines: number
  /** Of all machines together. */
  readonly cores: number
  readonly memoryGiB: number
  /** Kernel, architecture and container runtime of the nodes: each combination once. */
  readonly platforms: readonly string[]
  /** Of the machine that this program ran on, before the run: over 1, 5 and 15 minutes. */
  readonly loadBefore: readonly number[]
  readonly image: string
  readonly previousImage: string
  readonly commit: string
  readonly rate: number
  readonly namespace: string
}

export interface RunResult {
  readonly passed: boolean
  /** Everything that is wrong, one line each. */
  readonly failures: readonly string[]
  readonly steps: readonly StepResult[]
  /** Of all loads together; null: none was judged. */
  readonly mail: Mail | null
  readonly seconds: number
  readonly conditions: Conditions
  /** What could not be put back. */
  readonly left: readonly string[]
}
