/** A delivery node: a process with a seat for each partition and one engine. */
import type { OpenBatch } from '@posthouse/core/owner/open-batch'
import { Engine, type EngineHost } from './engine.ts'
import type { NodeWorld } from './node-world.ts'
import type { Process } from './process.ts'
import { Seat, type SeatNode } from './seat.ts'
import { Link } from './wire.ts'

/** A stopping process waits so long for what is in flight. */
const DRAIN_MS = 8_000

export class DeliveryNode implements SeatNode {
  readonly process: Process
  readonly link = new Link()
  sitesCut = false
  /** True time until which no site answers this node. */
  stalledUntil = 0
  stopping = false
  /** Does not know the names of outcomes that came later. */
  isOld = false
  engine: Engine
  readonly hasRoom: (destination: string) => boolean
  readonly #world: NodeWorld
  #seats: Seat[] = []

  constructor(process: Process, world: NodeWorld) {
    this.process = process
    this.#world = world
    this.hasRoom = (destination) => world.sites.hasRoom(destination, world.timeline.now)
    this.engine = new Engine(this.#host())
    world.cluster.onNudge(this, (partition, seq) => this.#seats[partition]?.nudge(seq))
    world.cluster.onLease(this, (partition, lease) => {
      if (lease.node !== process.id) this.#seats[partition]?.hearLease(lease.released)
    })
  }

  start(): void {
    const { process } = this
    const { cluster, story } = this.#world
    process.begin()
    this.stopping = false
    story?.tell(process.name, `starts as ${process.id}`)
    const parks = this.engine.parks
    this.engine = new Engine(this.#host())
    this.engine.parks = parks
    this.#seats = cluster.partitions.map(({ number }) => new Seat(number, this, this.#world))
    for (const seat of this.#seats) seat.wakeAfter(0)
  }

  /** The next tick, now: a process looks at its clocks far more often than anybody tampers with them. */
  tick(): void {
    for (const seat of this.#seats) seat.tick()
  }

  /** Stops in order; `gone` is called when the process has ended. */
  stop(gone: () => void): void {
    if (this.stopping) return
    this.stopping = true
    this.#world.story?.tell(this.process.name, 'is told to stop')
    for (const seat of this.#seats) seat.stop()
    const deadline = this.#world.timeline.now + DRAIN_MS
    const look = () => {
      const isThrough = this.#seats.every(({ phase }) => phase === 'stopped')
      if (!isThrough && this.#world.timeline.now < deadline) {
        this.later(100, look)
        return
      }
      for (const seat of this.#seats) if (seat.phase !== 'stopped') seat.abandon()
      gone()
    }
    this.later(100, look)
  }

  owns(partition: number): boolean {
    const phase = this.phaseOf(partition)
    return phase === 'owning' || phase === 'releasing'
  }
  phaseOf(partition: number): string {
    return this.process.up ? (this.#seats[partition]?.phase ?? 'none') : 'down'
  }

  rank(partition: number): number | undefined {
    return this.#world.rankOf(this, partition)
  }
  give(partition: number, batch: OpenBatch, record: number, positions: readonly number[]): void {
    this.engine.give(partition, batch, record, positions)
  }
  revoke(partition: number): void {
    this.engine.revoke(partition)
  }

  later(ms: number, run: () => void): void {
    const { process } = this
    const { incarnation } = process
    this.#world.timeline.after(ms, () => process.run(incarnation, run))
  }

  #host(): EngineHost {
    const { random, sites, ledger, newId, story, timeline } = this.#world
    const { clock, name } = this.process
    const seat = (partition: number) => this.#seats[partition]!
    return {
      random,
      sites,
      ledger,
      newId,
      later: (ms, run) => this.later(ms, run),
      wall: () => clock.wall,
      reachesSites: () => !this.sitesCut,
      stall: () => this.stalledUntil - timeline.now,
      tell: (what) => story?.tell(name, what),
      begin: (partition, batch, record, positions) => seat(partition).begin(batch, record, positions),
      mayFinish: (partition, batch) => seat(partition).mayFinish(batch),
      dot: (partition, batch, record, positions) => seat(partition).dot(batch, record, positions),
      close: (partition, batch, record, positions, outcome) => seat(partition).close(batch, record, positions, outcome),
    }
  }
}
