/** What can befall a node: its process, its clocks, its connection. */
import type { DeliveryNode } from './delivery-node.ts'
import type { EdgeNode } from './edge-node.ts'
import { lasting, type FaultWorld } from './fault-world.ts'
import type { Process } from './process.ts'
import type { Link } from './wire.ts'

/** The client notices a dead connection after this, ms. */
const NOTICES: readonly [number, number] = [400, 7_000]
/** When stalled attempts go on, in parts of the time of a lease: just before its end, or when an older word ends it. */
const STALLS: readonly (readonly [number, number])[] = [
  [0.92, 1],
  [0.92, 1],
  [1, 1.35],
]
const LONGEST_FREEZE_MS = 120_000

export class NodeFaults {
  readonly #world: FaultWorld
  readonly #suspendedSince = new Map<Process, number>()

  constructor(world: FaultWorld) {
    this.#world = world
  }

  crash(node: DeliveryNode | EdgeNode): void {
    const { process } = node
    if (!process.up) return
    const { random, timeline, story } = this.#world
    story?.tell(process.name, 'dies')
    this.#suspendedSince.delete(process)
    process.die()
    timeline.after(random.spread(20, 20_000), () => this.restart(node))
  }

  restart(node: DeliveryNode | EdgeNode): void {
    if (!node.process.up) node.start()
  }

  freeze(process: Process): void {
    if (!process.up || process.frozen) return
    this.#world.story?.tell(process.name, 'is frozen')
    process.freeze()
    const { incarnation } = process
    const { random, timeline, profile } = this.#world
    // No freeze may outlast what is remembered.
    const ms = Math.min(random.spread(...profile.lasts), LONGEST_FREEZE_MS / profile.shortMemory)
    timeline.after(ms, () => process.isRunning(incarnation) && this.resume(process))
  }

  /** Not while the machine sleeps: nobody can tell how long, if both of its clocks hide it. */
  setWall(node: DeliveryNode, error: number): void {
    if (this.#suspendedSince.has(node.process)) return
    this.#world.story?.tell(node.process.name, `has its wall clock set ${Math.round(error)} ms wrong`)
    node.tick()
    node.process.clock.setWallError(error)
    node.tick()
  }

  /** The machine sleeps: its monotonic clock stands still. */
  suspend(process: Process): void {
    if (!process.up || process.frozen) return
    this.nodeOf(process)?.tick()
    if (!process.up || process.frozen) return
    this.#suspendedSince.set(process, this.#world.timeline.now)
    this.freeze(process)
  }

  resume(process: Process): void {
    if (!process.frozen) return
    const since = this.#suspendedSince.get(process)
    this.#suspendedSince.delete(process)
    const { timeline, story } = this.#world
    if (since !== undefined) process.clock.suspendedFor(timeline.now - since)
    const { incarnation } = process
    story?.tell(process.name, since === undefined ? 'goes on' : 'goes on, with a clock that stood still')
    process.thaw()
    if (since !== undefined && process.isRunning(incarnation)) this.nodeOf(process)?.tick()
  }

  nodeOf(process: Process): DeliveryNode | undefined {
    return this.#world.nodes.find((node) => node.process === process)
  }

  cut(name: string, link: Link): void {
    const { random, timeline, story } = this.#world
    const which = random.next()
    const requests = which < 0.7
    const answers = which > 0.35
    story?.tell(
      name,
      `is cut off from the servers${requests && answers ? '' : requests ? ' (requests)' : ' (answers)'}`,
    )
    link.cut(requests, answers, timeline.now + random.spread(...NOTICES))
    lasting(this.#world, () => {
      story?.tell(name, 'is connected again')
      link.mend()
    })
  }

  flap({ link, process }: DeliveryNode | EdgeNode, times: number): void {
    const { random, timeline, story } = this.#world
    if (this.#world.isOver || times === 0) return
    const answersOnly = random.chance(0.6)
    story?.tell(process.name, `is cut off for a moment${answersOnly ? ' (answers)' : ''}`)
    link.cut(!answersOnly, true, timeline.now + random.spread(...NOTICES))
    timeline.after(random.spread(300, 8_000), () => {
      story?.tell(process.name, 'is connected again')
      link.mend()
      timeline.after(random.spread(50, 3_000), () => this.flap({ link, process } as EdgeNode, times - 1))
    })
  }

  /** Its attempts come to their dots all at once, when one of its leases is about to end. */
  #stall(node: DeliveryNode): void {
    const { process } = node
    const { random, cluster, story } = this.#world
    const leases = cluster.partitions
      .map(({ log }) => log.leases.at(-1))
      .filter((last) => last?.lease?.node === process.id)
    const last = leases.length > 0 ? random.pick(leases) : undefined
    if (last === undefined) return
    story?.tell(process.name, 'is kept waiting by all sites')
    node.stalledUntil = last.at + (last.lease!.time * random.between(...random.pick(STALLS))) / process.clock.rate
  }

  /** It knows at once that it is not connected, so that nothing of it is on its way. */
  cutStalled(node: DeliveryNode): void {
    const { timeline, story } = this.#world
    this.#stall(node)
    story?.tell(node.process.name, 'has lost its connection')
    node.link.cut(true, true, timeline.now)
    lasting(this.#world, () => {
      story?.tell(node.process.name, 'is connected again')
      node.link.mend()
    })
  }

  /** Answers are lost for a while, then all is well for a moment, then it is cut off: what it knows is older than it seems. */
  lastGasp(node: DeliveryNode): void {
    const { link, process } = node
    const { random, timeline, story } = this.#world
    story?.tell(process.name, 'hears no answers')
    link.cut(false, true, Infinity)
    timeline.after(random.between(600, 3_900), () => {
      story?.tell(process.name, 'hears them again')
      link.mend()
      timeline.after(random.between(2, 600), () => {
        if (this.#world.isOver) return
        this.#stall(node)
        this.cut(process.name, link)
      })
    })
  }
}
