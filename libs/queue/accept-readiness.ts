/**
 * Whether an edge should be sent mail, from what is known of the partitions. It turns not ready before mail has to be
 * refused, at once, and ready again only after all was well for a while, so that a load balancer does not see it
 * flap. Pure: the monotonic time is an argument.
 */
import type { Readiness } from './port.ts'

export interface PartitionFacts {
  /** Has a leader, and its last batch was not refused for want of one. */
  readonly leader: boolean
  /** Its batch has had no answer for too long. */
  readonly suspect: boolean
  readonly full: boolean
  /** Used part of the room, 0 to 1. */
  readonly used: number
}
export interface ReadinessFacts {
  readonly partitions: readonly PartitionFacts[]
  /** Why no server is connected; undefined if one is. */
  readonly disconnected: string | undefined
  readonly heldBytes: number
  readonly maxHeldBytes: number
}

const READY_AGAIN_AFTER_MS = 1000
const HELD_TOO_MUCH = 0.9

export class AcceptReadiness {
  #not: Readiness
  #wellSince: number | undefined

  get notReady(): Readiness {
    return this.#not
  }

  update(facts: ReadinessFacts, now: number): Readiness {
    const not = assess(facts)
    if (not !== undefined) {
      this.#not = not
      this.#wellSince = undefined
    } else if (this.#not !== undefined) {
      this.#wellSince ??= now
      if (now - this.#wellSince >= READY_AGAIN_AFTER_MS) this.#not = undefined
    }
    return this.#not
  }
}

export function assess(facts: ReadinessFacts): Readiness {
  if (facts.disconnected !== undefined) return { why: 'unavailable', reason: facts.disconnected }
  const led = facts.partitions.filter(({ leader }) => leader)
  if (led.length === 0) return { why: 'unavailable', reason: 'no partition has a leader' }
  const open = led.filter(({ full }) => !full)
  if (open.length === 0) {
    const used = Math.max(...led.map((partition) => partition.used))
    return { why: 'full', reason: used > 0 ? `queue ${Math.round(used * 100)} % full` : 'queue full' }
  }
  if (open.every(({ suspect }) => suspect)) return { why: 'unavailable', reason: 'no partition answers' }
  if (facts.heldBytes > facts.maxHeldBytes * HELD_TOO_MUCH) {
    return { why: 'unavailable', reason: `${Math.round(facts.heldBytes / 1048576)} MiB wait for the queue` }
  }
  return undefined
}
