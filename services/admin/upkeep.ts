/** Forgets what the index keeps no longer, step by step, for as long as the process lives. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Log } from '@posthouse/runtime/log'
import type { EventIndex } from './index/event-index.ts'

/** Between steps, so that everything else has its turn; and after the last one, ms. */
const [BETWEEN, REST] = [20, 1000]

export async function forgetOld(
  index: EventIndex,
  {
    log,
    signal,
    removed,
  }: { readonly log: Log; readonly signal: AbortSignal; readonly removed: (messages: number) => void },
): Promise<void> {
  while (!signal.aborted) {
    let more = false
    try {
      const step = index.forget()
      removed(step.removed)
      more = step.more
    } catch (error) {
      log.error({ err: error }, 'old events could not be removed from the index; trying again')
    }
    await wait(more ? BETWEEN : REST, undefined, { signal }).catch(() => undefined)
  }
}
