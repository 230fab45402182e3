// The folder that a local cluster lives in: whether this start may use it, and what an earlier start, killed before it could
// stop its programs, has left running.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { end, isStillRunning, type Noted } from './process-table.ts'

export const SUPERVISOR = 'npm start'

/** Makes the folder ready; throws when it is in use, or holds the queue of a cluster of another size. */
export async function claimFolder(dir: string, nodes: 1 | 3, say: (line: string) => void): Promise<void> {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const left = readProcesses(dir).filter(isStillRunning)
  const owner = left.find(({ name }) => name === SUPERVISOR)
  if (owner !== undefined) {
    throw new Error(
      `a cluster is running in ${dir} already (pid ${owner.pid}); stop it, or choose another folder with --data`,
    )
  }
  if (left.length > 0) {
    say(`ending what an earlier start left running: ${left.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ')}`)
    await Promise.all(left.map((noted) => end(noted)))
  }
  claimSize(dir, nodes)
}

function claimSize(dir: string, nodes: 1 | 3): void {
  const file = join(dir, 'nodes')
  const before = readOrNothing(file)?.trim()
  if (before === undefined) return writeFileSync(file, `${nodes}\n`)
  if (before !== String(nodes)) {
    throw new Error(
      `${dir} holds the queue of a cluster of ${before}, not ${nodes}: start it with --nodes ${before}, ` +
        'or choose another folder with --data',
    )
  }
}

function readProcesses(dir: string): Noted[] {
  try {
    return JSON.parse(readOrNothing(join(dir, 'processes.json')) ?? '[]') as Noted[]
  } catch {
    return []
  }
}

function readOrNothing(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
