/** Simulates many seeds on all cores, and adds up what came out. */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { SimulationRules } from './simulation.ts'
import type { BrokenSeed, SeedsOrder, SeedsReport } from './seeds-worker.ts'

export interface ManySeeds {
  readonly from: number
  readonly seeds: number
  readonly rules?: Partial<SimulationRules>
  /** Stop soon after one broke: the lowest broken seed is known then. */
  readonly untilBroken?: boolean
  readonly onProgress?: (sum: SeedsReport) => void
}

const CHUNK = 50

export async function simulateMany({
  from,
  seeds,
  rules = {},
  untilBroken = false,
  onProgress,
}: ManySeeds): Promise<SeedsReport> {
  const sum = {
    seeds: 0,
    events: 0,
    virtualMs: 0,
    recipients: 0,
    duplicates: 0,
    counted: 0,
    broken: [] as BrokenSeed[],
  }
  const end = from + seeds
  let next = from
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL('./seeds-worker.ts', import.meta.url))
    try {
      while (next < end && !(untilBroken && sum.broken.length > 0)) {
        const count = Math.min(CHUNK, end - next)
        const report = await ask(worker, { from: next, count, rules, untilBroken }, () => (next += count))
        sum.seeds += report.seeds
        sum.events += report.events
        sum.virtualMs += report.virtualMs
        sum.recipients += report.recipients
        sum.duplicates += report.duplicates
        sum.counted += report.counted
        sum.broken.push(...report.broken)
        onProgress?.(sum)
      }
    } finally {
      await worker.terminate()
    }
  }
  const workers = Math.max(1, Math.min(availableParallelism(), Math.ceil(seeds / CHUNK)))
  await Promise.all(Array.from({ length: workers }, work))
  sum.broken.sort((a, b) => a.seed - b.seed)
  return sum
}

function ask(worker: Worker, order: SeedsOrder, taken: () => void): Promise<SeedsReport> {
  taken()
  return new Promise((resolve, reject) => {
    const onError = (error: unknown) => reject(error instanceof Error ? error : new Error(String(error)))
    worker.once('error', onError)
    worker.once('message', (report: SeedsReport) => {
      worker.off('error', onError)
      resolve(report)
    })
    worker.postMessage(order)
  })
}
