// A real NATS cluster of one or three servers on loopback, for tests and load runs: started when `start` resolves (JetStream
// is usable), killed and revived server by server, gone with its folder after `stop`. With a `dir` of the caller's the
// stored messages stay for the next start.

import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { startChild, type Child } from './child-process.ts'
import { freePorts } from './free-port.ts'
import { requireNatsServer } from './nats-binary.ts'
import type { NatsUser } from './nats-accounts.ts'
import type { NatsPorts, NatsServerTls } from './nats-config.ts'
import { isNatsReady, lastWords, layOutNats, type NatsNode } from './nats-node.ts'
import { temporaryFolder, type TemporaryFolder } from './temporary-folder.ts'

export interface NatsClusterOptions {
  readonly servers?: 1 | 3
  /** Keeps the stored messages here; else a temporary folder is made, and removed by `stop`. */
  readonly dir?: string
  /** One entry per server; free ones are drawn otherwise. */
  readonly ports?: readonly NatsPorts[]
  readonly user?: string
  readonly password?: string
  /** Users that may do less, beside the one that may do everything. */
  readonly users?: readonly NatsUser[]
  /** The files are read again when a server starts or gets SIGHUP. */
  readonly tls?: NatsServerTls
  /** Bytes on disk per server (4 GiB): the `max_bytes` of all streams must fit. */
  readonly maxFileStore?: number
  readonly readyWithinMs?: number
}

class PortTaken extends Error {}

export class NatsCluster implements AsyncDisposable {
  readonly user: string
  readonly password: string
  readonly nodes: readonly NatsNode[]
  readonly #binary: string
  readonly #children: (Child | undefined)[]
  readonly #temporary: TemporaryFolder | undefined

  private constructor(
    binary: string,
    nodes: readonly NatsNode[],
    login: { user: string; password: string },
    temporary: TemporaryFolder | undefined,
  ) {
    this.#binary = binary
    this.nodes = nodes
    this.user = login.user
    this.password = login.password
    this.#children = nodes.map(() => undefined)
    this.#temporary = temporary
  }

  static async start(options: NatsClusterOptions = {}): Promise<NatsCluster> {
    for (let tries = 1; ; tries++) {
      try {
        return await NatsCluster.#startOnce(options)
      } catch (error) {
        // Somebody took a port between the draw and the start.
        if (!(error instanceof PortTaken) || options.ports !== undefined || tries === 3) throw error
      }
    }
  }

  static async #startOnce(options: NatsClusterOptions): Promise<NatsCluster> {
    const binary = requireNatsServer().path
    const temporary = options.dir === undefined ? await temporaryFolder('nats') : undefined
    const login = {
      user: options.user ?? 'posthouse',
      password: options.password ?? randomBytes(12).toString('base64url'),
    }
    const nodes = await layOutNats({
      dir: options.dir ?? (temporary as TemporaryFolder).path,
      host: '127.0.0.1',
      ports: options.ports ?? (await drawPorts(options.servers ?? 3)),
      ...login,
      ...(options.users === undefined ? {} : { users: options.users }),
      ...(options.tls === undefined ? {} : { tls: options.tls }),
      maxFileStore: options.maxFileStore ?? 4 * 1024 ** 3,
    })
    const cluster = new NatsCluster(binary, nodes, login, temporary)
    try {
      await Promise.all(nodes.map((_, index) => cluster.start(index)))
      await cluster.ready(options.readyWithinMs)
      return cluster
    } catch (error) {
      await cluster.stop()
      throw error
    }
  }

  /** `host:port` of every server, also of one that is down. */
  get servers(): string[] {
    return this.nodes.map((node) => `${node.host}:${node.ports.client}`)
  }

  /** Process ids by server; undefined while it is down. */
  get pids(): (number | undefined)[] {
    return this.#children.map((child) => (child?.running ? child.pid : undefined))
  }

  /** Starts a server that is down; it is not ready yet. */
  async start(index: number): Promise<void> {
    const node = this.#node(index)
    if (this.#children[index]?.running) throw new Error(`${node.name} is running already`)
    this.#children[index] = await startChild(this.#binary, ['-c', node.configFile], { output: node.outputFile })
  }

  /** Resolves once every server that runs is ready. */
  async ready(withinMs = 60_000): Promise<void> {
    const deadline = performance.now() + withinMs
    await Promise.all(this.nodes.map((node, index) => this.#readyOne(node, index, deadline)))
  }

  async #readyOne(node: NatsNode, index: number, deadline: number): Promise<void> {
    const child = this.#children[index]
    if (child === undefined || !child.running) return
    while (!(await isNatsReady(node))) {
      if (!child.running) {
        const words = await lastWords(node)
        const message = `${node.name} ended before it was ready:\n${words}`
        throw words.includes('address already in use') ? new PortTaken(message) : new Error(message)
      }
      if (performance.now() > deadline) throw new Error(`${node.name} was not ready in time:\n${await lastWords(node)}`)
      await sleep(25)
    }
  }

  /** Sends a signal to one server. With one that ends it, resolves when it has ended. */
  async kill(index: number, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#children[index]
    if (child === undefined || !child.running) throw new Error(`${this.#node(index).name} is not running`)
    child.kill(signal)
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT' && signal !== 'SIGHUP') await child.exited
  }

  /** Ends every server; removes the folder unless it is the caller's. */
  async stop(): Promise<void> {
    await Promise.all(this.#children.map(async (child) => child?.stop()))
    await this.#temporary?.remove()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #node(index: number): NatsNode {
    const node = this.nodes[index]
    if (node === undefined) throw new RangeError(`there is no server ${index}`)
    return node
  }
}

async function drawPorts(servers: number): Promise<NatsPorts[]> {
  const free = await freePorts(servers * 3)
  return Array.from({ length: servers }, (_, index) => {
    const [client, cluster, monitor] = free.slice(index * 3, index * 3 + 3) as [number, number, number]
    return { client, cluster, monitor }
  })
}
