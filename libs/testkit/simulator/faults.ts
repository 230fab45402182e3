/** Strikes the world with what its profile names, at random times and between the steps of a process, and heals it in the end. */
import type { Cluster } from './cluster.ts'
import type { DeliveryNode } from './delivery-node.ts'
import type { EdgeNode } from './edge-node.ts'
import type { Process } from './process.ts'
import type { Profile, Trouble } from './profile.ts'
import type { Random } from './random.ts'
import type { Sites } from './sites.ts'
import type { Story } from './story.ts'
import type { Stream } from './stream.ts'
import type { Timeline } from './timeline.ts'
import type { Link, Wire } from './wire.ts'

export interface FaultWorld {
  readonly timeline: Timeline
  readonly random: Random
  readonly profile: Profile
  readonly cluster: Cluster
  readonly wire: Wire
  readonly sites: Sites
  readonly nodes: readonly DeliveryNode[]
  readonly edges: readonly EdgeNode[]
  readonly story: Story | undefined
}

/** The client notices a dead connection after this, ms. */
const NOTICES: readonly [number, number] = [400, 7_000]
/** When stalled attempts go on, in parts of the time of a lease: just before its end, or when an older word ends it. */
const STALLS: readonly (readonly [number, number])[] = [
  [0.92, 1],
  [0.92, 1],
  [1, 1.35],
]
const LONGEST_FREEZE_MS = 120_000
/** Troubles that can strike a process in the middle of what it does. */
const STEP_TROUBLES = new Set<Trouble>(['crash', 'freeze', 'suspend', 'cut', 'leader-change'])

export class Faults {
  readonly #world: FaultWorld
  readonly #serverClocks: readonly number[]
  readonly #stepTroubles: readonly Trouble[]
  readonly #suspendedSince = new Map<Process, number>()
  /** Nodes that another node, or all, take for dead. */
  readonly #opinions = new Set<string>()
  #isOver = false

  constructor(world: FaultWorld) {
    this.#world = world
    const { profile, random } = world
    this.#serverClocks = [0, 1, 2].map(() => random.between(-profile.serverClock, profile.serverClock))
    this.#stepTroubles = profile.troubles.filter((trouble) => STEP_TROUBLES.has(trouble))
  }

  begin(): void {
    const { profile, wire, cluster, sites, nodes } = this.#world
    Object.assign(wire.weather, { loss: profile.loss, late: profile.late, slow: profile.slow })
    Object.assign(cluster.lag, { chance: profile.lag, most: profile.lagMost / profile.shortMemory })
    const { deferred, refused, broken, slowReply: slow, longestReply: longest, slowConnect, connects } = profile
    Object.assign(sites.habits, { deferred, refused, broken, slow, longest, slowConnect, connects })
    for (const node of nodes) node.engine.parks = profile.parks
    for (const stream of cluster.streams) stream.clockError = this.#serverClock()
    this.#next()
  }

  /** `by` may take a live node for dead, ms after it is. */
  isBelievedAlive(by: DeliveryNode, node: DeliveryNode): boolean {
    if (node.stopping || !node.process.up || node.process.frozen || node.link.isCut) return false
    return !this.#opinions.has(node.process.name) && !this.#opinions.has(`${by.process.name} ${node.process.name}`)
  }

