/**
 * The partitions that an edge uses at the moment. The first takes whatever comes, the next ones only full batches: few
 * partitions mean large batches, and a batch costs the servers the same whatever its size. Each is left after about a
 * second, so that the load spreads, and at once when it is in trouble. Several edges together keep off each other's
 * servers (PartitionChoice); an edge alone uses two partitions led by different servers in turn. So what waits for a
 * server that fails is never all that the clients have on the way.
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
  /** Told of each partition that is taken into use. */
  readonly #opened: (partition: number) => void
  #lanes: Lane[] = []

  constructor(choice: PartitionChoice, random: () => number, stayMs: number, opened: (partition: number) => void) {
    this.#choice = choice
    this.#random = random
    this.#stayMs = stayMs
    this.#opened = opened
  }

  /** Another edge says what it uses. Where two meet at one server, a coin says which of them goes elsewhere. */
  usedByOther(partition: number, now: number): void {
    const first = this.#lanes[0]?.partition
    if (first === undefined || this.#choice.server(first) !== this.#choice.server(partition)) return
    if (this.#choice.isCrowded(first, now) && this.#random() < 0.5) this.#lanes.shift()
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
    if (!traffic.fullBatchWaits && !this.#choice.isAlone(now)) return undefined
    // Another one only if it is as good as the first: its mail should not wait for an owner.
    const worst = Math.min(this.#choice.rank(first, now), WORST_RANK)
    const server = this.#choice.server(first)
    const isIdle = (p: number) => !traffic.isBusy(p) && this.#choice.rank(p, now) <= worst
    const isWanted = (p: number) => isIdle(p) && (traffic.fullBatchWaits || this.#choice.server(p) !== server)
    const idle = this.#lanes.find(({ partition }) => isWanted(partition))
    if (idle !== undefined) return idle.partition
    if (!traffic.fullBatchWaits && this.#lanes.length > 1) return undefined
    const another = this.#choice.pick(now, this.#random, isWanted)
    if (another !== undefined) this.#open(another, now)
    return another
  }

  #open(partition: number, now: number): void {
    this.#lanes.push({ partition, until: now + this.#stayMs * (0.75 + 0.5 * this.#random()) })
    this.#opened(partition)
  }
}
