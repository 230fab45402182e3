// One load run: a sink, a cluster, a sender, perhaps a fault in the middle; then drain, reconcile and measure.

import { Cluster } from './cluster.ts'
import { drain } from './drain.ts'
import { inject, type Fault, type Injected } from './fault.ts'
import { History, type Attempt } from './history.ts'
import { reconcile, type Ledger } from './ledger.ts'
import { composeMessage } from './message.ts'
import { scrape, sumOf } from './prometheus.ts'
import { queueCount } from './queue-count.ts'
import { seededRandom, type Random } from './random.ts'
import { send, type Sent } from './sender.ts'
import { startSink, type SinkScript } from './sink.ts'
import { longestGap, percentile, round } from './statistics.ts'

export interface LoadOptions {
  readonly messages: number
  readonly fault: Fault
  readonly sessions: number
  readonly size: number | null
  readonly recipients: number
  readonly seed: number
  readonly rate: number
  readonly role: 'relay' | 'submission' | 'submissions'
  readonly connections: 'kept' | 'one-shot'
  readonly retryUnknown: boolean
  readonly nodes: number | null
  readonly drainMs: number
  readonly dataDir: string
  readonly sink: SinkScript
  /** Every nth message goes to recipients that the sink refuses for good, so that it bounces; 0 = none. */
  readonly refuseEvery: number
  readonly signal: AbortSignal
  readonly progress: (line: string) => void
}

export interface LoadResult extends Ledger {
  readonly fault: Fault
  readonly killed: readonly string[]
  readonly unsent: number
  readonly longestAcceptGapMs: number
  readonly p50Ms: number | null
  readonly p99Ms: number | null
  /** From the first command to the last first arrival. */
  readonly messagesPerSecond: number
  readonly possibleDuplicates: number
  /** How long after the fault the last mail arrived that had been accepted before and not yet delivered. */
  readonly redeliveryMs: number | null
  /** From the 250 to the arrival, of the mail that took longest. */
  readonly slowestDeliveryMs: number
  readonly connectionFailures: number
  readonly seed: number
}

/** What the sink refuses for good. */
const REFUSED_PREFIX = 'refused.'
const RELAYED_SENDER = 'load@sender.example'
const QUIET_MS = 15_000

export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const history = new History()
  await using sink = await startSink({
    ...options.sink,
    refusePrefix: REFUSED_PREFIX,
    traceHeaders: 1,
    record: (arrival) => history.arrivals.push(arrival),
  })
  options.progress(`sink listens on ${sink.host}:${sink.port}; starting a cluster in ${options.dataDir}`)
  await using cluster = await Cluster.start({
    dataDir: options.dataDir,
    smarthost: { host: sink.host, port: sink.port },
    signal: options.signal,
    ...(options.nodes === null ? {} : { nodes: options.nodes }),
  })
  const random = seededRandom(options.seed)
  const middle = faultAt(options, history, () => inject(options.fault as Exclude<Fault, 'none'>, cluster, random))
  options.progress(`sending ${options.messages} messages over ${options.sessions} sessions`)
  const sent = await send({
    targets: cluster.targets(options.role),
    sessions: options.sessions,
    connections: options.connections,
    rate: options.rate,
    retryUnknown: options.retryUnknown,
    giveUpMs: 120_000,
    next: messagesOf(options, random, options.role === 'relay' ? RELAYED_SENDER : cluster.userAddress()),
    record: (attempt) => {
      history.attempts.push(attempt)
      middle.look()
    },
    signal: options.signal,
  })
  const injected = await middle.injected
  if (injected !== undefined) {
    options.progress(`killed ${injected.killed.join(', ')}; waiting until it runs again`)
    await injected.healed
  }
  options.progress('draining')
  const queued = await drain({
    history,
    queued: () => queueCount({ data: options.dataDir }),
    timeoutMs: options.drainMs,
    quietMs: QUIET_MS,
    signal: options.signal,
  })
  const facts = await cluster.facts()
  const possibleDuplicates = sumOf(await scrape(Object.values(facts.metrics)), /possible_duplicates(_total)?$/)
  return {
    ...measure(history, sent, injected, options),
    ...reconcile(history.attempts, history.arrivals, queued),
    possibleDuplicates,
  }
}

