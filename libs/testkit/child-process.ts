// A program that runs as long as it is wanted and never longer than its parent: where the system has `setpriv`, the kernel
// ends it when the process that started it dies, even by kill -9. It gets a process group of its own, so that
// Ctrl-C at a terminal reaches only the parent, which then stops its children in the right order.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'

export interface ChildOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** File that standard output and standard error are appended to; else they are thrown away. */
  readonly output?: string
  /** What the kernel sends when the parent dies. */
  readonly whenParentDies?: 'SIGTERM' | 'SIGKILL'
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A started program; `exited` is settled once it is gone and never rejects. */
export interface Child {
  readonly pid: number
  readonly exited: Promise<Exit>
  readonly running: boolean
  kill(signal: NodeJS.Signals): void
  /** Asks it to end, and makes sure after the grace time. */
  stop(graceMs?: number): Promise<Exit>
}

let tether: boolean | undefined

/** The command line that runs a program tied to its parent's life; the process id stays the program's own. */
export function tethered(program: string, args: readonly string[], signal: 'SIGTERM' | 'SIGKILL'): [string, string[]] {
  tether ??= spawnSync('setpriv', ['--pdeathsig', 'SIGTERM', 'true'], { stdio: 'ignore' }).status === 0
  return tether ? ['setpriv', ['--pdeathsig', signal, program, ...args]] : [program, [...args]]
}

export async function startChild(program: string, args: readonly string[], options: ChildOptions = {}): Promise<Child> {
  const [command, rest] = tethered(program, args, options.whenParentDies ?? 'SIGKILL')
  const output = options.output === undefined ? ('ignore' as const) : openSync(options.output, 'a', 0o600)
  let child: ChildProcess
  try {
    child = spawn(command, rest, {
      stdio: ['ignore', output, output],
      detached: true,
      env: options.env ?? process.env,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    })
  } finally {
    if (output !== 'ignore') closeSync(output)
  }
  const exited = new Promise<Exit>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })))
  await once(child, 'spawn') // throws the error of a program that cannot be run
  return wrap(child, exited)
}

function wrap(child: ChildProcess, exited: Promise<Exit>): Child {
  const pid = child.pid as number
  const self: Child = {
    pid,
    exited,
    get running() {
      return child.exitCode === null && child.signalCode === null
    },
    kill(signal) {
      if (self.running) child.kill(signal)
    },
    async stop(graceMs = 10_000) {
      self.kill('SIGTERM')
      self.kill('SIGCONT') // one that was stopped must run to see the first
      const last = setTimeout(() => self.kill('SIGKILL'), graceMs)
      try {
        return await exited
      } finally {
        clearTimeout(last)
      }
    },
  }
  return self
}
