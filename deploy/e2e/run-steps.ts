// Runs the steps one after the other, and begins a phase of the load for each. A step that misses a bar does not keep the others
// from running; one after which all does not become well again does.

import type { PhaseFacts, Load } from './load.ts'
import { factsOf, troublesOf } from './load.ts'
import type { StepResult } from './result.ts'
import type { Scene } from './scene.ts'
import type { Bars, Step } from './step.ts'

export interface Running {
  readonly scene: Scene
  readonly steps: readonly Step[]
  /** Grows by the names of steps that have been done. */
  readonly done: Set<string>
  readonly missed: (facts: PhaseFacts, bars: Bars) => string[]
  readonly say: (line: string) => void
  /** Keeps logs, after a failure and after every step without a bar for its gap, while everything is still as it was. */
  readonly keepEvidence: (step: Step) => Promise<void>
  readonly now?: () => number
}

/** So that the next step begins calm, ms. */
const AFTER_MS = 3000

export async function runSteps(running: Running): Promise<StepResult[]> {
  const { scene, steps, done, say } = running
  const results: StepResult[] = []
  let stuck: string | undefined
  for (const step of steps) {
    const reason = scene.signal.aborted ? 'stopped' : notNow(step, scene, done, stuck)
    if (reason !== undefined) {
      say(`${step.name}: not run: ${reason}`)
      results.push({ ...named(step), outcome: 'not run', why: [reason], seconds: 0, facts: null, notes: [] })
      continue
    }
    const result = await runStep(running, step)
    results.push(result)
    if (done.has(step.name) || scene.signal.aborted) continue
    if (step.always === true || !(await isWell(scene))) stuck ??= step.name
  }
  return results
}

/** The end of the run is tried whatever has failed before, as long as there is something to judge. */
function notNow(step: Step, scene: Scene, done: ReadonlySet<string>, stuck: string | undefined): string | undefined {
  const isEnd = step.name === 'drain' || step.name === 'uninstall'
  if (stuck !== undefined && !isEnd) return `${stuck} failed before it`
  if (step.name === 'drain' && scene.load === undefined) return 'there is no load'
  if (step.name === 'uninstall' && !done.has('install')) return 'nothing is installed'
  if (step.after !== undefined && !done.has(step.after)) return `${step.after} has to be done before it`
  return step.cannot?.(scene)
}

/** Whether what comes next can be tried, although this step could not be done. */
async function isWell(scene: Scene): Promise<boolean> {
  try {
    await scene.allIsWell()
    return true
  } catch {
    return false
  }
}

function named({ name, what, bars }: Step): Pick<StepResult, 'name' | 'what' | 'bars'> {
  return { name, what, bars: bars ?? null }
}

async function runStep({ scene, done, missed, say, keepEvidence, now }: Running, step: Step): Promise<StepResult> {
  const clock = now ?? (() => performance.now())
  say(`${step.name}: ${step.what}`)
  const load = step.bars === undefined ? undefined : scene.load
  const why: string[] = []
  let facts: PhaseFacts | null = null
  let began = clock()
  let ended = began
  try {
    await step.prepare?.(scene)
    began = clock()
    ended = began
    await load?.phase(step.name)
    await step.run(scene)
    await afterwards(scene, step)
    ended = clock()
    if (load !== undefined) await scene.sleep(AFTER_MS)
    done.add(step.name)
  } catch (error) {
    ended = clock()
    why.push((error as Error).message)
  }
  try {
    facts = await factsAt(load, step, why, missed, scene)
  } catch (error) {
    why.push(`the load does not answer: ${(error as Error).message}`)
  }
  const seconds = Math.round((ended - began) / 100) / 10
  const outcome = why.length === 0 ? 'passed' : 'failed'
  say(`${step.name}: ${outcome} after ${seconds.toFixed(1)} s${facts === null ? '' : `; ${inWords(facts)}`}`)
  for (const line of why) say(`  ${line}`)
  if ((outcome === 'failed' || hasNoBar(step)) && !scene.signal.aborted) await keepEvidence(step)
  return { ...named(step), outcome, why, seconds, facts, notes: scene.takeNotes() }
}

/** Nobody promised how it goes, so that it passed says little: what the parts wrote says more. */
function hasNoBar({ bars }: Step): boolean {
  return bars?.gapMs === null
}

/** Steps with mail end when all is well: the next may break another copy of the same thing. */
async function afterwards(scene: Scene, step: Step): Promise<void> {
  if (step.bars !== undefined) await scene.allIsWell()
}

async function factsAt(
  load: Load | undefined,
  step: Step,
  why: string[],
  missed: Running['missed'],
  scene: Scene,
): Promise<PhaseFacts | null> {
  if (load === undefined || step.bars === undefined || scene.signal.aborted) return null
  const phase = await load.phase(`after ${step.name}`)
  if (phase === null || phase.name !== step.name) return null
  const facts = factsOf(phase)
  const lines = missed(facts, step.bars)
  why.push(...lines)
  if (lines.length > 0) for (const trouble of troublesOf(phase)) scene.note(trouble)
  return facts
}

function inWords(facts: PhaseFacts): string {
  const { accepted, gapMs, refused, turnedAway, connectFailures, lostConnections, duplicates, longestDeliveryMs } =
    facts
  return (
    `${accepted} accepted, gap ${Math.round(gapMs)} ms, refused ${refused}, turned away ${turnedAway}, not connected ` +
    `${connectFailures}, lost ${lostConnections}, duplicates ${duplicates}, longest delivery ${longestDeliveryMs ?? '-'} ms`
  )
}
