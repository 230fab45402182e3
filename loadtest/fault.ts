// The faults a load run can inject. Each is a kill -9 of what a process id in cluster.json names; the supervisor that started
// the cluster starts the node again, and that heals it.

import type { Cluster } from './cluster.ts'
import { pick, type Random } from './random.ts'

export const FAULTS = ['none', 'kill-nats', 'kill-edge', 'kill-delivery', 'kill-all-nats'] as const
export type Fault = (typeof FAULTS)[number]

export interface Injected {
  readonly killed: readonly string[]
  readonly at: number
  /** Settled when every victim runs again. */
  readonly healed: Promise<void>
}

export function isFault(text: string): text is Fault {
  return (FAULTS as readonly string[]).includes(text)
}

export async function inject(fault: Exclude<Fault, 'none'>, cluster: Cluster, random: Random): Promise<Injected> {
  const victims = await victimsOf(fault, cluster, random)
  const at = performance.now()
  const pids = await Promise.all(victims.map((name) => cluster.kill(name)))
  const healed = Promise.all(victims.map((name, index) => cluster.restarted(name, pids[index] ?? 0))).then(() => {})
  healed.catch(() => {}) // who waits for it learns of it
  return { killed: victims, at, healed }
}

async function victimsOf(fault: Exclude<Fault, 'none'>, cluster: Cluster, random: Random): Promise<string[]> {
  if (fault === 'kill-all-nats') return cluster.nodes('nats')
  return [pick(random, await cluster.nodes(fault.slice('kill-'.length)))]
}
