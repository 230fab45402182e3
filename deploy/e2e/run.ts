// A whole run: finds out what the cluster is, makes a namespace, runs the steps, judges the mail, and puts everything back, whether
// it went well, failed or was stopped.

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { conditionsOf } from './conditions.ts'
import { collect } from './evidence.ts'
import { imageText } from './image.ts'
import { brokenPromises, missed } from './judge.ts'
import { Helm, Kubectl } from './kubectl.ts'
import type { Verdict } from './load.ts'
import { claim, createNamespace, removeNamespace } from './namespace.ts'
import { NodeBreaker } from './node-breaker.ts'
import type { Endpoints, List, Node } from './objects.ts'
import type { Options } from './options.ts'
import { places, type Places } from './place.ts'
import type { Mail, RunResult, StepResult } from './result.ts'
import { runSteps } from './run-steps.ts'
import { Scene } from './scene.ts'
import type { Step } from './step.ts'
import { Undo } from './undo.ts'
import { RELEASE } from './values.ts'

export interface Run {
  readonly options: Options
  readonly steps: readonly Step[]
  readonly root: string
  readonly signal: AbortSignal
  readonly say: (line: string) => void
  /** Nothing is waited for longer than this before it is looked at again, ms: for runs on a cluster that only seems to be there. */
  readonly longestSleepMs?: number
}

/** For all that is put back at the end. */
const CLEAN_UP_MS = 300_000

/** Throws when the run cannot begin: no cluster, a namespace of somebody else. */
export async function run({ options, steps, root, signal, say, longestSleepMs = Infinity }: Run): Promise<RunResult> {
  const began = performance.now()
  const kubectl = new Kubectl(options.namespace, signal)
  const restoring = new Kubectl(options.namespace)
  const where = await placesOf(kubectl, options)
  const helm = new Helm({ ...options, release: RELEASE, signal })
  const conditions = await conditionsOf(kubectl, helm, options, where, root)
  const runId = randomBytes(4).toString('hex')
  tellPlan(options, steps, where, conditions.kubernetes, say)

  const undo = new Undo()
  const done = new Set<string>()
  const breaker = new NodeBreaker({
    kubectl,
    restoring,
    undo,
    run: runId,
    command: options.nodeCommand,
    mayDrain: options.mayDrain,
  })
  const setting = { namespace: options.namespace, clusterDomain: 'cluster.local', run: runId, places: where }
  const scene = new Scene({
    options,
    setting,
    kubectl,
    helm,
    breaker,
    undo,
    signal,
    done,
    say,
    longestSleepMs,
  })
  let results: StepResult[] = []
  let judged: Judged = { mail: null, failures: [] }
  let left: string[] = []
  try {
    await makeNamespace(kubectl, restoring, undo, options, say)
    const keepEvidence = (step: Step) => {
      const folder = join(options.data, step.name)
      say(`  logs, events and descriptions go to ${folder}`)
      return collect(restoring, folder)
    }
    results = await runSteps({ scene, steps, done, missed, say, keepEvidence })
    judged = await judge(scene, results)
    results = judgedAgain(results, judged)
  } finally {
    left = await undo.all(CLEAN_UP_MS, say)
    for (const line of left) say(`NOT PUT BACK: ${line}`)
  }
  const failures = [...results.flatMap(wrong), ...judged.failures, ...left.map((line) => `not put back: ${line}`)]
  if (signal.aborted) failures.push('stopped before the end')
  const seconds = Math.round((performance.now() - began) / 1000)
  return { passed: failures.length === 0, failures, steps: results, mail: judged.mail, seconds, conditions, left }
}

async function placesOf(kubectl: Kubectl, options: Options): Promise<Places> {
  const { items } = await kubectl.json<List<Node>>(['get', 'nodes'])
  const endpoints = await kubectl.attempt(['get', 'endpoints', 'kubernetes', '--namespace=default', '--output=json'])
  const api = endpoints.status === 0 ? (JSON.parse(endpoints.stdout) as Endpoints) : undefined
  return places(items, api, options.node)
}

