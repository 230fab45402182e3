// A rendered release, started for real on 127.0.0.1 from what its containers are given: files, variables, command lines, probes.
// What is replaced, and nothing else: names of the cluster's DNS by 127.0.0.1, which the rendered certificates are for, too;
// addresses to listen on likewise; fixed ports by free ones; the folders of mounts by folders below one of this machine; and the
// programs by those of this machine (`nats-server`, and node with the entry point of the image).
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startChild, type Child } from '@posthouse/testkit/child-process'
import { freePorts } from '@posthouse/testkit/free-port'
import { requireNatsServer } from '@posthouse/testkit/nats-binary'
import { checkoutRoot } from '@posthouse/testkit/tool'
import { layOut, type LaidOut, type Place } from './laid-out.ts'
import type { Container, Probe, Rendering } from './manifest.ts'
import { podOf } from './reachability.ts'

export const HOST = '127.0.0.1'
/** The program of the image, which takes the arguments of a container. */
export const ENTRY = join(checkoutRoot(), 'deploy', 'image', 'entry.ts')
/** `posthouse` as it is in the PATH of the image. */
export const POSTHOUSE = join(checkoutRoot(), 'services', 'cli', 'main.ts')

const READY_WITHIN_MS = 60_000
const LISTENING = '(?:0\\.0\\.0\\.0|\\[::\\])'

/** Free ports of this machine for the fixed ones of the containers. */
export interface LoopbackPorts {
  readonly nats: readonly { readonly client: number; readonly cluster: number; readonly monitor: number }[]
  readonly submission: number
  readonly submissions: number
  /** Of /readyz. */
  readonly edge: number
  readonly delivery: number
  readonly admin: number
  /** Of the host that the test's domain is routed to. */
  readonly test: number
}

type Service = 'edge' | 'delivery' | 'admin'
type Instead = NonNullable<Place['instead']>

async function drawPorts(servers: number): Promise<LoopbackPorts> {
  const free = await freePorts(6 + servers * 3)
  const next = () => free.pop() as number
  const nats = Array.from({ length: servers }, () => ({ client: next(), cluster: next(), monitor: next() }))
  return { nats, submission: next(), submissions: next(), edge: next(), delivery: next(), admin: next(), test: next() }
}

export class Loopback implements AsyncDisposable {
  readonly ports: LoopbackPorts
  readonly #rendering: Rendering
  readonly #folder: string
  readonly #children = new Map<string, Child>()

  private constructor(rendering: Rendering, folder: string, ports: LoopbackPorts) {
    this.#rendering = rendering
    this.#folder = folder
    this.ports = ports
  }

  /**
   * The servers and then, together, a pod of each of these services; with other ports if somebody has taken one meanwhile.
   * `servers` are the replicas of the StatefulSet, `folder` is the caller's.
   */
  static async start(
    rendering: Rendering,
    folder: string,
    servers: number,
    services: readonly Service[] = [],
  ): Promise<Loopback> {
    for (let tries = 1; ; tries++) {
      const release = new Loopback(rendering, join(folder, String(tries)), await drawPorts(servers))
      try {
        await release.#startNats()
        // The others wait for the streams, which the delivery node makes.
        await Promise.all(services.map((service) => release.#startService(service)))
        return release
      } catch (error) {
        await release[Symbol.asyncDispose]()
        if (tries === 3 || !/address already in use/.test((error as Error).message)) throw error
      }
    }
  }

  /** The servers, all at once as the StatefulSet does it; resolves when each passes its startup probe. */
  async #startNats(): Promise<void> {
    await Promise.all(
      this.ports.nats.map(async ({ monitor }, index) => {
        const { container, place } = await this.nats(index)
        const [program, ...args] = place.words
        if (program !== 'nats-server') throw new Error(`the NATS container runs ${program}`)
        const child = await this.#start(`nats-${index}`, requireNatsServer().path, args, place)
        await this.#pass(container.startupProbe, monitor, child, `nats-${index}`)
      }),
    )
  }

  /** A pod of one of the services; resolves when it passes its readiness probe. */
  async #startService(name: Service): Promise<void> {
    const { container, place } = await this.service(name)
    const child = await this.#start(name, process.execPath, [ENTRY, ...place.words], place)
    await this.#pass(container.readinessProbe, this.ports[name], child, name)
  }

