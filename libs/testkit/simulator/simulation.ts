/**
 * One run: a seed is drawn into a world of two partitions, three delivery nodes and two edges, which has a bad time, is healed,
 * and must come to rest with every promise kept.
 */
import { COMMITTER_DEFAULTS } from '@posthouse/core/committer'
import type { OwnerOptions } from '@posthouse/core/owner/api'
import { ALL_RULES, TIMES, type Rules } from '@posthouse/core/owner/rules'
import type { MailRecord } from '@posthouse/core/record'
import { Auditor } from './auditor.ts'
import { Broken } from './broken.ts'
import { ByDestination } from './by-destination.ts'
import { Cluster } from './cluster.ts'
import { DeliveryNode } from './delivery-node.ts'
import type { NodeWorld } from './node-world.ts'
import { EdgeNode, type EdgeWorld } from './edge-node.ts'
import { Faults } from './faults.ts'
import { Ledger } from './ledger.ts'
import { MachineClock } from './machine-clock.ts'
import { Process } from './process.ts'
import { drawProfile, type Profile } from './profile.ts'
import { Random } from './random.ts'
import { Sites } from './sites.ts'
import { Story } from './story.ts'
import { Timeline } from './timeline.ts'
import { Wire, type Caller } from './wire.ts'

/** The rules of the owner, and one of the edge: a batch is refused only if every try of it was. */
export interface SimulationRules extends Rules {
  readonly everyTryRefused: boolean
}
export const SIMULATION_RULES: SimulationRules = { ...ALL_RULES, everyTryRefused: true }

export interface Verdict {
  readonly seed: number
  /** Undefined: every promise was kept. */
  readonly broken: { readonly promise: string; readonly text: string } | undefined
  readonly events: number
  readonly virtualMs: number
  readonly recipients: number
  readonly duplicates: number
  readonly counted: number
  readonly story: readonly string[]
}

const PARTITIONS = 2
const NODES = 3
const EDGES = 2
/** Every partition has an owner so long after the last fault. */
const OWNED_WITHIN_MS = 20_000
const HANDOVER_MS = 250
const REST_WITHIN_MS = 25 * 60_000
const ABSTAINS_AFTER_MS = 10_000
/** What is sent arrives within this or never, ms. */
const LATEST_MS = 60_000
/** An edge may take so long over a body; a body that nothing refers to is swept when it is so old. */
const LONGEST_BODY_MS = 120_000
const SWEEP_AGE_MS = 1_200_000
const EMPTY = new Uint8Array(0)
const FACTS = {
  size: 0,
  eightBit: false,
  eightBitHeader: false,
  dotLines: false,
  longestLine: 0,
  endsWithCrlf: true,
} as const

export function simulate(seed: number, rules: Partial<SimulationRules> = {}, told = false): Verdict {
  return new Simulation(seed, { ...SIMULATION_RULES, ...rules }, told).run()
}

class Simulation {
  readonly #seed: number
  readonly #timeline = new Timeline()
  readonly #random: Random
  readonly #profile: Profile
  readonly #story: Story | undefined
  readonly #ledger = new Ledger()
  readonly #auditor: Auditor
  readonly #wire: Wire
  readonly #cluster: Cluster
  readonly #sites: Sites
  readonly #nodes: readonly DeliveryNode[]
  readonly #edges: readonly EdgeNode[]
  readonly #faults: Faults
  /** Partition -> the nodes in its order of preference. */
  readonly #preferences: readonly (readonly number[])[]
  #ids = 0
  #messages = 0

