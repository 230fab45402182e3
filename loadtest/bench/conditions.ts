// What a result depends on besides the programs: the machine and the settings that were chosen.

import { readFile } from 'node:fs/promises'
import { cpus, loadavg, release } from 'node:os'
import { DESTINATION_CONCURRENCY, PROCESS_LIMIT } from './postfix.ts'
import type { System } from './system.ts'

export interface Conditions {
  readonly cpu: string
  readonly cores: number
  readonly kernel: string
  readonly distribution: string
  readonly node: string
  readonly versions: Readonly<Record<string, string>>
  readonly connections: string
  readonly postfix: string
  /** Of the minute before the first run: others at work make every number worse. */
  readonly loadBefore: number
}

export async function conditionsOf(
  systems: readonly System[],
  connections: string,
  loadBefore: number,
): Promise<Conditions> {
  const osRelease = await readFile('/etc/os-release', 'utf8').catch(() => '')
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    kernel: release(),
    distribution: /^PRETTY_NAME="?([^"\n]*)/m.exec(osRelease)?.[1] ?? 'unknown',
    node: process.version,
    versions: Object.fromEntries(systems.map((system) => [system.name, system.version])),
    connections,
    postfix: `in_flow_delay = 0, default_process_limit = ${PROCESS_LIMIT}, destination concurrency ${DESTINATION_CONCURRENCY}, no log, no chroot`,
    loadBefore,
  }
}

export function loadNow(): number {
  return Math.round((loadavg()[0] ?? 0) * 100) / 100
}
