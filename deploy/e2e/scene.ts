// What a step is given: the cluster, the release in it, the loads, and what there is to know about them.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Kubectl, Helm } from './kubectl.ts'
import type { Load } from './load.ts'
import { askServers } from './nats.ts'
import type { NodeBreaker } from './node-breaker.ts'
import { componentOf, type Pod, type Workload } from './objects.ts'
import type { Options } from './options.ts'
import { notReady } from './readiness.ts'
import { leaders, notCurrent } from './streams.ts'
import type { Undo } from './undo.ts'
import { defaults, ownValues, RELEASE, type Changes, type Setting } from './values.ts'

export type Component = 'edge' | 'delivery' | 'nats'

export interface SceneParts {
  readonly options: Options
  readonly setting: Setting
  readonly kubectl: Kubectl
  readonly helm: Helm
  readonly breaker: NodeBreaker
  readonly undo: Undo
  readonly signal: AbortSignal
  /** Names of the steps that have passed, or failed but left all well. */
  readonly done: ReadonlySet<string>
  readonly say: (line: string) => void
  /** No sleep is longer, ms. */
  readonly longestSleepMs: number
}

export const NATS_SERVERS = 3
const STREAMS_OF_PARTITION = 3
/** Older mail, but for what the sink has deferred, waits for something to be put right. */
const OLDEST_MS = 12_000
/** Between two looks at the cluster. */
const POLL_MS = 1000

export class Scene {
  readonly options: Options
  readonly setting: Setting
  readonly kubectl: Kubectl
  readonly helm: Helm
  readonly breaker: NodeBreaker
  readonly undo: Undo
  readonly signal: AbortSignal
  readonly done: ReadonlySet<string>
  /** Sends all the time. */
  load: Load | undefined
  /** Has sent what waits in the queue. */
  held: Load | undefined
  changes: Changes
  readonly #parts: SceneParts
  #notes: string[] = []

  constructor(parts: SceneParts) {
    this.#parts = parts
    this.options = parts.options
    this.setting = parts.setting
    this.kubectl = parts.kubectl
    this.helm = parts.helm
    this.breaker = parts.breaker
    this.undo = parts.undo
    this.signal = parts.signal
    this.done = parts.done
    this.changes = { image: parts.options.previousImage, partitions: 6, upgraded: false }
  }

  /** Writes down what was done to whom. */
  note(text: string): void {
    this.#notes.push(text)
    this.#parts.say(`  ${text}`)
  }

  takeNotes(): string[] {
    return this.#notes.splice(0)
  }

  sleep(ms: number): Promise<void> {
    return sleep(Math.min(ms, this.#parts.longestSleepMs), undefined, { signal: this.signal })
  }

  values(changes: Changes, valuesFile: string): { files: readonly string[]; own: object } {
    return { files: [valuesFile, ...this.options.values], own: ownValues(this.setting, changes) }
  }

  get defaults(): object {
    return defaults()
  }

  pods(component?: Component): Promise<readonly Pod[]> {
    return this.kubectl.list<Pod>('pods', selectorOf(component))
  }

  /** Name of the Deployment or StatefulSet. */
  async workload(component: Component): Promise<string> {
    const kind = component === 'nats' ? 'statefulset' : 'deployment'
    const [found] = await this.kubectl.list<Workload>(kind, selectorOf(component))
    if (found === undefined) throw new Error(`the release has no ${kind} ${component}`)
    return `${kind}/${found.metadata.name}`
  }

  /** Changes the number of pods, and waits until so many run. */
  async scale(component: Component, replicas: number): Promise<void> {
    await this.kubectl.run(['scale', await this.workload(component), `--replicas=${replicas}`])
    await this.allIsWell()
  }

  /** Servers and how many streams each leads, most first. */
  async leaders(): Promise<readonly (readonly [server: string, streams: number])[]> {
    return leaders(await askServers(this.kubectl, await this.pods('nats')))
  }

  /** Waits until everything of the release runs and every stream has all its copies; throws with what is missing when that takes too long. */
  async allIsWell(): Promise<void> {
    // Under load a copy is behind now and then, for a moment: each has to be seen current once.
    const seen = new Set<string>()
    await this.until('all is well', async () => {
      const missing = await this.#notWell(seen)
      return missing.length === 0 ? undefined : missing
    })
  }

  /** Asks again and again, until the answer is undefined; throws with the last answer otherwise. */
  async until(what: string, missing: () => Promise<readonly string[] | undefined>): Promise<void> {
    const deadline = performance.now() + this.options.timeoutMs
    let said = ''
    for (;;) {
      const lines = await missing()
      if (lines === undefined) return
      const summary = lines.slice(0, 3).join('; ')
      if (performance.now() > deadline) {
        throw new Error(`${what}: not after ${this.options.timeoutMs / 1000} s: ${lines.slice(0, 8).join('; ')}`)
      }
      if (summary !== said) this.#parts.say(`    waiting: ${summary}`)
      said = summary
      await this.sleep(POLL_MS)
    }
  }

  async #notWell(seenCurrent: Set<string>): Promise<string[]> {
    const workloads = await this.kubectl.list<Workload>('deployments,statefulsets', selectorOf())
    const pods = (await this.pods()).filter(({ metadata }) => isService(componentOf(metadata)))
    if (workloads.length < 3) return [`${workloads.length} of 3 workloads are there`]
    const unready = notReady(workloads, pods)
    if (unready.length > 0) return unready
    const servers = pods.filter(({ metadata }) => componentOf(metadata) === 'nats')
    const streams = this.changes.partitions * STREAMS_OF_PARTITION
    const answers = await askServers(this.kubectl, servers)
    const behind = notCurrent(answers, { servers: NATS_SERVERS, streams, replicas: NATS_SERVERS }, seenCurrent)
    return behind.length > 0 || this.load === undefined ? behind : this.#waiting(this.load)
  }

  async #waiting(load: Load): Promise<string[]> {
    const { open, trouble, state } = await load.status()
    if (trouble !== undefined) throw new Error(`the load broke off: ${trouble}`)
    if (state !== 'running' || open.oldestMs <= OLDEST_MS) return []
    return [`${open.recipients} recipients wait, the oldest for more than ${OLDEST_MS / 1000} s`]
  }
}

export function selectorOf(component?: Component): string {
  const release = `app.kubernetes.io/instance=${RELEASE}`
  return component === undefined ? release : `${release},app.kubernetes.io/component=${component}`
}

function isService(component: string | undefined): boolean {
  return component === 'edge' || component === 'delivery' || component === 'nats'
}
