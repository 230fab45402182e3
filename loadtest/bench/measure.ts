// The measurements of one system: a load end to end with the CPU of each part, how long the 250 takes, and a lonely message.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Attempt } from '../history.ts'
import { composeMessage } from '../message.ts'
import { seededRandom } from '../random.ts'
import { send } from '../sender.ts'
import { SmtpClient } from '../smtp-client.ts'
import { median, percentile, round } from '../statistics.ts'
import { cpuOfGroups, readProcesses } from './process-cpu.ts'
import { smtpSource } from './smtp-source.ts'
import type { System } from './system.ts'

export interface LoadShape {
  readonly size: number
  readonly sessions: number
  readonly messages: number
  readonly connections: 'kept' | 'one-shot'
}

export interface Measured {
  readonly system: string
  readonly size: number
  readonly sessions: number
  readonly messages: number
  /** From the start of the sender to the last arrival at the sink. */
  readonly messagesPerSecond: number
  /** From the start of the sender to the last 250. */
  readonly acceptedPerSecond: number
  /** Microseconds of CPU for each message, by part, with those of the sender and the sink. */
  readonly cpuMicros: Readonly<Record<string, number>>
}

const ARRIVAL_MS = 300_000
/** What a system still does for the messages after the last arrival: its books. */
const AFTERWORK_MS = 500

/** The others have nothing to do meanwhile; what they take all the same is told as `others`. */
export async function measureLoad(
  system: System,
  others: readonly System[],
  shape: LoadShape,
  signal: AbortSignal,
): Promise<Measured> {
  const idle = await Promise.all(
    others.map(async (other) => [...Object.values(await other.groups()).flat(), other.sink.pid]),
  )
  const groups = {
    ...(await system.groups()),
    sink: [system.sink.pid],
    ...(others.length > 0 ? { others: idle.flat() } : {}),
    benchmark: [process.pid],
  }
  const taken = system.sink.taken()
  const before = cpuOfGroups(readProcesses(), groups)
  const startedAt = performance.timeOrigin + performance.now()
  await smtpSource({ host: system.host, port: system.port, ...shape }, signal)
  const acceptedAt = performance.timeOrigin + performance.now()
  const arrivedAt = await system.sink.reached(taken + shape.messages, ARRIVAL_MS)
  await sleep(AFTERWORK_MS)
  const after = cpuOfGroups(readProcesses(), groups)
  const rate = (until: number) => round((shape.messages * 1000) / (until - startedAt), 1)
  const perMessage = Object.entries(after).map(([group, micros]) => {
    // The sender is a child of the benchmark, which does nothing else meanwhile.
    return [group === 'benchmark' ? 'source' : group, round((micros - (before[group] ?? 0)) / shape.messages)] as const
  })
  return {
    system: system.name,
    size: shape.size,
    sessions: shape.sessions,
    messages: shape.messages,
    messagesPerSecond: rate(arrivedAt),
    acceptedPerSecond: rate(acceptedAt),
    cpuMicros: Object.fromEntries(perMessage),
  }
}

/** Percent of one core that a system takes while it has nothing to do: the peers are measured beside it. */
export async function measureIdle(system: System, forMs: number): Promise<number> {
  const groups = await system.groups()
  const total = () => Object.values(cpuOfGroups(readProcesses(), groups)).reduce((sum, micros) => sum + micros, 0)
  const before = total()
  const startedAt = performance.now()
  await sleep(forMs)
  return round((total() - before) / 10 / (performance.now() - startedAt), 1)
}

export async function warmUp(system: System, signal: AbortSignal): Promise<void> {
  const shape = { size: 4096, sessions: 20, messages: system.warmUp, connections: 'kept' as const }
  const taken = system.sink.taken()
  await smtpSource({ host: system.host, port: system.port, ...shape }, signal)
  await system.sink.reached(taken + shape.messages, ARRIVAL_MS)
}

/** Milliseconds from MAIL FROM to the 250 of the final dot, under the load of so many sessions. */
export async function measureAcceptance(system: System, shape: LoadShape): Promise<{ p50Ms: number; p99Ms: number }> {
  const random = seededRandom(shape.size)
  const taken = system.sink.taken()
  const attempts: Attempt[] = []
  let composed = 0
  const next = () => (composed++ < shape.messages ? message(`accept-${composed}`, random, shape.size) : undefined)
  await send({
    targets: [{ host: system.host, port: system.port, tls: 'none' }],
    sessions: shape.sessions,
    connections: shape.connections,
    next,
    rate: 0,
    retryUnknown: false,
    giveUpMs: 10_000,
    record: (attempt) => attempts.push(attempt),
  })
  const accepted = attempts.filter((attempt) => attempt.told === 'accepted')
  await system.sink.reached(taken + accepted.length, ARRIVAL_MS)
  const times = accepted.map((attempt) => attempt.endedAt - attempt.startedAt)
  return { p50Ms: round(percentile(times, 0.5) ?? NaN, 2), p99Ms: round(percentile(times, 0.99) ?? NaN, 2) }
}

export interface Lonely {
  /** Medians, from opening the connection. */
  readonly acceptedMs: number
  readonly deliveredMs: number
  readonly worstDeliveredMs: number
}

/** One message at a time through a system that has nothing else to do. */
export async function measureLonely(system: System, count: number): Promise<Lonely> {
  const random = seededRandom(1)
  const accepted: number[] = []
  const delivered: number[] = []
  for (let turn = 0; turn < count; turn++) {
    await sleep(100 + random() * 100) // in step with none of the system's own rhythms
    const taken = system.sink.taken()
    const lonely = message(`lonely-${turn}`, random, 4096)
    const startedAt = performance.now()
    const client = await SmtpClient.connect({ host: system.host, port: system.port, tls: 'none' })
    const verdict = await client.send(lonely)
    if (verdict.told !== 'accepted') throw new Error(`${system.name} did not accept a lonely message`)
    accepted.push(performance.now() - startedAt)
    await system.sink.reached(taken + 1, 60_000, 1)
    delivered.push(performance.now() - startedAt)
    client.quit()
  }
  const two = (value: number | undefined) => round(value ?? NaN, 2)
  return {
    acceptedMs: two(median(accepted)),
    deliveredMs: two(median(delivered)),
    worstDeliveredMs: two(Math.max(...delivered)),
  }
}

function message(id: string, random: () => number, size: number) {
  const addresses = { sender: 'load@sender.example', domain: 'sink.example' }
  return composeMessage(id, { random, size, recipients: 1, date: new Date(), ...addresses })
}