  step(process: Process): void {
    const { profile, random, edges } = this.#world
    if (profile.step === 0 || this.#isOver || this.#stepTroubles.length === 0 || !random.chance(profile.step)) return
    const trouble = random.pick(this.#stepTroubles)
    const node = this.#nodeOf(process) ?? edges.find((one) => one.process === process)!
    if (trouble === 'crash') this.#crash(node)
    else if (trouble === 'freeze') this.#freeze(process)
    else if (trouble === 'suspend') {
      if (this.#nodeOf(process) !== undefined) this.#suspend(process)
    } else if (trouble === 'cut') this.#cut(process.name, node.link)
    else this.#leaderChange()
  }

  heal(): void {
    const { wire, cluster, sites, nodes, edges, story, timeline } = this.#world
    this.#isOver = true
    story?.tell('world', 'is healed')
    Object.assign(wire.weather, { loss: 0, late: 0, slow: 0 })
    cluster.lag.chance = 0
    sites.calm()
    this.#opinions.clear()
    for (const stream of cluster.streams) {
      stream.staleSince = undefined
      stream.slowness = 0
      stream.full = 'no'
      if (stream.leader !== 'up') stream.lead('up')
    }
    for (const node of [...nodes, ...edges]) {
      node.link.mend()
      const { process } = node
      this.#resume(process)
      const delivery = this.#nodeOf(process)
      if (delivery !== undefined && process.clock.wallError !== 0) this.#setWall(delivery, 0)
      if (!process.up) timeline.after(100, () => this.#restart(node))
    }
    for (const node of nodes) {
      node.sitesCut = false
      node.stalledUntil = 0
      node.engine.parks = 0
    }
  }

  #next(): void {
    const { timeline, random, profile } = this.#world
    if (profile.troubles.length === 0) return
    timeline.after(random.wait(profile.troubleEvery), () => {
      if (this.#isOver) return
      this.#strike(random.pick(profile.troubles))
      this.#next()
    })
  }

  #strike(trouble: Trouble): void {
    const { random, nodes, edges, cluster, sites, timeline, story, profile } = this.#world
    const node = this.#victim()
    const edge = random.pick(edges)
    const stream = random.pick(cluster.streams)
    switch (trouble) {
      case 'crash':
        return this.#crash(node)
      case 'crash-edge':
        return this.#crash(edge)
      case 'freeze':
        return this.#freeze(node.process)
      case 'freeze-edge':
        return this.#freeze(edge.process)
      case 'suspend':
        return this.#suspend(node.process)
      case 'cut':
        return this.#cut(node.process.name, node.link)
      case 'cut-edge':
        return this.#cut(edge.process.name, edge.link)
      case 'flap':
        return this.#flap(random.chance(0.7) ? node : edge, random.whole(2, 10))
      case 'cut-stalled':
        return this.#cutStalled(nodes.find((one) => one.engine.isBusy && !one.link.isCut) ?? node)
      case 'last-gasp':
        return this.#lastGasp(node)
      case 'sites-cut':
        story?.tell(node.process.name, 'is cut off from the sites')
        node.sitesCut = true
        return this.#later(() => (node.sitesCut = false))
      case 'leader-change':
        return this.#leaderChange()
      case 'leaderless':
        return this.#leaderless(this.#together(stream), 'leaderless', random.spread(100, 12_000))
      case 'silent-leader':
        return this.#leaderless(this.#together(stream), 'silent', random.spread(300, 14_000))
      case 'stale-leader':
        story?.tell(stream.name, 'has a second leader that is out of date')
        stream.changeLeader(this.#serverClock(), false)
        stream.staleSince = timeline.now
        return timeline.after(random.spread(300, 12_000), () => (stream.staleSince = undefined))
      case 'restart-all':
        story?.tell('world', 'all servers restart')
        for (const one of cluster.streams) one.changeLeader(this.#serverClock(), random.chance(0.8))
        return this.#leaderless(cluster.streams, 'leaderless', random.spread(500, 11_000))
      case 'slow-replicas':
        story?.tell(stream.name, 'has slow replicas')
        stream.slowness = random.spread(10, 4_000)
        return this.#later(() => (stream.slowness = 0))
      case 'full-mail':
        return this.#fill(random.pick(cluster.partitions).mail, 'all')
      case 'full-later':
        return this.#fill(random.pick(cluster.partitions).log, 'large')
      case 'full-log':
        return this.#fill(random.pick(cluster.partitions).log, 'all')
      case 'wall-jump': {
        return this.#setWall(node, random.chance(0.3) ? 0 : random.between(-180_000, 180_000))
      }
      case 'dns':
        story?.tell('world', 'DNS changes')
        return sites.changeDns()
      case 'stop':
        if (!node.process.up) return
        return node.stop(() => {
          story?.tell(node.process.name, 'has stopped')
          node.process.die()
          timeline.after(random.spread(50, 5_000), () => this.#restart(node))
        })
      case 'opinion': {
        const opinion = random.chance(0.4)
          ? node.process.name
          : `${random.pick(nodes).process.name} ${node.process.name}`
        this.#opinions.add(opinion)
        return this.#later(() => this.#opinions.delete(opinion))
      }
      case 'busy-site':
        return sites.fill(random.spread(...profile.lasts), timeline.now)
    }
  }

  /** A node that owns something, more often than not. */
  #victim(): DeliveryNode {
    const { random, nodes, cluster } = this.#world
    const owners = nodes.filter((node) => cluster.partitions.some(({ number }) => node.owns(number)))
    return random.pick(owners.length > 0 && random.chance(0.6) ? owners : nodes)
  }

  #crash(node: DeliveryNode | EdgeNode): void {
    const { process } = node
    if (!process.up) return
    const { random, timeline, story } = this.#world
    story?.tell(process.name, 'dies')
    this.#suspendedSince.delete(process)
    process.die()
    timeline.after(random.spread(20, 20_000), () => this.#restart(node))
  }

  #restart(node: DeliveryNode | EdgeNode): void {
    if (!node.process.up) node.start()
  }

  #freeze(process: Process): void {
    if (!process.up || process.frozen) return
    this.#world.story?.tell(process.name, 'is frozen')
    process.freeze()
    const { incarnation } = process
    const { random, timeline, profile } = this.#world
    // No freeze may outlast what is remembered.
    const ms = Math.min(random.spread(...profile.lasts), LONGEST_FREEZE_MS / profile.shortMemory)
    timeline.after(ms, () => process.isRunning(incarnation) && this.#resume(process))
  }

  /** Not while the machine sleeps: nobody can tell how long, if both of its clocks hide it. */
  #setWall(node: DeliveryNode, error: number): void {
    if (this.#suspendedSince.has(node.process)) return
    this.#world.story?.tell(node.process.name, `has its wall clock set ${Math.round(error)} ms wrong`)
    node.tick()
    node.process.clock.setWallError(error)
    node.tick()
  }

  /** The machine sleeps: its monotonic clock stands still. */
  #suspend(process: Process): void {
    if (!process.up || process.frozen) return
    this.#nodeOf(process)?.tick()
    if (!process.up || process.frozen) return
    this.#suspendedSince.set(process, this.#world.timeline.now)
    this.#freeze(process)
  }

  #resume(process: Process): void {
    if (!process.frozen) return
    const since = this.#suspendedSince.get(process)
    this.#suspendedSince.delete(process)
    const { timeline, story } = this.#world
    if (since !== undefined) process.clock.suspendedFor(timeline.now - since)
    const { incarnation } = process
    story?.tell(process.name, since === undefined ? 'goes on' : 'goes on, with a clock that stood still')
    process.thaw()
    if (since !== undefined && process.isRunning(incarnation)) this.#nodeOf(process)?.tick()
  }

  #nodeOf(process: Process): DeliveryNode | undefined {
    return this.#world.nodes.find((node) => node.process === process)
  }

  #cut(name: string, link: Link): void {
    const { random, timeline, story } = this.#world
    const which = random.next()
    const requests = which < 0.7
    const answers = which > 0.35
    story?.tell(
      name,
      `is cut off from the servers${requests && answers ? '' : requests ? ' (requests)' : ' (answers)'}`,
    )
    link.cut(requests, answers, timeline.now + random.spread(...NOTICES))
    this.#later(() => {
      story?.tell(name, 'is connected again')
      link.mend()
    })
  }

  #flap({ link, process }: DeliveryNode | EdgeNode, times: number): void {
    const { random, timeline, story } = this.#world
    if (this.#isOver || times === 0) return
    const answersOnly = random.chance(0.6)
    story?.tell(process.name, `is cut off for a moment${answersOnly ? ' (answers)' : ''}`)
    link.cut(!answersOnly, true, timeline.now + random.spread(...NOTICES))
    timeline.after(random.spread(300, 8_000), () => {
      story?.tell(process.name, 'is connected again')
      link.mend()
      timeline.after(random.spread(50, 3_000), () => this.#flap({ link, process } as EdgeNode, times - 1))
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
  #cutStalled(node: DeliveryNode): void {
    const { timeline, story } = this.#world
    this.#stall(node)
    story?.tell(node.process.name, 'has lost its connection')
    node.link.cut(true, true, timeline.now)
    this.#later(() => {
      story?.tell(node.process.name, 'is connected again')
      node.link.mend()
    })
  }

  /** Answers are lost for a while, then all is well for a moment, then it is cut off: what it knows is older than it seems. */
  #lastGasp(node: DeliveryNode): void {
    const { link, process } = node
    const { random, timeline, story } = this.#world
    story?.tell(process.name, 'hears no answers')
    link.cut(false, true, Infinity)
    timeline.after(random.between(600, 3_900), () => {
      story?.tell(process.name, 'hears them again')
      link.mend()
      timeline.after(random.between(2, 600), () => {
        if (this.#isOver) return
        this.#stall(node)
        this.#cut(process.name, link)
      })
    })
  }

  #leaderChange(): void {
    const { random, cluster, story } = this.#world
    for (const stream of this.#together(random.pick(cluster.streams))) {
      story?.tell(stream.name, 'has a new leader')
      stream.changeLeader(this.#serverClock(), random.chance(0.3))
    }
  }

  #leaderless(streams: readonly Stream[], how: 'leaderless' | 'silent', ms: number): void {
    const { timeline, story, random } = this.#world
    for (const stream of streams) {
      story?.tell(stream.name, `is ${how}`)
      stream.lead(how)
    }
    timeline.after(ms, () => {
      for (const stream of streams) {
        if (stream.leader === 'up') continue
        story?.tell(stream.name, 'has a leader')
        stream.changeLeader(this.#serverClock(), random.chance(0.3))
        stream.lead('up')
      }
    })
  }

  #fill(stream: Stream, full: Stream['full']): void {
    this.#world.story?.tell(stream.name, `is full (${full})`)
    stream.full = full
    this.#later(() => (stream.full = 'no'))
  }

  /** Streams with the same leader: one, or a good part of all. */
  #together(stream: Stream): readonly Stream[] {
    const { random, cluster } = this.#world
    return random.chance(0.5) ? [stream] : cluster.streams.filter(() => random.chance(0.5))
  }

  #later(end: () => void): void {
    const { timeline, random, profile } = this.#world
    timeline.after(random.spread(...profile.lasts), end)
  }

  #serverClock(): number {
    return this.#world.random.pick(this.#serverClocks)
  }
}
