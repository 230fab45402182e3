/**
 * Who is alive among the delivery nodes, and which of them should own which partition. Heartbeats are hints: a wrong
 * opinion moves a partition needlessly, never two owners at once (that is the lease's job). Names, not incarnations,
 * are ranked, so that a restarted node gets back what it had.
 */
import { preferences } from '@posthouse/core/rendezvous'
import type { Heartbeat, Store } from './store.ts'

const BEAT_EVERY_MS = 500
/** A node not heard for so long is not counted. */
const SILENT_MS = 3_000

export class Membership {
  readonly #store: Store
  readonly #self: { readonly node: string; readonly name: string }
  readonly #heard = new Map<string, { node: string; at: number }>()
  readonly #timer: NodeJS.Timeout
  readonly #stopHearing: () => void
  readonly #startedAt = performance.now()
  #abstains = false
  #preferences: readonly string[][] = []

  constructor(store: Store, self: { node: string; name: string }) {
    this.#store = store
    this.#self = self
    this.#stopHearing = store.onHeartbeat((beat) => this.#hear(beat))
    this.#timer = setInterval(() => this.#beat(), BEAT_EVERY_MS)
    this.#beat()
  }

  /** Position of this node in the order of preference for a partition; undefined: it abstains, or heard nobody yet. */
  rank(partition: number): number | undefined {
    if (this.#abstains || !this.#settled) return undefined
    const rank = this.#preferences[partition]?.indexOf(this.#self.name) ?? -1
    return rank < 0 ? undefined : rank
  }

  /** The others have had time to be heard. */
  get #settled(): boolean {
    return performance.now() - this.#startedAt > 2 * BEAT_EVERY_MS
  }

  /** From now on this node owns nothing new; the others are told. */
  abstain(): void {
    this.#abstains = true
    this.#beat()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#stopHearing()
  }

  #beat(): void {
    const since = performance.now() - SILENT_MS
    const live = [this.#self.name]
    for (const [name, { at }] of this.#heard) {
      if (at < since) this.#heard.delete(name)
      else live.push(name)
    }
    this.#preferences = preferences(this.#store.partitions, live)
    this.#store.heartbeat({ ...this.#self, abstains: this.#abstains })
  }

  #hear({ node, name, abstains }: Heartbeat): void {
    if (node === this.#self.node) return
    if (!abstains) this.#heard.set(name, { node, at: performance.now() })
    else if (this.#heard.get(name)?.node === node) this.#heard.delete(name)
  }
}
