// Tells whether a process that was noted earlier is still the same one: the system hands out process ids again, so a note
// holds the id and the time the process started. Nothing is ever ended on the strength of an id alone.

import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Noted {
  readonly name: string
  readonly pid: number
  /** Clock ticks since boot; and which boot. */
  readonly started: string
}

/** When the process with this id started; undefined if there is none (or this system does not say). */
export function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, in parentheses, may hold anything: count from its end. State Z is one that has ended already.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z') return undefined
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${fields[19]}@${boot}`
  } catch {
    return undefined
  }
}

export function note(name: string, pid: number): Noted {
  return { name, pid, started: startOf(pid) ?? '' }
}

export function isStillRunning(noted: Noted): boolean {
  return noted.started !== '' && startOf(noted.pid) === noted.started
}

/** Ends a process of an earlier start: asked first, then by force. */
export async function end(noted: Noted, graceMs = 5000): Promise<void> {
  const deadline = performance.now() + graceMs
  for (let signal: NodeJS.Signals = 'SIGTERM'; isStillRunning(noted); await sleep(50)) {
    if (performance.now() > deadline) signal = 'SIGKILL'
    try {
      process.kill(noted.pid, signal)
      process.kill(noted.pid, 'SIGCONT')
    } catch {
      return // ended in between
    }
  }
}
