// A load that runs in the cluster: steered and asked through `kubectl exec`. What its answers mean is written in
// loadtest/remote; here are the fields that are read.

import { CONTAINER, OPEN } from './load-pod.ts'
import type { Kubectl } from './kubectl.ts'

interface Incident {
  readonly at: string
  readonly stage: string
  readonly code?: number
  readonly text: string
  readonly edge: string
}

/** Of loadtest/remote/phase-summary.ts. */
export interface PhaseSummary {
  readonly name: string
  readonly seconds: number
  readonly accepted: number
  readonly acceptedPerSecond: number
  readonly refused: number
  readonly refusals: readonly Incident[]
  readonly unknown: number
  readonly gaps: { readonly longestMs: number; readonly from: string | null }
  readonly acceptMs: { readonly p99: number | null; readonly longest: number | null }
  readonly waitMs: { readonly p99: number | null; readonly longest: number | null }
  readonly closedInGoodOrder: number
  readonly connectFailures: number
  readonly connectTroubles: readonly Incident[]
  readonly turnedAway: number
  readonly turnedAwayWith: readonly Incident[]
  readonly lostConnections: number
  readonly losses: readonly Incident[]
  readonly deliveries: number
  readonly deliveryMs: { readonly p99: number | null; readonly longest: number | null }
  readonly duplicates: number
}

/** Recipients accepted and not arrived. */
export interface Open {
  readonly recipients: number
  /** Of those that the sink has not deferred. */
  readonly oldestMs: number
}

export interface Status {
  readonly state: 'running' | 'stopping' | 'stopped'
  /** Messages begun. */
  readonly messages: number
  readonly open: Open
  readonly trouble?: string
  readonly phase: PhaseSummary | undefined
}

export interface Verdict {
  readonly judgement: 'sound' | 'faulty' | 'undecided'
  readonly why: readonly string[]
  readonly lost: number
  readonly altered: number
  readonly unexpected: number
  readonly duplicates: number
  readonly unknown: number
  readonly recipients: { readonly accepted: number }
  readonly messages: { readonly accepted: number }
  readonly phases: readonly PhaseSummary[]
}

/** What is told of a phase in the results. */
export interface PhaseFacts {
  readonly seconds: number
  readonly accepted: number
  readonly perSecond: number
  readonly gapMs: number
  /** From when a client had a message in hand to its 250, connecting and trying again included: the longest. */
  readonly longestWaitMs: number | null
  readonly refused: number
  readonly turnedAway: number
  readonly connectFailures: number
  readonly lostConnections: number
  readonly unknown: number
  readonly duplicates: number
  readonly longestDeliveryMs: number | null
}

export function factsOf(phase: PhaseSummary): PhaseFacts {
  return {
    seconds: phase.seconds,
    accepted: phase.accepted,
    perSecond: phase.acceptedPerSecond,
    gapMs: phase.gaps.longestMs,
    longestWaitMs: phase.waitMs.longest,
    refused: phase.refused,
    turnedAway: phase.turnedAway,
    connectFailures: phase.connectFailures,
    lostConnections: phase.lostConnections,
    unknown: phase.unknown,
    duplicates: phase.duplicates,
    longestDeliveryMs: phase.deliveryMs.longest,
  }
}

/** The first words of what went wrong in a phase, for who has to find out why. */
export function troublesOf(phase: PhaseSummary, most = 3): string[] {
  const kinds = [
    ['refused', phase.refusals],
    ['turned away', phase.turnedAwayWith],
    ['no connection', phase.connectTroubles],
    ['connection lost', phase.losses],
  ] as const
  return kinds.flatMap(([what, list]) =>
    list
      .slice(0, most)
      .map(({ at, stage, code, text, edge }) => `${what} at ${stage}, ${at}, ${edge}: ${code ?? ''} ${text}`.trim()),
  )
}

const EXTRA_MS = 30_000
/** Once more after a connection to the API server was lost: every command may be repeated. */
const TRIES = 3

export class Load {
  readonly name: string
  readonly #kubectl: Kubectl

  constructor(kubectl: Kubectl, name: string) {
    this.#kubectl = kubectl
    this.name = name
  }

  status(): Promise<Status> {
    return this.#control(['status'])
  }

  /** Begins a phase; answers with the one that ended. */
  phase(name: string): Promise<PhaseSummary | null> {
    return this.#control(['phase', name])
  }

  rate(perSecond: number): Promise<unknown> {
    return this.#control(['rate', String(perSecond)])
  }

  stop(): Promise<unknown> {
    return this.#control(['stop'], 60_000)
  }

  drain(seconds: number): Promise<{ readonly complete: boolean; readonly open: Open }> {
    return this.#control(['drain', String(seconds)], 60_000 + seconds * 1000)
  }

  verdict(): Promise<Verdict> {
    return this.#control(['verdict'])
  }

  /** The Service leads to the pod from now on. */
  async open(): Promise<void> {
    await this.#kubectl.run(['label', 'pod', this.name, `${OPEN.label}=${OPEN.value}`, '--overwrite'])
  }

  /** Exit statuses 1 and 2 of a verdict are its judgement, and no failure. */
  async #control<T>(command: readonly string[], takesMs = 0): Promise<T> {
    const program = ['node', 'loadtest/main.ts', 'remote-control', ...command]
    const args = ['exec', this.name, `--container=${CONTAINER}`, '--', ...program]
    for (let left = TRIES - 1; ; left--) {
      const { status, stdout, stderr } = await this.#kubectl.attempt(args, { timeoutMs: takesMs + EXTRA_MS })
      try {
        const answer = JSON.parse(stdout) as T
        if (status !== null && status < 3) return answer
      } catch {
        // no answer: told below
      }
      if (left === 0)
        throw new Error(`load ${this.name}: ${command.join(' ')}: ${stderr.trim() || stdout.trim() || status}`)
    }
  }
}
