// One program of a local cluster, and what it takes to run it and to know that it is ready.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkoutRoot } from '@posthouse/testkit/tool'
import { isNatsReady, layOutNats } from '@posthouse/testkit/nats-node'
import { stringify } from 'yaml'
import { HOST } from './ports.ts'
import { adminSettings, deliverySettings, edgeSettings, queueSettings, type Cluster } from './service-settings.ts'

export interface Program {
  readonly name: string
  readonly kind: 'nats' | 'edge' | 'delivery' | 'admin' | 'mailbox'
  readonly command: string
  readonly args: readonly string[]
  /** Where its standard output and standard error go. */
  readonly log: string
  /** Undefined when it is ready, else why not, in words. */
  notReady(): Promise<string | undefined>
}

/** Bytes on disk per server: the queue's default storage and some room. */
const NATS_STORAGE = 4 * 1024 ** 3

/** All programs of a cluster, with their settings written below `dir`; in the order in which they start. */
export async function programs(
  dir: string,
  cluster: Cluster,
  natsBinary: string,
  mailbox: boolean,
): Promise<Program[]> {
  const logs = join(dir, 'logs')
  await mkdir(logs, { recursive: true, mode: 0o700 })
  await writeSettings(join(dir, 'queue.yaml'), queueSettings(cluster))

  const nats = await layOutNats({
    dir,
    host: HOST,
    ports: cluster.ports.nats,
    user: cluster.secrets.natsUser,
    password: cluster.secrets.natsPassword,
    maxFileStore: NATS_STORAGE,
  })
  const list: Program[] = nats.map((node) => ({
    name: node.name,
    kind: 'nats' as const,
    command: natsBinary,
    args: ['-c', node.configFile],
    log: node.outputFile,
    notReady: async () => ((await isNatsReady(node)) ? undefined : 'JetStream is not up yet'),
  }))
  if (mailbox) {
    const { mailboxSmtp, mailboxWeb } = cluster.ports
    const args = ['--dir', join(dir, 'mailbox'), '--smtp', String(mailboxSmtp), '--web', String(mailboxWeb)]
    const file = join(import.meta.dirname, 'mailbox', 'main.ts')
    list.push(nodeProgram('mailbox', 'mailbox', file, args, mailboxWeb, logs))
  }
  const { edges, deliveries, admins } = cluster.ports
  for (const [kind, ports, settings] of [
    ['delivery', deliveries, deliverySettings],
    ['edge', edges, edgeSettings],
    ['admin', admins, adminSettings],
  ] as const)
    for (const [index, port] of ports.entries()) {
      const name = `${kind}-${index + 1}`
      const file = join(dir, `${name}.yaml`)
      await writeSettings(file, settings(cluster, index, join(dir, name)))
      const main = join(checkoutRoot(), 'services', kind, 'main.ts')
      list.push(nodeProgram(name, kind, main, ['--config', file], port, logs))
    }
  return list
}

function writeSettings(file: string, settings: object): Promise<void> {
  return writeFile(file, `# Written by npm start, at every start.\n${stringify(settings)}`, { mode: 0o600 })
}

function nodeProgram(
  name: string,
  kind: Program['kind'],
  main: string,
  args: readonly string[],
  httpPort: number,
  logs: string,
): Program {
  return {
    name,
    kind,
    command: process.execPath,
    args: [main, ...args],
    log: join(logs, `${name}.log`),
    notReady: () => readiness(httpPort),
  }
}

async function readiness(port: number): Promise<string | undefined> {
  try {
    const answer = await fetch(`http://${HOST}:${port}/readyz`, { signal: AbortSignal.timeout(2000) })
    const text = await answer.text()
    if (answer.ok) return undefined
    const { notReady } = JSON.parse(text) as { notReady: { condition: string; reason: string }[] }
    return notReady.map(({ condition, reason }) => `${condition}: ${reason}`).join('; ')
  } catch {
    return `nothing answers on port ${port} yet`
  }
}
