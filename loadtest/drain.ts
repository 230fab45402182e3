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

/** A dead owner's mail goes out again within 20 s: what an empty queue has not sent by then will not come. */
const LAST_HOPE_MS = 30_000
const ASK_EVERY_MS = 2000

/**
 * Done when nothing is missing and the queue says it is empty; or when nothing is missing and it has been quiet for long
 * (the queue could not be asked); or when something is missing although the queue has been empty and quiet for very long; or in the
 * end when the time is up. Answers with what is queued then.
 */
export async function drain(draining: Draining): Promise<number | null> {
  const { history, queued, timeoutMs, quietMs } = draining
  const deadline = performance.now() + timeoutMs
  let arrivals = -1
  let quietSince = performance.now()
  let askedAt = -Infinity
  for (;;) {
    const now = performance.now()
    if (history.arrivals.length !== arrivals) {
      arrivals = history.arrivals.length
      quietSince = now
    }
    const quiet = now - quietSince
    const over = now > deadline || draining.signal?.aborted === true
    const complete = missingOf(history.attempts, history.arrivals) === 0
    if (over || (now - askedAt > ASK_EVERY_MS && (complete || quiet > LAST_HOPE_MS))) {
      const count = await queued()
      askedAt = performance.now()
      // An empty queue that was asked after the last arrival: nothing more can come.
      if (over || count === 0 || (complete && count === null && quiet > quietMs)) return count
    }
    await sleep(200)
  }
}