  /** What the container of a server finds. */
  nats(index: number): Promise<{ container: Container; place: LaidOut }> {
    const { client, cluster, monitor } = this.ports.nats[index] as LoopbackPorts['nats'][number]
    return this.#layOut('StatefulSet', 'nats', `nats-${index}`, [
      [new RegExp(`${LISTENING}:4222`), `${HOST}:${client}`],
      [new RegExp(`${LISTENING}:6222`), `${HOST}:${cluster}`],
      [new RegExp(`${LISTENING}:8222`), `${HOST}:${monitor}`],
    ])
  }

  /** What the container of a service finds. */
  service(name: Service): Promise<{ container: Container; place: LaidOut }> {
    return this.#layOut('Deployment', name, name, [
      [/\bhost: ["']?(?:0\.0\.0\.0|::)["']?(?=\s|$)/, `host: ${HOST}`],
      [/port: 8080\b/, `port: ${this.ports[name]}`],
      [/port: 2587\b/, `port: ${this.ports.submission}`],
      [/port: 2465\b/, `port: ${this.ports.submissions}`],
    ])
  }

  /** What the container of `helm test` finds. */
  test(): Promise<{ container: Container; place: LaidOut }> {
    return this.#layOut('Pod', 'test', 'test', [[new RegExp(`${LISTENING}:2525`), `${HOST}:${this.ports.test}`]])
  }

  async #layOut(kind: string, component: string, own: string, instead: Instead) {
    const prefix = `${this.#rendering.release}-posthouse`
    const { template } = podOf(this.#rendering, `${kind}/${prefix}-${component}`)
    const [container] = template.spec.containers
    if (container === undefined) throw new Error(`${kind}/${prefix}-${component} has no container`)
    const place = await layOut(container, template, this.#rendering, {
      folder: join(this.#folder, own),
      fields: { 'metadata.name': `${prefix}-${own}`, 'status.hostIPs': '10.98.0.11' },
      instead: [...this.#names(prefix), ...instead],
    })
    return { container, place }
  }

  /** Services and pods, as the DNS of the cluster would find them. */
  #names(prefix: string): Instead {
    const domain = `${this.#rendering.namespace}.svc.cluster.local`
    const { nats, test, submission, submissions } = this.ports
    return [
      ...nats.flatMap(({ client, cluster }, n): Instead => {
        const server = `${prefix}-nats-${n}.${prefix}-nats-headless.${domain}`
        return [
          [`${server}:4222`, `${HOST}:${client}`],
          [`${server}:6222`, `${HOST}:${cluster}`],
        ]
      }),
      [`${prefix}-test.${domain}:2525`, `${HOST}:${test}`],
      [`${prefix}.${domain}:587`, `${HOST}:${submission}`],
      [`${prefix}.${domain}:465`, `${HOST}:${submissions}`],
    ]
  }

  async #start(name: string, program: string, args: readonly string[], { env }: LaidOut): Promise<Child> {
    await mkdir(this.#folder, { recursive: true })
    const child = await startChild(program, args, {
      output: this.output(name),
      env: { ...env, PATH: process.env['PATH'] },
    })
    this.#children.set(name, child)
    return child
  }

  /** One of the servers that were started. */
  server(index: number): Child {
    const child = this.#children.get(`nats-${index}`)
    if (child === undefined) throw new RangeError(`server ${index} was not started`)
    return child
  }

  /** File that the process of this name writes to. */
  output(name: string): string {
    return join(this.#folder, `${name}.log`)
  }

  /** Resolves when the answer is one that the kubelet takes for a good one; rejects when the process ends before, or takes too long. */
  async #pass(probe: Probe | undefined, port: number, child: Child, name: string): Promise<void> {
    const path = probe?.httpGet?.path
    if (path === undefined) throw new Error(`${name} is not probed by HTTP`)
    const deadline = performance.now() + READY_WITHIN_MS
    for (;;) {
      const status = await fetch(`http://${HOST}:${port}${path}`, { signal: AbortSignal.timeout(2000) }).then(
        async (answer) => {
          await answer.body?.cancel()
          return answer.status
        },
        () => 0,
      )
      if (status >= 200 && status < 400) return
      if (!child.running || performance.now() > deadline) {
        const words = (await readFile(this.output(name), 'utf8')).trimEnd().split('\n').slice(-10).join('\n')
        throw new Error(`${name} ${child.running ? 'is not ready in time' : 'has ended'}:\n${words}`)
      }
      await sleep(25)
    }
  }

  /** Ends what runs, the last one first. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of [...this.#children.values()].toReversed()) await child.stop()
  }
}
