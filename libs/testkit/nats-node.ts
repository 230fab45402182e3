// What one nats-server of a cluster is made of on disk and on the network, and the question whether it is ready.

import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { NatsUser } from './nats-accounts.ts'
import { natsConfig, type NatsPorts, type NatsServerTls } from './nats-config.ts'

export interface NatsNode {
  readonly name: string
  readonly host: string
  readonly ports: NatsPorts
  readonly tag: string
  readonly configFile: string
  readonly logFile: string
  /** Standard error of the program: what it says when it ends before its log is open, or crashes. */
  readonly outputFile: string
}

export interface NatsLayout {
  readonly dir: string
  readonly host: string
  readonly ports: readonly NatsPorts[]
  readonly user: string
  readonly password: string
  readonly users?: readonly NatsUser[]
  readonly tls?: NatsServerTls
  readonly maxFileStore: number
}

/** Writes the configuration of every server below `dir`; what their stores hold already stays. */
export async function layOutNats(layout: NatsLayout): Promise<NatsNode[]> {
  const routes = layout.ports.map((ports) => `${layout.host}:${ports.cluster}`)
  return Promise.all(
    layout.ports.map(async (ports, index) => {
      const name = `nats-${index + 1}`
      const folder = join(layout.dir, name)
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const tag = `run:${randomBytes(8).toString('hex')}`
      const node: NatsNode = {
        name,
        host: layout.host,
        ports,
        tag,
        configFile: join(folder, 'nats.conf'),
        logFile: join(folder, 'server.log'),
        outputFile: join(folder, 'output.log'),
      }
      const config = natsConfig({
        name,
        host: layout.host,
        ports,
        routes,
        tag,
        clusterName: 'posthouse',
        user: layout.user,
        password: layout.password,
        ...(layout.users === undefined ? {} : { users: layout.users }),
        ...(layout.tls === undefined ? {} : { tls: layout.tls }),
        storeDir: join(folder, 'store'),
        logFile: node.logFile,
        maxFileStore: layout.maxFileStore,
      })
      await writeFile(node.configFile, config, { mode: 0o600 })
      return node
    }),
  )
}

/** Ready = it is this very server that answers, JetStream has recovered its streams and, in a cluster, hears a meta leader. */
export async function isNatsReady(node: Pick<NatsNode, 'host' | 'ports' | 'tag'>): Promise<boolean> {
  const ask = (path: string) =>
    fetch(`http://${node.host}:${node.ports.monitor}${path}`, { signal: AbortSignal.timeout(1000) })
  try {
    const health = await ask('/healthz')
    await health.body?.cancel()
    if (health.status !== 200) return false
    const about = (await (await ask('/varz')).json()) as { tags?: string[] }
    return about.tags?.includes(node.tag) ?? false
  } catch {
    return false
  }
}

/** The end of what a server wrote, for the message about one that did not start. */
export async function lastWords(node: NatsNode, lines = 8): Promise<string> {
  const texts = await Promise.all([node.outputFile, node.logFile].map((file) => readFile(file, 'utf8').catch(() => '')))
  return texts.join('').trimEnd().split('\n').slice(-lines).join('\n')
}
