// One fault on a stage: load before, through and after it, then drain, reconcile, explain and judge.

import { setTimeout as sleep } from 'node:timers/promises'
import { reconcile } from '../ledger.ts'
import { pick, seededRandom, type Random } from '../random.ts'
import { agreement, type LogAgreement } from './events-agree.ts'
import { toldAgreement, type ToldAgreement } from './told-agree.ts'
import { explain } from './explain.ts'
import type { Fault, Mark, Scene } from './fault.ts'
import { brokenPromises, missedBars } from './judge-fault.ts'
import { measure } from './measure.ts'
import { isRefusedAddress, startMixedLoad, type MixedLoad } from './mixed-load.ts'
import type { EventsAgreement, FaultResult } from './result.ts'
import type { Stage } from './stage.ts'

export interface Pace {
  /** Messages per second, and sessions. */
  readonly rate: number
  readonly sessions: number
  /** Octets of the largest message. */
  readonly largest: number
  /** Load before the fault and after its end. */
  readonly beforeMs: number
  readonly afterMs: number
  /** How much of a fault's waits is waited. */
  readonly scale: number
  readonly drainMs: number
}

export const FULL: Pace = {
  rate: 120,
  sessions: 24,
  largest: 30 * 1024 * 1024,
  beforeMs: 6000,
  afterMs: 12_000,
  scale: 1,
  drainMs: 240_000,
}

export const QUICK: Pace = {
  rate: 60,
  sessions: 12,
  largest: 2 * 1024 * 1024,
  beforeMs: 3000,
  afterMs: 4000,
  scale: 0.25,
  drainMs: 120_000,
}

export interface Running {
  readonly stage: Stage
  readonly seed: number
  readonly pace: Pace
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

export async function runFault(fault: Fault, running: Running): Promise<FaultResult> {
  const { stage, seed, pace, signal, say } = running
  const { room, history } = stage
  const random = seededRandom(seed)
  const marks: Mark[] = []
  const load = startMixedLoad({
    targets: (role) => room.targets(role),
    domains: stage.sites.domains,
    userAddress: room.userAddress(),
    random,
    rate: pace.rate,
    sessions: pace.sessions,
    largest: pace.largest,
    record: (attempt) => history.attempts.push(attempt),
    signal,
  })
  const startedAt = performance.now()
  let trouble: unknown
  try {
    await flowing(load, 20, signal)
    await sleep(pace.beforeMs, undefined, { signal })
    await fault.run(sceneOf(running, random, marks, load))
  } catch (error) {
    trouble = error
    say(`${fault.name}: ${(error as Error).message}`)
  }
  await stage.heal().catch((error: unknown) => (trouble ??= error))
  if (!signal.aborted) await sleep(pace.afterMs)
  const endedAt = performance.now()
  await load.stop()
  const { queued, events, told, possible, unreadable } = await stage.settle(pace.drainMs, signal)
  const { attempts, arrivals } = history
  const judged = {
    name: fault.name,
    kind: fault.kind,
    what: fault.what,
    bars: fault.bars,
    seed,
    isolated: room.isolated,
    hit: [...new Set(marks.filter(({ kind }) => kind === 'hit').flatMap(({ nodes }) => nodes))],
    messages: new Set(attempts.map(({ id }) => id)).size,
    ...reconcile(attempts, arrivals, queued),
    ...measure({ attempts, arrivals, marks, startedAt, endedAt }),
    possibleDuplicates: possible.length,
    explanations: explain({ attempts, arrivals, marks: [...stage.formerMarks, ...marks], possible }),
    events: both(agreement({ attempts, arrivals, events, queued }), toldAgreement({ attempts, told, queued })),
    marks,
  }
  stage.formerMarks = marks
  const strayBounces = arrivals.filter(
    ({ kind, recipient }) => kind === 'bounce' && !isRefusedAddress(recipient),
  ).length
  const failures = brokenPromises(judged, strayBounces)
  // Servers that lost what they had acknowledged need not come back in good order.
  if (fault.bars.losses !== true) {
    if (trouble !== undefined) failures.unshift(`the run itself failed: ${(trouble as Error).message}`)
    if (unreadable !== undefined) failures.unshift(`the logs cannot be read: ${unreadable}`)
  }
  return { ...judged, failures, missedBars: missedBars(judged) }
}

function both(log: LogAgreement, told: ToldAgreement): EventsAgreement {
  return { ...log, ...told, examples: [...log.examples, ...told.examples] }
}

function sceneOf({ stage, pace, signal, say }: Running, random: Random, marks: Mark[], load: MixedLoad): Scene {
  const wait = async (ms: number) => {
    await sleep(ms, undefined, { signal })
  }
  return {
    room: stage.room,
    sites: stage.sites,
    random,
    mark(kind, nodes, text) {
      marks.push({ at: performance.now(), kind, nodes, text })
      say(`  ${kind}: ${text}`)
    },
    sleep: wait,
    hold: (ms, atLeastMs = 0) => wait(Math.max(ms * pace.scale, Math.min(atLeastMs, ms))),
    pick: (list) => pick(random, list),
    flowing: (messages, withinMs) => flowing(load, messages, signal, withinMs),
  }
}

const FLOWING_MS = 60_000

async function flowing(load: MixedLoad, messages: number, signal: AbortSignal, withinMs = FLOWING_MS): Promise<void> {
  const enough = load.accepted + messages
  const deadline = performance.now() + withinMs
  while (load.accepted < enough) {
    if (performance.now() > deadline)
      throw new Error(`no ${messages} messages were accepted within ${withinMs / 1000} s`)
    await sleep(20, undefined, { signal })
  }
}