  constructor(seed: number, rules: SimulationRules, told: boolean) {
    this.#seed = seed
    const timeline = this.#timeline
    const random = new Random(seed)
    this.#random = random
    const profile = drawProfile(random)
    this.#profile = profile
    const story = told ? new Story(timeline) : undefined
    this.#story = story
    const ledger = this.#ledger
    const auditor = new Auditor(PARTITIONS, profile.shortMemory > 1, ledger, story)
    this.#auditor = auditor
    const wire = new Wire(timeline, random, LATEST_MS / profile.shortMemory)
    this.#wire = wire
    const cluster = new Cluster(PARTITIONS, profile.shortMemory, timeline, random, wire, auditor)
    cluster.fencedEntries = rules.fencedEntries
    cluster.scansToTheEnd = rules.readToOwnLease
    this.#cluster = cluster
    const sites = new Sites(random)
    this.#sites = sites
    const newId = () => `${(this.#ids++).toString(36)}`
    const step = (process: Process) => this.#faults.step(process)
    const processOf = (name: string) => {
      const rate = 1 + profile.drift * random.pick([-1, 1, random.between(-1, 1)])
      return new Process(name, new MachineClock(timeline, rate, random.between(1_000, 1_000_000)))
    }
    const world: NodeWorld = {
      timeline,
      random,
      cluster,
      sites,
      ledger,
      auditor,
      story,
      byDestination: new ByDestination(cluster, sites),
      rules,
      tasksByIndex: rules.tasksByIndex,
      openBytes: profile.openBytes,
      memory: memoryOf(profile.shortMemory),
      newId,
      rankOf: (node, partition) => this.#rankOf(node, partition),
      step,
    }
    this.#nodes = range(NODES).map((number) => new DeliveryNode(processOf(`node${number}`), world))
    const edgeWorld: EdgeWorld = {
      timeline,
      random,
      cluster,
      ledger,
      story,
      everyTryRefused: rules.everyTryRefused,
      batchRecords: profile.batchRecords,
      giveUpMs: COMMITTER_DEFAULTS.giveUpMs / profile.shortMemory,
      longestBodyMs: LONGEST_BODY_MS / profile.shortMemory,
      newId,
      step,
    }
    this.#edges = range(EDGES).map((number) => new EdgeNode(processOf(`edge${number}`), edgeWorld))
    this.#preferences = range(PARTITIONS).map((partition) => range(NODES).map((at) => (at + partition) % NODES))
    const { nodes, edges } = { nodes: this.#nodes, edges: this.#edges }
    for (const node of nodes) node.isOld = random.chance(profile.old)
    this.#faults = new Faults({ timeline, random, profile, cluster, wire, sites, nodes, edges, story, isOver: false })
  }

  run(): Verdict {
    let broken: Verdict['broken']
    try {
      this.#story?.tell('world', `seed ${this.#seed}: ${JSON.stringify(this.#profile)}`)
      this.#badTime()
      this.#recover()
      this.#rest()
      this.#settleAccounts()
    } catch (error) {
      const isBroken = error instanceof Broken
      const text = isBroken ? error.message : ((error as Error).stack ?? String(error))
      broken = { promise: isBroken ? error.promise : 'no bugs', text }
      this.#story?.tell('world', `BROKEN ${text}`)
    }
    let recipients = 0
    let duplicates = 0
    let counted = 0
    for (const account of this.#ledger.messages.values()) {
      for (const recipient of account.recipients) {
        recipients++
        duplicates += Math.max(0, recipient.deliveries - 1)
        counted += recipient.counted
      }
    }
    const { now: virtualMs, events } = this.#timeline
    const story = this.#story?.lines ?? []
    return { seed: this.#seed, broken, events, virtualMs, recipients, duplicates, counted, story }
  }

  #badTime(): void {
    const { badMs, messages, burst } = this.#profile
    const timeline = this.#timeline
    for (const node of this.#nodes) timeline.at(this.#random.between(0, 50), () => node.start())
    for (const edge of this.#edges) timeline.at(0, () => edge.start())
    this.#faults.begin()
    const from = burst ? this.#random.between(100, badMs * 0.8) : 100
    const to = burst ? from + this.#random.between(500, 4_000) : badMs * 0.9
    for (let i = 0; i < messages; i++) timeline.at(this.#random.between(from, to), () => this.#send())
    timeline.runTo(badMs)
    this.#faults.heal()
  }

  #recover(): void {
    const timeline = this.#timeline
    const healed = timeline.now
    timeline.runTo(healed + OWNED_WITHIN_MS)
    // Something sent long ago may have arrived only now.
    while (this.#wire.troubledAt + OWNED_WITHIN_MS > timeline.now)
      timeline.runTo(this.#wire.troubledAt + OWNED_WITHIN_MS)
    for (const { number } of this.#cluster.partitions) {
      const isOwned = () => this.#nodes.some((node) => node.owns(number))
      // It may change hands in this very moment.
      if (!isOwned()) timeline.runTo(timeline.now + HANDOVER_MS)
      if (isOwned()) continue
      const phases = this.#nodes.map((node) => node.phaseOf(number)).join(', ')
      throw new Broken('an owner within 20 s', `partition ${number}: ${phases}`)
    }
    const accounts = this.#edges.map((edge) => this.#sendTo(edge))
    timeline.runTo(timeline.now + 5_000)
    for (const { id, told } of accounts) {
      if (told !== 'stored') throw new Broken('mail is taken again', `${id} was told ${told ?? 'nothing'}`)
    }
  }

  #rest(): void {
    const timeline = this.#timeline
    const until = timeline.now + REST_WITHIN_MS
    while (!this.#isAtRest()) {
      if (timeline.now >= until) {
        const left = this.#cluster.partitions.flatMap((partition) => this.#auditor.leftovers(partition))
        const phases = this.#nodes.map((node) =>
          range(PARTITIONS)
            .map((number) => node.phaseOf(number))
            .join('/'),
        )
        throw new Broken('everything comes to rest', `${left.join('; ')}; ${phases.join(', ')}`)
      }
      timeline.runTo(timeline.now + 1_000)
    }
  }

  #isAtRest(): boolean {
    if (this.#ledger.openTasks > 0 || this.#edges.some((edge) => edge.waiting > 0)) return false
    return this.#cluster.partitions.every((partition) => this.#auditor.leftovers(partition).length === 0)
  }

  #settleAccounts(): void {
    for (const { id, told, stored, record, recipients, acceptanceTold } of this.#ledger.messages.values()) {
      if (told === 'stored' && stored === undefined) throw new Broken('250 means stored', id)
      if (stored === undefined && record.envelope.report === undefined) continue
      for (const [index, { final, deliveries, counted }] of recipients.entries()) {
        const name = `${id}/${index}`
        if (this.#profile.isOrderly && counted > 0) throw new Broken('an orderly stop repeats nothing', name)
        if (stored !== undefined && !acceptanceTold) throw new Broken('readers hear of every acceptance', id)
        if (final === undefined) throw new Broken('what was accepted ends', name)
        if (deliveries - (final === 'delivered' ? 1 : 0) > counted) {
          throw new Broken('every duplicate is counted', `${name} was ${final} after ${deliveries} deliveries`)
        }
      }
    }
  }

  #send(): void {
    const first = this.#random.pick(this.#edges)
    const edge = [first, ...this.#edges].find(({ process }) => process.up && !process.frozen)
    if (edge !== undefined) this.#sendTo(edge)
  }

  #sendTo(edge: EdgeNode) {
    const random = this.#random
    const id = `m${++this.#messages}`
    const count = random.chance(0.5) ? 1 : random.whole(2, 4)
    const record: MailRecord = {
      envelope: {
        id,
        from: random.chance(0.1) ? '' : this.#sites.address(),
        recipients: range(count).map((index) => ({ address: this.#sites.address(), index })),
        acceptedAt: 0,
        storedAt: 0,
        origin: 0,
        attempts: { count: 0 },
        facts: FACTS,
        accepted: { node: edge.process.name, client: '', role: '' },
        ...(random.chance(this.#profile.bodies) ? { body: { id: `body-${id}`, chunks: 1, size: 1, sha256: '' } } : {}),
        ...(random.chance(0.1) ? { newer: { later: 'field' } } : {}),
      },
      content: EMPTY,
    }
    const account = this.#ledger.add(record)
    edge.accept(record)
    return account
  }

  #rankOf(node: Caller, partition: number): number | undefined {
    const { link } = node
    const { now } = this.#timeline
    if (link.noticedAt + ABSTAINS_AFTER_MS < now) return undefined
    // Who hears nobody takes himself for the only one.
    if (link.noticedAt < now) return 0
    let rank = 0
    for (const number of this.#preferences[partition]!) {
      const other = this.#nodes[number]!
      if (other === node) return rank
      if (this.#faults.isBelievedAlive(node, other)) rank++
    }
    return rank
  }
}

const range = (length: number): number[] => Array.from({ length }, (_, i) => i)

function memoryOf(short: number): NonNullable<OwnerOptions['memory']> {
  const sweepAge = SWEEP_AGE_MS / short
  if (short === 1) return { sweepAge }
  const { halfRun, repeatWindow, repeatSlack, replicaLag, unknownFate, trimEvery } = TIMES
  return {
    halfRun: halfRun / short,
    repeatWindow: repeatWindow / short,
    repeatSlack: repeatSlack / short,
    replicaLag: replicaLag / short,
    unknownFate: unknownFate / short,
    trimEvery: trimEvery / short,
    // Not for its readers' sake, who are not here.
    keepLog: 0,
    sweepAge,
  }
}
