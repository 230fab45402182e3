// kubectl and helm, in one namespace of the cluster that KUBECONFIG names. Each call ends within its time, or throws
// CommandFailed with what the program said last.

import { ended, output, type CommandOptions, type Ended } from './command.ts'
import type { List } from './objects.ts'

export interface Calling {
  readonly timeoutMs?: number
  readonly input?: string
}

const USUAL_MS = 60_000
/** More than the program's own limit, so that its own word on what it waited for is heard. */
const GRACE_MS = 10_000

export class Kubectl {
  readonly namespace: string
  readonly #signal: AbortSignal | undefined

  constructor(namespace: string, signal?: AbortSignal) {
    this.namespace = namespace
    this.#signal = signal
  }

  /** Standard output. */
  run(args: readonly string[], calling: Calling = {}): Promise<string> {
    return output('kubectl', this.#in(args), this.#options(calling))
  }

  /** Whatever its exit status is. */
  attempt(args: readonly string[], calling: Calling = {}): Promise<Ended> {
    return ended('kubectl', this.#in(args), this.#options(calling))
  }

  async json<T>(args: readonly string[], calling: Calling = {}): Promise<T> {
    return JSON.parse(await this.run([...args, '--output=json'], calling)) as T
  }

  /** All objects of a kind with these labels. */
  async list<T>(kind: string, selector?: string): Promise<readonly T[]> {
    const chosen = selector === undefined ? [] : [`--selector=${selector}`]
    return (await this.json<List<T>>(['get', kind, ...chosen])).items
  }

  async apply(...objects: readonly object[]): Promise<void> {
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })
    await this.run(['apply', '--filename=-'], { input })
  }

  /** What a program in a pod prints. */
  exec(pod: string, container: string, command: readonly string[], calling: Calling = {}): Promise<string> {
    return this.run(['exec', pod, `--container=${container}`, '--', ...command], calling)
  }

  /** Waits until kubectl's own wait is over. */
  waitFor(what: string, condition: string, timeoutMs: number): Promise<string> {
    const limit = `--timeout=${Math.ceil(timeoutMs / 1000)}s`
    return this.run(['wait', what, `--for=${condition}`, limit], { timeoutMs: timeoutMs + GRACE_MS })
  }

  #in(args: readonly string[]): string[] {
    return [`--namespace=${this.namespace}`, ...args]
  }

  #options({ timeoutMs = USUAL_MS, input }: Calling): CommandOptions {
    return {
      timeoutMs,
      ...(input === undefined ? {} : { input }),
      ...(this.#signal === undefined ? {} : { signal: this.#signal }),
    }
  }
}

export interface HelmOptions {
  readonly release: string
  readonly namespace: string
  /** Folder of the chart. */
  readonly chart: string
  /** How long helm waits until everything is ready, ms. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/** Values files in the order of their weight, and an object that outweighs them. */
export interface Values {
  readonly files: readonly string[]
  readonly own: object
}

export class Helm {
  readonly #options: HelmOptions

  constructor(options: HelmOptions) {
    this.#options = options
  }

  install(values: Values): Promise<string> {
    return this.#apply('install', values)
  }

  upgrade(values: Values): Promise<string> {
    return this.#apply('upgrade', values)
  }

  /** To the revision before the current one. */
  rollback(): Promise<string> {
    return this.#run(['rollback', this.#options.release, '--wait', this.#timeout])
  }

  test(): Promise<string> {
    return this.#run(['test', this.#options.release, this.#timeout])
  }

  uninstall(): Promise<string> {
    return this.#run(['uninstall', this.#options.release, '--wait', this.#timeout])
  }

  async version(): Promise<string> {
    return (await this.#run(['version', '--template={{.Version}}'])).trim()
  }

  #apply(verb: 'install' | 'upgrade', { files, own }: Values): Promise<string> {
    const { release, chart } = this.#options
    const named = files.map((file) => `--values=${file}`)
    const args = [verb, release, chart, ...named, '--values=-', '--wait', this.#timeout]
    return this.#run(args, JSON.stringify(own))
  }

  get #timeout(): string {
    return `--timeout=${Math.ceil(this.#options.timeoutMs / 1000)}s`
  }

  #run(args: readonly string[], input?: string): Promise<string> {
    const { namespace, timeoutMs, signal } = this.#options
    return output('helm', [...args, `--namespace=${namespace}`], {
      timeoutMs: timeoutMs + GRACE_MS,
      ...(input === undefined ? {} : { input }),
      ...(signal === undefined ? {} : { signal }),
    })
  }
}
