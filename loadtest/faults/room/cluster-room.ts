// A room with a whole cluster in it, on the ground it is given.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { ImageDisk } from '../breakage/image-disk.ts'
import { powerCut } from '../breakage/power-cut.ts'
import type { Target } from '../../smtp-client.ts'
import type { Links, NodeKind, Party, Room, RoomNode, RoomOptions } from '../room.ts'
import { Balancer } from './balancer.ts'
import { Delays } from './delays.ts'
import type { Ground, Place } from './ground.ts'
import { SLOTS } from './haproxy-config.ts'
import { natsProgram } from './nats-program.ts'
import { makeStore, storeSizes } from './nats-stores.ts'
import { ProgramNode, type Program } from './program-node.ts'
import type { Role } from './ports.ts'
import { makeSecrets, type Secrets } from './secrets.ts'
import { serviceProgram } from './service-program.ts'
import { queueSettings, type Around } from './service-settings.ts'

const NATS_SERVERS = 3
const TLS = { relay: 'none', submission: 'starttls', submissions: 'implicit' } as const
/** Each group starts when the one before is ready: the queue, what uses it, what leads there. */
const START_ORDER: readonly (readonly NodeKind[])[] = [['nats'], ['delivery', 'edge'], ['balancer']]

export class ClusterRoom implements Room {
  readonly dir: string
  readonly queueFile: string
  readonly #options: RoomOptions
  readonly #ground: Ground
  readonly #secrets: Secrets
  readonly #nodes: ProgramNode[] = []
  #balancer: Balancer | undefined
  #delays: Delays | undefined

  private constructor(options: RoomOptions, ground: Ground, secrets: Secrets) {
    this.dir = options.dir
    this.queueFile = join(options.dir, 'queue.yaml')
    this.#options = options
    this.#ground = ground
    this.#secrets = secrets
  }

  /** All nodes are there, none runs. */
  static async make(options: RoomOptions, ground: Ground): Promise<ClusterRoom> {
    await mkdir(options.dir, { recursive: true, mode: 0o700 })
    const room = new ClusterRoom(options, ground, await makeSecrets(options.dir))
    try {
      await room.#furnish()
      return room
    } catch (error) {
      await room[Symbol.asyncDispose]()
      throw error
    }
  }

  get isolated(): boolean {
    return this.#ground.isolated
  }

  get sites(): Room['sites'] {
    return this.#ground.sites
  }

  get dns(): Room['dns'] {
    return this.#ground.dns
  }

  get links(): Links {
    return this.#ground.links
  }

  async start(): Promise<void> {
    for (const kinds of START_ORDER) {
      const group = this.#nodes.filter(({ kind }) => kinds.includes(kind))
      await Promise.all(group.map((node) => node.start()))
      await Promise.all(group.map((node) => node.ready()))
    }
  }

  nodes(kind?: NodeKind): readonly RoomNode[] {
    return this.#nodes.filter((node) => kind === undefined || node.kind === kind)
  }

  node(name: string): RoomNode {
    const found = this.#nodes.find((node) => node.name === name)
    if (found === undefined) throw new Error(`no node is called ${name}`)
    return found
  }

  nameOf(address: string): string | undefined {
    if (!this.isolated) return undefined // one address for all
    return this.#nodes.find((node) => node.address === address)?.name
  }

  targets(role: Role): readonly Target[] {
    const door = this.#nodes.find(({ kind }) => kind === (this.#balancer === undefined ? 'edge' : 'balancer'))
    if (door === undefined) throw new Error('no edge is left')
    const { user, password } = this.#secrets
    const at = { host: door.address, port: door.place.smtp[role], tls: TLS[role] }
    return [role === 'relay' ? at : { ...at, user, password }]
  }

  userAddress(): string {
    return this.#secrets.address
  }

  async add(kind: 'edge' | 'delivery'): Promise<RoomNode> {
    const node = await this.#addService(kind)
    await node.start()
    await node.ready()
    if (kind === 'edge') await this.#balancer?.include(node.name)
    return node
  }

