/**
 * The partitions that an edge uses at the moment. The first takes whatever comes, the next ones only full batches: few
 * partitions mean large batches, and a batch costs the servers the same whatever its size. Each is left after about a
 * second, so that the load spreads, and at once when it is in trouble.
 */
import type { PartitionChoice } from './partition-choice.ts'

interface Lane {
  readonly partition: number
  readonly until: number
}

export interface Traffic {
  /** Has a batch on its way. */
  isBusy(partition: number): boolean
  /** Its batch has had no answer for too long. */
  isSuspect(partition: number, now: number): boolean
  readonly fullBatchWaits: boolean
}

/** The worst rank (see PartitionChoice) that a partition in use may have. */
const WORST_RANK = 1

export class Lanes {
  readonly #choice: PartitionChoice
  readonly #random: () => number
  readonly #stayMs: number
  #lanes: Lane[] = []

  constructor(choice: PartitionChoice, random: () => number, stayMs: number) {
    this.#choice = choice
    this.#random = random
    this.#stayMs = stayMs
  }

  /** The idle partition that the next batch goes to; undefined: it waits for one in use, or for better times. */
  next(now: number, traffic: Traffic): number | undefined {
    this.#lanes = this.#lanes.filter(
      ({ partition, until }) =>
        until > now && this.#choice.rank(partition, now) <= WORST_RANK && !traffic.isSuspect(partition, now),
    )
    if (this.#lanes.length === 0) {
      const partition = this.#choice.pick(now, this.#random, (p) => !traffic.isSuspect(p, now))
      if (partition === undefined) return undefined
      this.#open(partition, now)
    }
    const first = (this.#lanes[0] as Lane).partition
    if (!traffic.isBusy(first)) return first
    if (!traffic.fullBatchWaits) return undefined
    const idle = this.#lanes.find(({ partition }) => !traffic.isBusy(partition))
    if (idle !== undefined) return idle.partition
    // Another one only if it is as good as the first: its mail should not wait for an owner.
    const worst = Math.min(this.#choice.rank(first, now), WORST_RANK)
    const isAsGood = (p: number) => !traffic.isBusy(p) && this.#choice.rank(p, now) <= worst
    const another = this.#choice.pick(now, this.#random, isAsGood)
    if (another !== undefined) this.#open(another, now)
    return another
  }

  #open(partition: number, now: number): void {
    this.#lanes.push({ partition, until: now + this.#stayMs * (0.75 + 0.5 * this.#random()) })
  }
}
