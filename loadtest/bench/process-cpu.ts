// CPU time of groups of processes, from /proc: of each root process, its descendants, and the ones it has already buried.

import { readdirSync, readFileSync } from 'node:fs'

export interface ProcessTimes {
  readonly pid: number
  readonly parent: number
  /** Its own and its buried children's time in user and kernel mode. */
  readonly ticks: number
}

const MICROSECONDS_PER_TICK = 10_000 // USER_HZ is 100 on every Linux that Node runs on

/** One line of /proc/<pid>/stat; the name in parentheses may hold blanks and parentheses. */
export function timesIn(stat: string): ProcessTimes {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const field = (number: number) => Number(fields[number - 3]) // proc(5) counts from 1, and two are before the name's end
  return { pid: Number.parseInt(stat, 10), parent: field(4), ticks: field(14) + field(15) + field(16) + field(17) }
}

/** Microseconds by group. A process that is the root of another group counts there only. */
export function cpuOfGroups(
  processes: readonly ProcessTimes[],
  groups: Readonly<Record<string, readonly number[]>>,
): Record<string, number> {
  const groupOf = new Map<number, string>()
  for (const [group, pids] of Object.entries(groups)) for (const pid of pids) groupOf.set(pid, group)
  const byPid = new Map(processes.map((one) => [one.pid, one]))
  const sums: Record<string, number> = Object.fromEntries(Object.keys(groups).map((group) => [group, 0]))
  for (const one of processes) {
    let at: ProcessTimes | undefined = one
    while (at !== undefined && !groupOf.has(at.pid)) at = byPid.get(at.parent)
    const group = at === undefined ? undefined : groupOf.get(at.pid)
    if (group !== undefined) sums[group] = (sums[group] ?? 0) + one.ticks * MICROSECONDS_PER_TICK
  }
  return sums
}

/** Every process of this machine; those that end while they are read are left out. */
export function readProcesses(): ProcessTimes[] {
  const processes: ProcessTimes[] = []
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      processes.push(timesIn(readFileSync(`/proc/${name}/stat`, 'latin1')))
    } catch {
      // gone
    }
  }
  return processes
}