function messagesOf(
  options: LoadOptions,
  random: Random,
  sender: string,
): () => ReturnType<typeof composeMessage> | undefined {
  const run = Math.floor(random() * 2 ** 32).toString(36)
  let composed = 0
  return () => {
    if (composed >= options.messages) return undefined
    const turn = ++composed
    const refused = options.refuseEvery > 0 && turn % options.refuseEvery === 0
    return composeMessage(`${run}-${turn}`, {
      random,
      size: options.size,
      recipients: options.recipients,
      sender,
      domain: 'sink.example',
      date: new Date(),
      ...(refused ? { prefix: REFUSED_PREFIX } : {}),
    })
  }
}

interface Middle {
  look(): void
  readonly injected: Promise<Injected | undefined>
}

/** Injects the fault once half of the messages have been answered. */
function faultAt(options: LoadOptions, history: History, kill: () => Promise<Injected>): Middle {
  if (options.fault === 'none') return { look: () => {}, injected: Promise.resolve(undefined) }
  const { promise, resolve, reject } = Promise.withResolvers<Injected>()
  promise.catch(() => {}) // who waits for it learns of it
  let begun = false
  const look = () => {
    if (begun || history.attempts.length < options.messages / 2) return
    begun = true
    kill().then(resolve, reject)
  }
  return {
    look,
    get injected() {
      return begun ? promise : Promise.resolve(undefined)
    },
  }
}

function measure(history: History, sent: Sent, injected: Injected | undefined, options: LoadOptions) {
  const accepted = history.attempts.filter((attempt) => attempt.told === 'accepted')
  const latencies = accepted.map((attempt) => attempt.endedAt - attempt.startedAt)
  const p50 = percentile(latencies, 0.5)
  const p99 = percentile(latencies, 0.99)
  const first = new Map<string, number>()
  for (const { recipient, at } of history.arrivals) if (!first.has(recipient)) first.set(recipient, at)
  const lastArrival = Math.max(sent.startedAt, ...lastOf(first.values()))
  const ids = new Set(accepted.map((attempt) => attempt.id))
  return {
    fault: options.fault,
    killed: injected?.killed ?? [],
    unsent: sent.unsent,
    connectionFailures: sent.connectionFailures,
    longestAcceptGapMs: round(
      longestGap(
        accepted.map((attempt) => attempt.endedAt),
        sent.startedAt,
        sent.endedAt,
      ),
    ),
    p50Ms: p50 === undefined ? null : round(p50, 2),
    p99Ms: p99 === undefined ? null : round(p99, 2),
    messagesPerSecond: round((ids.size * 1000) / Math.max(1, lastArrival - sent.startedAt)),
    slowestDeliveryMs: round(slowestOf(accepted, first)),
    redeliveryMs: injected === undefined ? null : redeliveryAfter(injected.at, history, first),
    seed: options.seed,
  }
}

/** How long after `at` the last mail arrived that was in flight then; null when one of them has not arrived. */
export function redeliveryAfter(at: number, history: History, first: ReadonlyMap<string, number>): number | null {
  let last = at
  for (const attempt of history.attempts) {
    if (attempt.told !== 'accepted' || attempt.endedAt > at) continue
    for (const recipient of attempt.recipients) {
      const arrived = first.get(recipient)
      if (arrived === undefined) return null
      last = Math.max(last, arrived)
    }
  }
  return round(last - at)
}

function slowestOf(accepted: readonly Attempt[], first: ReadonlyMap<string, number>): number {
  let slowest = 0
  for (const { recipients, endedAt } of accepted) {
    for (const recipient of recipients) slowest = Math.max(slowest, (first.get(recipient) ?? endedAt) - endedAt)
  }
  return slowest
}

function lastOf(times: Iterable<number>): number[] {
  let last = -Infinity
  for (const time of times) last = Math.max(last, time)
  return Number.isFinite(last) ? [last] : []
}
