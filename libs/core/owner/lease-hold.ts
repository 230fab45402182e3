/**
 * What this process knows of its own lease: the stored record's sequence (the fencing number) and how long it still
 * holds. A lease counts from the first sending of the try that was stored, by the clock that ran further: a candidate's
 * waiting begins later than that, so it can only end later.
 */
import type { Lease } from '../lease.ts'
import { TIMES, type Rules } from './rules.ts'

/** Monotonic time, and time by the clock that ran further (RanClock). */
export interface Sent {
  readonly mono: number
  readonly ran: number
}

export class LeaseHold {
  readonly #rules: Rules
  /** First sending of each try that may still be stored, by lease id. */
  readonly #tries = new Map<string, { lease: Lease; sent: Sent; lastSent: Sent }>()
  #seq = 0
  #lease: Lease | undefined
  #from: Sent = { mono: 0, ran: 0 }

  constructor(rules: Rules) {
    this.#rules = rules
  }

  /** Sequence of the last lease of ours known to be stored; 0: none. */
  get seq(): number {
    return this.#seq
  }

  get stored(): Lease | undefined {
    return this.#lease
  }

  /** When the stored try was first sent. */
  get from(): Sent {
    return this.#from
  }

  sending(lease: Lease, now: Sent): void {
    const known = this.#tries.get(lease.id)
    if (known === undefined) this.#tries.set(lease.id, { lease, sent: now, lastSent: now })
    else known.lastSent = now
  }

  /** A try is stored as `seq`, known by its PubAck or because it was read. False: not ours, or an older one. */
  storedAs(id: string, seq: number): boolean {
    const known = this.#tries.get(id)
    if (known === undefined) return false
    if (seq <= this.#seq) return seq === this.#seq
    this.#seq = seq
    this.#lease = known.lease
    this.#from = this.#rules.firstSending ? known.sent : known.lastSent
    for (const [other, { lease }] of this.#tries) {
      if (other === id) break
      if (lease !== known.lease) this.#tries.delete(other)
    }
    return true
  }

  isOurs(id: string): boolean {
    return this.#tries.has(id)
  }

  firstSent(id: string): Sent | undefined {
    return this.#tries.get(id)?.sent
  }

  /** ms until the lease ends; negative when it has. */
  remaining(ran: number): number {
    if (this.#lease === undefined) return -Infinity
    return this.#lease.time - (ran - this.#from.ran)
  }

  /** Enough of it is left for what cannot be called back: a final dot, a removal. */
  hasMargin(ran: number): boolean {
    return this.remaining(ran) > (this.#rules.margin ? TIMES.margin : 0)
  }

  clear(): void {
    this.#tries.clear()
    this.#seq = 0
    this.#lease = undefined
  }
}