  async remove(node: RoomNode): Promise<void> {
    const known = this.#nodes.find((one) => one === node)
    if (known === undefined || (known.kind !== 'edge' && known.kind !== 'delivery')) {
      throw new Error(`${node.name} is no edge or delivery of this room`)
    }
    if (known.kind === 'edge') await this.#balancer?.drain(known.name)
    if (known.running) await known.stop()
    if (known.kind === 'edge') await this.#balancer?.exclude(known.name)
    this.#nodes.splice(this.#nodes.indexOf(known), 1)
    await this.#ground.leave(known.place)
  }

  delay(ms: number, parties?: { readonly from: Party; readonly to: Party }): void {
    if (this.#delays === undefined) throw new Error('connections can be delayed in a room that is delayable only')
    if (parties === undefined) this.#delays.setAll(ms)
    else this.#delays.set(ms, parties.from, parties.to)
  }

  async powerCut(nodes: readonly RoomNode[]): Promise<void> {
    const servers = nodes.map((node) => {
      const { disk } = node
      if (!(disk instanceof ImageDisk)) throw new Error(`${node.name} has no disk of its own (diskMiB)`)
      return { disk, freeze: () => node.freeze(), kill: () => node.kill() }
    })
    await powerCut(servers)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.kill()))
    await this.#delays?.[Symbol.asyncDispose]()
    for (const { disk } of this.#nodes) if (disk instanceof ImageDisk) await disk.dispose()
    await this.#ground[Symbol.asyncDispose]()
  }

  async #furnish(): Promise<void> {
    const { edges, deliveries, delayable } = this.#options
    const places = await this.#places('nats', NATS_SERVERS)
    if (delayable === true) this.#delays = await Delays.start(places)
    for (const place of places) await this.#addNats(place, places)
    await writeFile(this.queueFile, stringify(queueSettings(this.#around(false))), { mode: 0o600 })
    for (let count = 0; count < deliveries; count++) await this.#addService('delivery')
    for (let count = 0; count < edges; count++) await this.#addService('edge')
    if (!this.isolated) return
    const [place] = (await this.#places('balancer', 1)) as [Place]
    this.#balancer = new Balancer(place, this.dir)
    this.#addNode(place, this.#balancer.program)
    for (const edge of this.nodes('edge')) await this.#balancer.include(edge.name)
  }

  async #addNats(place: Place, places: readonly Place[]): Promise<void> {
    const { diskMiB } = this.#options
    const pids = () => [this.node(place.name).pid].filter((pid) => pid !== undefined)
    const program = await natsProgram({
      room: this.#options,
      secrets: this.#secrets,
      place,
      places,
      store: await makeStore(this.dir, place.name, diskMiB, pids),
      maxFileStore: storeSizes(diskMiB).maxFileStore,
      logFile: this.#logFile(place),
    })
    this.#addNode(place, program)
  }

  async #addService(kind: 'edge' | 'delivery'): Promise<ProgramNode> {
    const taken = new Set(this.#nodes.filter((node) => node.kind === kind).map(({ place }) => place.number))
    let number = 1
    while (taken.has(number)) number++
    if (kind === 'edge' && number > SLOTS) throw new Error(`a room has at most ${SLOTS} edges`)
    const place = await this.#ground.place(kind, number)
    return this.#addNode(place, await serviceProgram(place, this.#around(this.#delays !== undefined)))
  }

  #addNode(place: Place, program: Program): ProgramNode {
    const { signal, say } = this.#options
    const node = new ProgramNode(place, program, { logFile: this.#logFile(place), signal, say })
    this.#nodes.push(node)
    return node
  }

  async #places(kind: NodeKind, count: number): Promise<Place[]> {
    const places: Place[] = []
    for (let number = 1; number <= count; number++) places.push(await this.#ground.place(kind, number))
    return places
  }

  #around(byProxies: boolean): Around {
    const servers = this.#nodes
      .filter(({ kind }) => kind === 'nats')
      .map(({ place }) => {
        return `${place.address}:${(byProxies ? place.proxies : place.nats).client}`
      })
    const { storageMiB } = storeSizes(this.#options.diskMiB)
    return { ground: this.#ground, secrets: this.#secrets, options: this.#options, servers, storageMiB }
  }

  #logFile({ name }: Place): string {
    return join(this.dir, `${name}.log`)
  }
}
