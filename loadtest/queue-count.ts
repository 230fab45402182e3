// Asks the cluster how many recipients its queue still holds, with the command that an operator would use.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const CLI = join(import.meta.dirname, '../services/cli/main.ts')

/** Null when nobody could answer: then what is missing may be queued. */
export async function queueCount(
  queue: { readonly data: string } | { readonly config: string },
): Promise<number | null> {
  try {
    const where = 'data' in queue ? ['--data', queue.data] : ['--config', queue.config]
    const args = [CLI, 'queue', 'count', '--json', ...where]
    const { stdout } = await run(process.execPath, args, { timeout: 30_000 })
    return countIn(stdout)
  } catch {
    return null
  }
}

/** The count in the answer of `posthouse queue count --json`. */
export function countIn(answer: string): number | null {
  const line = answer.trim().split('\n').at(-1) ?? ''
  try {
    const value = JSON.parse(line) as { count?: unknown }
    return typeof value.count === 'number' ? value.count : null
  } catch {
    return null
  }
}
