// What a result depends on besides the programs: the machine and the settings that were chosen.

import { loadavg } from 'node:os'
import { thisMachine, type Machine } from '../machine.ts'
import { DESTINATION_CONCURRENCY, PROCESS_LIMIT } from './postfix.ts'
import type { System } from './system.ts'

export interface Conditions extends Machine {
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
  return {
    ...(await thisMachine()),
    versions: Object.fromEntries(systems.map((system) => [system.name, system.version])),
    connections,
    postfix: `in_flow_delay = 0, default_process_limit = ${PROCESS_LIMIT}, destination concurrency ${DESTINATION_CONCURRENCY}, no log, no chroot`,
    loadBefore,
  }
}

export function loadNow(): number {
  return Math.round((loadavg()[0] ?? 0) * 100) / 100
}
