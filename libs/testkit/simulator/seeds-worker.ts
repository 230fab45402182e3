/** Runs the seeds it is told to, on a thread of its own. Every run of seeds is answered with one report. */
import { parentPort } from 'node:worker_threads'
import { simulate, type SimulationRules } from './simulation.ts'

export interface SeedsOrder {
  readonly from: number
  readonly count: number
  readonly rules: Partial<SimulationRules>
  /** Ends with the first that breaks. */
  readonly untilBroken: boolean
}
export interface BrokenSeed {
  readonly seed: number
  readonly promise: string
  readonly text: string
}
export interface SeedsReport {
  readonly seeds: number
  readonly events: number
  readonly virtualMs: number
  readonly recipients: number
  readonly duplicates: number
  readonly counted: number
  readonly broken: readonly BrokenSeed[]
}

export function runSeeds({ from, count, rules, untilBroken }: SeedsOrder): SeedsReport {
  const report = {
    seeds: 0,
    events: 0,
    virtualMs: 0,
    recipients: 0,
    duplicates: 0,
    counted: 0,
    broken: [] as BrokenSeed[],
  }
  for (let seed = from; seed < from + count; seed++) {
    const verdict = simulate(seed, rules)
    report.seeds++
    report.events += verdict.events
    report.virtualMs += verdict.virtualMs
    report.recipients += verdict.recipients
    report.duplicates += verdict.duplicates
    report.counted += verdict.counted
    if (verdict.broken === undefined) continue
    report.broken.push({ seed, ...verdict.broken })
    if (untilBroken) break
  }
  return report
}

parentPort?.on('message', (order: SeedsOrder) => parentPort!.postMessage(runSeeds(order)))
