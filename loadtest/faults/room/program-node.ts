// A node of a room: one program at one place, started, broken and ended at will. It starts by itself never.

import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { startChild, type Child } from '@posthouse/testkit/child-process'
import type { Disk, NodeKind, RoomNode } from '../room.ts'
import type { Place } from './ground.ts'
import { inNamespace } from './namespace.ts'

export interface Program {
  readonly http: string | undefined
  /** What is run at the next start. */
  command(release: string | undefined): Promise<readonly [program: string, ...args: string[]]>
  readonly env: NodeJS.ProcessEnv
  /** Undefined when it is ready, else why not, in words. */
  notReady(): Promise<string | undefined>
  readonly disk?: Disk
  jumpClock?(ms: number): Promise<void>
}

export interface NodeSurroundings {
  readonly logFile: string
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

const READY_WITHIN_MS = 60_000
const READY_POLL_MS = 50
const STOP_WITHIN_MS = 60_000

export class ProgramNode implements RoomNode {
  readonly place: Place
  readonly logFile: string
  release: string | undefined = undefined
  readonly #program: Program
  readonly #around: NodeSurroundings
  #child: Child | undefined
  #starting: Promise<void> | undefined
  /** The child whose end is no surprise. */
  #ended: Child | undefined

  constructor(place: Place, program: Program, around: NodeSurroundings) {
    this.place = place
    this.logFile = around.logFile
    this.#program = program
    this.#around = around
  }

  get name(): string {
    return this.place.name
  }

  get kind(): NodeKind {
    return this.place.kind
  }

  get address(): string {
    return this.place.address
  }

  get http(): string | undefined {
    return this.#program.http
  }

  get disk(): Disk | undefined {
    return this.#program.disk
  }

  get running(): boolean {
    return this.#child?.running ?? false
  }

  get pid(): number | undefined {
    return this.#child?.running === true ? this.#child.pid : undefined
  }

  start(): Promise<void> {
    if (this.running) return Promise.resolve()
    this.#starting ??= this.#start().finally(() => (this.#starting = undefined))
    return this.#starting
  }

  async ready(withinMs = READY_WITHIN_MS): Promise<void> {
    const { signal } = this.#around
    const deadline = performance.now() + withinMs
    for (;;) {
      signal.throwIfAborted()
      if (!this.running) throw new Error(`${this.name} does not run:\n${await this.#lastLines()}`)
      const why = await this.#program.notReady()
      if (why === undefined) return
      if (performance.now() > deadline) throw new Error(`${this.name} is not ready after ${withinMs / 1000} s: ${why}`)
      await sleep(READY_POLL_MS, undefined, { signal })
    }
  }

  async kill(): Promise<void> {
    const child = this.#expectEnd()
    child?.kill('SIGKILL')
    await child?.exited
  }

  async stop(withinMs = STOP_WITHIN_MS): Promise<number | null> {
    const child = this.#expectEnd()
    if (child === undefined) throw new Error(`${this.name} does not run`)
    child.kill('SIGTERM')
    const late = AbortSignal.any([this.#around.signal, AbortSignal.timeout(withinMs)])
    const tooLate = Promise.withResolvers<never>()
    late.addEventListener('abort', () => tooLate.reject(new Error(`${this.name} has not stopped in time`)), {
      once: true,
    })
    const { code } = await Promise.race([child.exited, tooLate.promise])
    return code
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child?.kill('SIGCONT')
  }

  async jumpClock(ms: number): Promise<void> {
    if (this.#program.jumpClock === undefined) throw new Error(`the clock of ${this.name} cannot be set`)
    await this.#program.jumpClock(ms)
  }

  async #start(): Promise<void> {
    const [program, ...args] = await this.#program.command(this.release)
    const { namespace } = this.place
    const [command, rest] = namespace === undefined ? [program, args] : inNamespace(namespace, program, args)
    const child = await startChild(command, rest, { output: this.logFile, env: this.#program.env })
    this.#child = child
    void child.exited.then(({ code, signal }) => {
      if (this.#ended !== child) this.#around.say(`${this.name} ended by itself: ${signal ?? `status ${code}`}`)
    })
  }

  #expectEnd(): Child | undefined {
    this.#ended = this.#child
    return this.running ? this.#child : undefined
  }

  async #lastLines(): Promise<string> {
    const text = await readFile(this.logFile, 'utf8').catch(() => '')
    return text.trimEnd().split('\n').slice(-8).join('\n')
  }
}
