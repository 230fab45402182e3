// The command as its users run it: a process of its own.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Said } from './fake-world.ts'

const MAIN = join(import.meta.dirname, '../main.ts')

interface Options {
  readonly input?: string
  readonly environment?: Readonly<Record<string, string>>
}

export function startPosthouse(args: readonly string[], options: Options = {}): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env['PATH'], ...options.environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.end(options.input ?? '')
  return child
}

export async function runPosthouse(args: readonly string[], options: Options = {}): Promise<Said> {
  const child = startPosthouse(args, options)
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const [status, output, errors] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
  return { status: status ?? -1, output, errors }
}
