// Waits until everything that was accepted has found its end, so that the ledger judges a quiet system.

import { setTimeout as sleep } from 'node:timers/promises'
import type { History } from './history.ts'
import { missingOf } from './ledger.ts'

export interface Draining {
  readonly history: History
  /** How many recipients are still queued, or null when nobody knows. */
  readonly queued: () => Promise<number | null>
  readonly timeoutMs: number
  /** How long nothing may have arrived before an unanswered question about the queue is taken for an end. */
  readonly quietMs: number
  readonly signal?: AbortSignal
}

/**
 * Done when nothing is missing and the queue says it is empty; or when nothing is missing and it has been quiet for long
 * (the queue could not be asked); or in the end when the time is up. Answers with what is queued then.
 */
export async function drain(draining: Draining): Promise<number | null> {
  const { history, queued, timeoutMs, quietMs } = draining
  const deadline = performance.now() + timeoutMs
  let arrivals = -1
  let quietSince = performance.now()
  for (;;) {
    const now = performance.now()
    if (history.arrivals.length !== arrivals) {
      arrivals = history.arrivals.length
      quietSince = now
    }
    const over = now > deadline || draining.signal?.aborted === true
    if (over || missingOf(history.attempts, history.arrivals) === 0) {
      const count = await queued()
      // An empty queue that was asked after the last arrival: nothing more can come.
      if (over || count === 0 || now - quietSince > quietMs) return count
    }
    await sleep(200)
  }
}
