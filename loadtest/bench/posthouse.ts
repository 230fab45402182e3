// Posthouse as it starts for anybody: three nats-servers, two edges, two deliveries, an admin node, sending to the sink.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Cluster, kindOf } from '../cluster.ts'
import type { System } from './system.ts'
import { SmtpSink } from './smtp-sink.ts'

/** A Node process is cold for its first 5000 messages, and there are two of each kind. */
const WARM_UP = 12_000

export interface PosthouseOptions {
  /** Where the nodes write CPU profiles. */
  readonly cpuProfiles: string | null
  readonly admin: boolean
}

export async function startPosthouse(
  folder: string,
  { cpuProfiles, admin }: PosthouseOptions,
  signal: AbortSignal,
): Promise<System> {
  const dataDir = join(folder, 'posthouse')
  const sink = await SmtpSink.start(folder, 'posthouse')
  let cluster: Cluster
  try {
    cluster = await Cluster.start({
      dataDir,
      smarthost: sink,
      signal,
      admin,
      ...(cpuProfiles === null ? {} : { nodeOptions: `--cpu-prof --cpu-prof-dir=${cpuProfiles}` }),
    })
  } catch (error) {
    await sink[Symbol.asyncDispose]()
    throw error
  }
  const [relay] = cluster.targets('relay')
  if (relay === undefined) throw new Error('the cluster has no relay listener')
  return {
    name: 'posthouse',
    version: await ownVersion(),
    host: relay.host,
    port: relay.port,
    sink,
    warmUp: WARM_UP,
    async groups() {
      const groups: Record<string, number[]> = { supervisor: [cluster.starterPid] }
      for (const [name, pid] of Object.entries((await cluster.facts()).pids)) (groups[kindOf(name)] ??= []).push(pid)
      return groups
    },
    async [Symbol.asyncDispose]() {
      await cluster.stop()
      await sink[Symbol.asyncDispose]()
    },
  }
}

async function ownVersion(): Promise<string> {
  const file = join(import.meta.dirname, '../../package.json')
  return (JSON.parse(await readFile(file, 'utf8')) as { version: string }).version
}
