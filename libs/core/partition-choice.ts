/**
 * What an edge knows of each partition, and its choice among them. Only hints: a wrong choice costs time, never mail.
 * Partitions with a live owner come before ownerless ones, and those before leaderless ones, which are tried now and
 * then (a refusal comes at once and costs nothing); full ones are never chosen. Among equals an edge keeps off the server
 * that leads what other edges use, so that one lost server never has the open batches of all edges. Of two taken at
 * random from the best the less loaded wins. Pure: the monotonic time (ms) and chance are arguments.
 */
import type { Refusal } from './answer.ts'
import type { Lease } from './lease.ts'

/** What the servers said of a partition at the last poll. */
export interface PartitionHint {
  readonly leader: boolean
  /** Used part of the room, 0 to 1. */
  readonly used: number
  /** The server that leads the partition's mail, if known. */
  readonly server?: string
}

/** From here on a partition takes no new mail, so that outcomes and deferred copies always find room… */
export const FULL_AT = 0.8
/** …until it has drained to here. */
export const OPEN_AGAIN_AT = 0.75

/** Other edges say at least every one and a quarter seconds what they use. */
const OTHERS_USE_MS = 2000

/** An answer to a batch outweighs a poll that may be older than it. */
const ANSWER_HOLDS_MS = 2000
/** A leaderless partition is tried again after this, then after twice as long, up to the limit. */
const FIRST_PROBE_MS = 100
const LAST_PROBE_MS = 800

interface Known {
  leader: boolean
  used: number
  full: boolean
  refusedFullAt: number
  /** Refused for another reason than room, and nothing stored since. */
  refusedAt: number | undefined
  refusals: number
  probeAt: number
  /** The owner renews its lease every fifth of the lease time: half of it in silence means that it is hardly alive. */
  ownedUntil: number
  backlog: number
  storedAt: number
  server: string | undefined
}

interface Use {
  readonly partition: number
  readonly until: number
}

export class PartitionChoice {
  readonly #known: readonly Known[]
  /** What each other edge said last. */
  readonly #uses = new Map<string, Use>()

  constructor(partitions: number) {
    this.#known = Array.from({ length: partitions }, () => ({
      leader: true,
      used: 0,
      full: false,
      refusedFullAt: -Infinity,
      refusedAt: undefined,
      refusals: 0,
      probeAt: -Infinity,
      ownedUntil: -Infinity,
      backlog: 0,
      storedAt: -Infinity,
      server: undefined,
    }))
  }

  get partitions(): number {
    return this.#known.length
  }

  lease(partition: number, lease: Lease, now: number): void {
    const known = this.#at(partition)
    known.ownedUntil = lease.released ? -Infinity : now + lease.time / 2
    known.backlog = lease.backlog.ready
  }

  hint(partition: number, hint: PartitionHint, now: number): void {
    const known = this.#at(partition)
    known.leader = hint.leader || now - known.storedAt < ANSWER_HOLDS_MS
    known.used = hint.used
    known.server = hint.server
    if (known.full) known.full = hint.used >= OPEN_AGAIN_AT || now - known.refusedFullAt < ANSWER_HOLDS_MS
    else known.full = hint.used >= FULL_AT
    if (hint.leader && known.refusedAt !== undefined && now - known.refusedAt >= ANSWER_HOLDS_MS) this.#clear(known)
  }

  /** Another edge said that it uses the partition. */
  usedByOther(edge: string, partition: number, now: number): void {
    this.#at(partition)
    for (const [other, { until }] of this.#uses) if (until <= now) this.#uses.delete(other)
    this.#uses.set(edge, { partition, until: now + OTHERS_USE_MS })
  }

  /** No other edge has taken mail lately. */
  isAlone(now: number): boolean {
    for (const { until } of this.#uses.values()) if (until > now) return false
    return true
  }

  /** Another server, as good as the partition's, leads less of what other edges use. */
  isCrowded(partition: number, now: number): boolean {
    const crowd = this.#crowd(partition, now)
    if (crowd === 0) return false
    const rank = this.rank(partition, now)
    return this.#known.some((_, other) => this.rank(other, now) <= rank && this.#crowd(other, now) < crowd)
  }

  server(partition: number): string | undefined {
    return this.#at(partition).server
  }

  stored(partition: number, now: number): void {
    const known = this.#at(partition)
    known.storedAt = now
    known.leader = true
    this.#clear(known)
  }

  refused(partition: number, why: Refusal, now: number): void {
    const known = this.#at(partition)
    if (why === 'full') {
      known.full = true
      known.refusedFullAt = now
      return
    }
    known.refusedAt = now
    known.probeAt = now + Math.min(FIRST_PROBE_MS * 2 ** known.refusals++, LAST_PROBE_MS)
  }

  isFull(partition: number): boolean {
    return this.#at(partition).full
  }

  /** The time from which a batch may be published there. */
  mayTryAt(partition: number): number {
    return this.#at(partition).probeAt
  }

  used(partition: number): number {
    return this.#at(partition).used
  }

  allFull(): boolean {
    return this.#known.every((known) => known.full)
  }

  /** 0: has a live owner; 1: has none, as far as is heard; 2: leaderless or refused lately; 3: full. */
  rank(partition: number, now: number): 0 | 1 | 2 | 3 {
    const known = this.#at(partition)
    if (known.full) return 3
    if (!known.leader || known.refusedAt !== undefined) return 2
    return known.ownedUntil > now ? 0 : 1
  }

  /** The better of two taken at random from the best of those that `free` names and that may be tried now. */
  pick(now: number, random: () => number, free: (partition: number) => boolean): number | undefined {
    let rank = 3
    let crowd = Infinity
    let best: number[] = []
    for (let partition = 0; partition < this.#known.length; partition++) {
      const its = this.rank(partition, now)
      if (its > rank || its === 3 || this.#at(partition).probeAt > now || !free(partition)) continue
      const itsCrowd = this.#crowd(partition, now)
      if (its === rank && itsCrowd > crowd) continue
      if (its < rank || itsCrowd < crowd) best = []
      rank = its
      crowd = itsCrowd
      best.push(partition)
    }
    if (best.length < 2) return best[0]
    const one = Math.floor(random() * best.length)
    const two = (one + 1 + Math.floor(random() * (best.length - 1))) % best.length
    const a = best[one] as number
    const b = best[two] as number
    return this.#at(b).backlog < this.#at(a).backlog ? b : a
  }

  /** Other edges that use what the same server leads. */
  #crowd(partition: number, now: number): number {
    const { server } = this.#at(partition)
    let crowd = 0
    for (const use of this.#uses.values()) if (use.until > now && this.#at(use.partition).server === server) crowd++
    return crowd
  }

  #clear(known: Known): void {
    known.refusedAt = undefined
    known.refusals = 0
    known.probeAt = -Infinity
  }

  #at(partition: number): Known {
    const known = this.#known[partition]
    if (known === undefined) throw new RangeError(`there is no partition ${partition}`)
    return known
  }
}