function tellPlan(options: Options, steps: readonly Step[], where: Places, kubernetes: string, say: Run['say']): void {
  const { victim, safe, nodes } = where
  say(`Kubernetes ${kubernetes}, ${nodes.length} nodes (${nodes.join(', ')}); namespace ${options.namespace}`)
  say(
    `${imageText(options.previousImage)} first, then ${imageText(options.image)}; ${options.rate} messages per second`,
  )
  if (options.mayDrain && victim !== undefined) {
    const how = options.nodeCommand === undefined ? 'cordoned' : 'cordoned, cut off and killed'
    say(`node ${victim} will be ${how} for a while, and given back; the load runs on ${safe ?? 'any node'}`)
  }
  say(`steps: ${steps.map(({ name }) => name).join(', ')}`)
}

async function makeNamespace(
  kubectl: Kubectl,
  restoring: Kubectl,
  undo: Undo,
  { namespace, keep }: Options,
  say: Run['say'],
): Promise<void> {
  const found = await claim(kubectl)
  if (found === 'foreign') {
    throw new Error(`namespace ${namespace} is there, and was not made by this program: name another one (--namespace)`)
  }
  if (found === 'left over') {
    say(`namespace ${namespace} is left over from an earlier run: it is removed first`)
    await removeNamespace(kubectl, CLEAN_UP_MS)
  }
  if (!keep) undo.push(`removing namespace ${namespace}`, () => removeNamespace(restoring, CLEAN_UP_MS))
  await createNamespace(kubectl)
}

interface Judged {
  readonly mail: Mail | null
  readonly failures: readonly string[]
  readonly verdict?: Verdict
}

/** The verdicts of both loads. */
async function judge(scene: Scene, results: readonly StepResult[]): Promise<Judged> {
  const { load, held, signal } = scene
  if (load === undefined) return { mail: null, failures: ['no mail was sent, so nothing is proved'] }
  if (signal.aborted) return { mail: null, failures: [] }
  if (!results.some(({ name, outcome }) => name === 'drain' && outcome !== 'not run')) {
    return { mail: null, failures: ['what was accepted has not been waited for, so nothing is proved'] }
  }
  try {
    const verdict = await load.verdict()
    const others = held === undefined ? [] : [await held.verdict()]
    const failures = [verdict, ...others].flatMap((one, index) =>
      brokenPromises(one, index === 0 ? 'mail' : 'mail that waited'),
    )
    return { mail: sumOf([verdict, ...others]), failures, verdict }
  } catch (error) {
    return { mail: null, failures: [(error as Error).message] }
  }
}

function sumOf(verdicts: readonly Verdict[]): Mail {
  const sum = (of: (verdict: Verdict) => number) => verdicts.reduce((total, verdict) => total + of(verdict), 0)
  return {
    messages: sum(({ messages }) => messages.accepted),
    recipients: sum(({ recipients }) => recipients.accepted),
    lost: sum(({ lost }) => lost),
    altered: sum(({ altered }) => altered),
    unexpected: sum(({ unexpected }) => unexpected),
    duplicates: sum(({ duplicates }) => duplicates),
    unknown: sum(({ unknown }) => unknown),
  }
}

/** A copy too many may come out as one only when all is known: the phases are looked at again in the end. */
function judgedAgain(results: readonly StepResult[], { verdict }: Judged): StepResult[] {
  const phases = new Map((verdict?.phases ?? []).map((phase) => [phase.name, phase.duplicates]))
  return results.map((result) => {
    const { facts, bars, name } = result
    const duplicates = phases.get(name)
    if (facts === null || bars === null || duplicates === undefined || duplicates === facts.duplicates) return result
    const now = { ...facts, duplicates }
    const before = new Set(missed(facts, bars))
    const why = [...result.why.filter((line) => !before.has(line)), ...missed(now, bars)]
    const isWrong = why.length > 0
    return { ...result, facts: now, why, outcome: isWrong ? 'failed' : 'passed' }
  })
}

function wrong({ name, outcome, why }: StepResult): string[] {
  return outcome === 'failed' ? why.map((line) => `${name}: ${line}`) : []
}
