// What one nats-server of a cluster is made of on disk and on the network, and the question whether it is ready.

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { natsConfig, type NatsPorts } from './nats-config.ts'

export interface NatsNode {
  readonly name: string
  readonly host: string
  readonly ports: NatsPorts
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
  readonly maxFileStore: number
}

/** Writes the configuration of every server below `dir`; what their stores hold already stays. */
export async function layOutNats(layout: NatsLayout): Promise<NatsNode[]> {
  const routes = layout.ports.map((ports) => ports.cluster)
  return Promise.all(
    layout.ports.map(async (ports, index) => {
      const name = `nats-${index + 1}`
      const folder = join(layout.dir, name)
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const node: NatsNode = {
        name,
        host: layout.host,
        ports,
        configFile: join(folder, 'nats.conf'),
        logFile: join(folder, 'server.log'),
        outputFile: join(folder, 'output.log'),
      }
      const config = natsConfig({
        name,
        host: layout.host,
        ports,
        routes,
        clusterName: 'posthouse',
        user: layout.user,
        password: layout.password,
        storeDir: join(folder, 'store'),
        logFile: node.logFile,
        maxFileStore: layout.maxFileStore,
      })
      await writeFile(node.configFile, config, { mode: 0o600 })
      return node
    }),
  )
}

/** Ready = JetStream has recovered its streams and, in a cluster, hears a meta leader. */
export async function isNatsReady(node: NatsNode): Promise<boolean> {
  try {
    const answer = await fetch(`http://${node.host}:${node.ports.monitor}/healthz`, {
      signal: AbortSignal.timeout(1000),
    })
    await answer.body?.cancel()
    return answer.status === 200
  } catch {
    return false
  }
}

/** The end of what a server wrote, for the message about one that did not start. */
export async function lastWords(node: NatsNode, lines = 8): Promise<string> {
  const texts = await Promise.all([node.outputFile, node.logFile].map((file) => readFile(file, 'utf8').catch(() => '')))
  return texts.join('').trimEnd().split('\n').slice(-lines).join('\n')
}
