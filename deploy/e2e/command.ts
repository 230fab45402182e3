// Runs a program to its end, and never for longer than it is given. It gets a process group of its own, so that Ctrl-C at a
// terminal reaches only this process, which then ends what it started, in its own order.

import { spawn } from 'node:child_process'

export interface CommandOptions {
  /** What it reads from its standard input; absent: nothing. */
  readonly input?: string
  /** Longest it may take, ms. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

export interface Ended {
  /** Exit status; null when it was ended by a signal. */
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** What went wrong with a program that should have succeeded, with its last words. */
export class CommandFailed extends Error {
  readonly ended: Ended | undefined

  constructor(message: string, ended?: Ended) {
    super(message)
    this.ended = ended
  }
}

const LAST_WORDS = 1500
const KILL_AFTER_MS = 5000

/** Whatever its exit status is. Throws CommandFailed when it cannot be run, takes too long, or `signal` ends it. */
export async function ended(program: string, args: readonly string[], options: CommandOptions): Promise<Ended> {
  const { signal, timeoutMs, input } = options
  if (signal?.aborted === true) throw new CommandFailed(`${spoken(program, args)}: stopped before it began`)
  const child = spawn(program, args, {
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    detached: true,
  })
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin?.on('error', () => {}) // it may end before it has read everything
  child.stdin?.end(input)
  let why: string | undefined
  let last: NodeJS.Timeout | undefined
  const end = (reason: string) => {
    why ??= reason
    killGroup(child.pid, 'SIGTERM')
    last ??= setTimeout(() => killGroup(child.pid, 'SIGKILL'), KILL_AFTER_MS)
  }
  const onAbort = () => end('stopped')
  const timer = setTimeout(() => end(`not done after ${timeoutMs / 1000} s`), timeoutMs)
  signal?.addEventListener('abort', onAbort)
  try {
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', (error) => reject(new CommandFailed(`${program} cannot be run: ${error.message}`)))
      child.once('close', resolve)
    })
    const result = { status, stdout, stderr }
    if (why !== undefined) throw new CommandFailed(`${spoken(program, args)}: ${why}${lastWords(result)}`, result)
    return result
  } finally {
    clearTimeout(timer)
    clearTimeout(last)
    signal?.removeEventListener('abort', onAbort)
  }
}

/** Its standard output. Throws CommandFailed also when its exit status is not 0. */
export async function output(program: string, args: readonly string[], options: CommandOptions): Promise<string> {
  const result = await ended(program, args, options)
  if (result.status === 0) return result.stdout
  throw new CommandFailed(`${spoken(program, args)}: exit status ${result.status}${lastWords(result)}`, result)
}

/** With what it has started itself: that would hold its output open. */
function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // it has ended by itself
  }
}

function lastWords({ stdout, stderr }: Ended): string {
  const words = (stderr.trim() === '' ? stdout : stderr).trim()
  return words === '' ? '' : `: ${words.slice(-LAST_WORDS)}`
}

function spoken(program: string, args: readonly string[]): string {
  return [program, ...args].join(' ')
}
