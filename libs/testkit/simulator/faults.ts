/** Strikes the world with what its profile names, at random times and between the steps of a process, and heals it in the end. */
import type { DeliveryNode } from './delivery-node.ts'
import { lasting, type FaultWorld } from './fault-world.ts'
import { NodeFaults } from './node-faults.ts'
import type { Process } from './process.ts'
import type { Trouble } from './profile.ts'
import { ServerFaults } from './server-faults.ts'
import type { Caller } from './wire.ts'

/** Troubles that can strike a process in the middle of what it does. */
const STEP_TROUBLES = new Set<Trouble>(['crash', 'freeze', 'suspend', 'cut', 'leader-change'])

export class Faults {
  readonly #world: FaultWorld
  readonly #ofNodes: NodeFaults
  readonly #ofServers: ServerFaults
  readonly #stepTroubles: readonly Trouble[]
  /** Nodes that another node, or all, take for dead. */
  readonly #opinions = new Set<string>()

  constructor(world: FaultWorld) {
    this.#world = world
    const { profile } = world
    this.#ofNodes = new NodeFaults(world)
    this.#ofServers = new ServerFaults(world)
    this.#stepTroubles = profile.troubles.filter((trouble) => STEP_TROUBLES.has(trouble))
  }

  begin(): void {
    const { profile, wire, cluster, sites, nodes, edges } = this.#world
    Object.assign(wire.weather, { loss: profile.loss, late: profile.late, slow: profile.slow })
    Object.assign(cluster.lag, { chance: profile.lag, most: profile.lagMost / profile.shortMemory })
    const { deferred, refused, broken, slowReply: slow, longestReply: longest, slowConnect, connects } = profile
    Object.assign(sites.habits, { deferred, refused, broken, slow, longest, slowConnect, connects })
    for (const node of nodes) node.engine.parks = profile.parks
    for (const edge of edges) edge.slowUpload = profile.slowUpload
    for (const stream of cluster.streams) stream.clockError = this.#ofServers.serverClock()
    this.#next()
  }

  /** `by` may take a live node for dead, ms after it is. */
  isBelievedAlive(by: Caller, node: DeliveryNode): boolean {
    if (node.stopping || !node.process.up || node.process.frozen || node.link.isCut) return false
    return !this.#opinions.has(node.process.name) && !this.#opinions.has(`${by.process.name} ${node.process.name}`)
  }

  step(process: Process): void {
    const { profile, random, edges } = this.#world
    if (profile.step === 0 || this.#world.isOver || this.#stepTroubles.length === 0 || !random.chance(profile.step))
      return
    const trouble = random.pick(this.#stepTroubles)
    const node = this.#ofNodes.nodeOf(process) ?? edges.find((one) => one.process === process)!
    if (trouble === 'crash') this.#ofNodes.crash(node)
    else if (trouble === 'freeze') this.#ofNodes.freeze(process)
    else if (trouble === 'suspend') {
      if (this.#ofNodes.nodeOf(process) !== undefined) this.#ofNodes.suspend(process)
    } else if (trouble === 'cut') this.#ofNodes.cut(process.name, node.link)
    else this.#ofServers.leaderChange()
  }

  heal(): void {
    const { wire, cluster, sites, nodes, edges, story, timeline } = this.#world
    this.#world.isOver = true
    story?.tell('world', 'is healed')
    Object.assign(wire.weather, { loss: 0, late: 0, slow: 0 })
    cluster.lag.chance = 0
    sites.calm()
    this.#opinions.clear()
    this.#ofServers.heal()
    for (const node of [...nodes, ...edges]) {
      node.link.mend()
      const { process } = node
      this.#ofNodes.resume(process)
      const delivery = this.#ofNodes.nodeOf(process)
      if (delivery !== undefined && process.clock.wallError !== 0) this.#ofNodes.setWall(delivery, 0)
      if (!process.up) timeline.after(100, () => this.#ofNodes.restart(node))
    }
    for (const edge of edges) edge.slowUpload = 0
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
      if (this.#world.isOver) return
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
        return this.#ofNodes.crash(node)
      case 'crash-edge':
        return this.#ofNodes.crash(edge)
      case 'freeze':
        return this.#ofNodes.freeze(node.process)
      case 'freeze-edge':
        return this.#ofNodes.freeze(edge.process)
      case 'suspend':
        return this.#ofNodes.suspend(node.process)
      case 'cut':
        return this.#ofNodes.cut(node.process.name, node.link)
      case 'cut-edge':
        return this.#ofNodes.cut(edge.process.name, edge.link)
      case 'flap':
        return this.#ofNodes.flap(random.chance(0.7) ? node : edge, random.whole(2, 10))
      case 'cut-stalled':
        return this.#ofNodes.cutStalled(nodes.find((one) => one.engine.isBusy && !one.link.isCut) ?? node)
      case 'last-gasp':
        return this.#ofNodes.lastGasp(node)
      case 'sites-cut':
        story?.tell(node.process.name, 'is cut off from the sites')
        node.sitesCut = true
        return lasting(this.#world, () => (node.sitesCut = false))
      case 'leader-change':
        return this.#ofServers.leaderChange()
      case 'leaderless':
        return this.#ofServers.leaderless(this.#ofServers.together(stream), 'leaderless', random.spread(100, 12_000))
      case 'silent-leader':
        return this.#ofServers.leaderless(this.#ofServers.together(stream), 'silent', random.spread(300, 14_000))
      case 'stale-leader':
        return this.#ofServers.staleLeader(stream)
      case 'restart-all':
        return this.#ofServers.restartAll()
      case 'slow-replicas':
        return this.#ofServers.slowReplicas(stream)
      case 'full-mail':
        return this.#ofServers.fill(random.pick(cluster.partitions).mail, 'all')
      case 'full-later':
        return this.#ofServers.fill(random.pick(cluster.partitions).log, 'large')
      case 'full-log':
        return this.#ofServers.fill(random.pick(cluster.partitions).log, 'all')
      case 'wall-jump': {
        return this.#ofNodes.setWall(node, random.chance(0.3) ? 0 : random.between(-180_000, 180_000))
      }
      case 'dns':
        story?.tell('world', 'DNS changes')
        return sites.changeDns()
      case 'stop':
        if (!node.process.up) return
        return node.stop(() => {
          story?.tell(node.process.name, 'has stopped')
          node.process.die()
          timeline.after(random.spread(50, 5_000), () => this.#ofNodes.restart(node))
        })
      case 'opinion': {
        const opinion = random.chance(0.4)
          ? node.process.name
          : `${random.pick(nodes).process.name} ${node.process.name}`
        this.#opinions.add(opinion)
        return lasting(this.#world, () => this.#opinions.delete(opinion))
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
}
