// One program that is kept running. States: down -> up -> (ended by itself) waiting -> up …, and from any of them to stopped,
// where it stays. What happens is told by `say` and `changed`; a program that was killed starts again after a moment, one
// that keeps failing by itself ever more rarely.

import { existsSync, readFileSync, renameSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { startChild, type Child, type Exit } from '@posthouse/testkit/child-process'
import type { Program } from './program.ts'

export interface Surroundings {
  readonly restart: boolean
  readonly say: (line: string) => void
  /** Its process id is another than before. */
  readonly changed: () => void
  readonly env: NodeJS.ProcessEnv
}

const AFTER_A_KILL_MS = 2000
const LONGEST_WAIT_MS = 30_000
const LIVED_WELL_MS = 30_000
const LARGEST_LOG = 64 * 1024 * 1024
const READY_POLL_MS = 50

export class Supervised {
  readonly program: Program
  readonly #around: Surroundings
  #child: Child | undefined
  /** It was ready once; before, what becomes of it is the business of `start`. */
  #isUp = false
  #stopped = false
  #failures = 0
  #timer: NodeJS.Timeout | undefined

  constructor(program: Program, around: Surroundings) {
    this.program = program
    this.#around = around
  }

  get pid(): number | undefined {
    return this.#child?.running ? this.#child.pid : undefined
  }

  /** Starts it and waits until it is ready. If it ends before, or takes too long, the error says what it wrote last. */
  async start(withinMs: number): Promise<void> {
    await this.#spawn()
    const deadline = performance.now() + withinMs
    for (let why = await this.program.notReady(); why !== undefined; why = await this.program.notReady()) {
      if (this.#stopped) return
      if (this.pid === undefined)
        throw new Error(`${this.program.name} ended before it was ready:\n${this.#lastLines()}`)
      if (performance.now() > deadline) {
        throw new Error(`${this.program.name} was not ready after ${withinMs / 1000} s: ${why}\n${this.#lastLines()}`)
      }
      await sleep(READY_POLL_MS)
    }
    this.#isUp = true
    // It may have ended just now, while nobody would have started it again.
    if (this.pid === undefined)
      throw new Error(`${this.program.name} ended as soon as it was ready:\n${this.#lastLines()}`)
  }

  /** Ends it for good. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#child?.stop(graceMs)
  }

  killNow(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#child?.kill('SIGKILL')
  }

  async #spawn(): Promise<void> {
    const { command, args, log } = this.program
    this.#trimLog()
    const child = await startChild(command, args, { output: log, env: this.#around.env, whenParentDies: 'SIGTERM' })
    this.#child = child
    const since = performance.now()
    this.#around.changed()
    void child.exited.then((exit) => this.#ended(exit, child.pid, performance.now() - since))
    if (this.#stopped) await child.stop() // told to stop while it was being started
  }

  #ended(exit: Exit, pid: number, livedMs: number): void {
    this.#around.changed()
    if (this.#stopped || !this.#isUp) return
    const how = exit.signal === null ? `ended with status ${exit.code}` : `was killed by ${exit.signal}`
    const what = `${this.program.name} (pid ${pid}) ${how}`
    if (!this.#around.restart) return this.#around.say(`${what}; it is not started again`)
    this.#failures = exit.signal !== null || livedMs > LIVED_WELL_MS ? 0 : this.#failures + 1
    const wait = Math.min(AFTER_A_KILL_MS * 2 ** this.#failures, LONGEST_WAIT_MS)
    const where = exit.signal === null ? ` (see ${this.program.log})` : ''
    this.#around.say(`${what}${where}; it starts again in ${wait / 1000} s`)
    this.#again(wait)
  }

  #again(wait: number): void {
    this.#timer = setTimeout(() => {
      this.#spawn().then(
        () => this.#around.say(`${this.program.name} runs again (pid ${this.pid ?? 'none'})`),
        (error: Error) => {
          this.#around.say(
            `${this.program.name} could not be started: ${error.message}; next try in ${LONGEST_WAIT_MS / 1000} s`,
          )
          if (!this.#stopped) this.#again(LONGEST_WAIT_MS)
        },
      )
    }, wait)
  }

  /** The log of a program that is down is put aside when it has grown large; one older is kept. */
  #trimLog(): void {
    const { log } = this.program
    if (existsSync(log) && statSync(log).size > LARGEST_LOG) renameSync(log, `${log}.1`)
  }

  #lastLines(): string {
    const { log } = this.program
    const text = existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n').slice(-8).join('\n') : ''
    return `${text.replace(/^/gm, '  ')}\n  (${log})`
  }
}
