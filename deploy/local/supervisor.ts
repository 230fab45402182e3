// Runs all programs of a local cluster. They start in groups, each once the one before is ready, and stop in the reverse
// order: what takes mail in goes first, what keeps it last.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { SUPERVISOR } from './data-folder.ts'
import { writeProcesses } from './cluster-file.ts'
import { note } from './process-table.ts'
import type { Program } from './program.ts'
import { Supervised } from './supervised.ts'

const START_ORDER: readonly (readonly Program['kind'][])[] = [['nats'], ['mailbox', 'delivery', 'edge', 'admin']]
const STOP_ORDER: readonly Program['kind'][] = ['edge', 'delivery', 'admin', 'mailbox', 'nats']
const READY_WITHIN_MS = 90_000
/** Longer than a service's own deadline for its stop. */
const STOP_WITHIN_MS = 30_000

export interface SupervisorOptions {
  readonly dir: string
  readonly restart: boolean
  readonly say: (line: string) => void
  readonly env: NodeJS.ProcessEnv
  /** The process ids are others than before. */
  readonly changed: () => void
}

export class Supervisor {
  readonly #all: readonly Supervised[]
  readonly #options: SupervisorOptions
  #stopping: Promise<void> | undefined

  constructor(programs: readonly Program[], options: SupervisorOptions) {
    this.#options = options
    const { restart, say, env } = options
    const around = { restart, say, env, changed: () => this.#changed() }
    this.#all = programs.map((program) => new Supervised(program, around))
  }

  get isStopping(): boolean {
    return this.#stopping !== undefined
  }

  get pids(): Record<string, number> {
    const running = this.#all.flatMap(({ program, pid }) => (pid === undefined ? [] : [[program.name, pid] as const]))
    return Object.fromEntries(running)
  }

  /** Resolves when all are ready, or when told to stop meanwhile; rejects when one does not start. */
  async start(): Promise<void> {
    this.#changed()
    for (const kinds of START_ORDER) {
      const group = this.#all.filter(({ program }) => kinds.includes(program.kind))
      if (this.#stopping !== undefined) return
      this.#options.say(`starting ${group.map(({ program }) => program.name).join(', ')}`)
      await Promise.all(group.map((supervised) => supervised.start(READY_WITHIN_MS)))
    }
  }

  /** Stops all, in order; a second call waits for the first. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    for (const kind of STOP_ORDER) {
      const group = this.#all.filter(({ program }) => program.kind === kind)
      await Promise.all(group.map((supervised) => supervised.stop(STOP_WITHIN_MS)))
    }
    rmSync(join(this.#options.dir, 'processes.json'), { force: true })
  }

  killNow(): void {
    for (const supervised of this.#all) supervised.killNow()
  }

  #changed(): void {
    if (this.#stopping !== undefined) return
    const noted = Object.entries(this.pids).map(([name, pid]) => note(name, pid))
    writeProcesses(this.#options.dir, [note(SUPERVISOR, process.pid), ...noted])
    this.#options.changed()
  }
}
