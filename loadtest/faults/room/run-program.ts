// Runs one short program, such as `ip` or `mount`, and says what it said when it fails.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

/** Answers with its standard output. */
export async function run(program: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn(program, args, { stdio: 'pipe' })
  child.stdin.on('error', () => {}) // it may end without reading
  child.stdin.end(input)
  const [said, complaint, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${complaint.trim() || `status ${String(status)}`}`)
  return said
}
