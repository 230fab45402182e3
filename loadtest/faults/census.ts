// What a cluster holds: messages and bytes of every stream, bodies, the storage of its servers, memory and descriptors of its
// processes. Two of them, of a quiet cluster with an empty queue, tell whether something leaks.

import { readdir, readFile } from 'node:fs/promises'
import {
  bodyOfSubject,
  bodyStream,
  isMark,
  bodySubjects,
  logStream,
  mailStream,
} from '@posthouse/queue/jetstream/subjects'
import { eventsIn } from './log-events.ts'
import { QueueLink } from './queue-link.ts'

export interface CensusSubject {
  /** As for readLogEvents. */
  readonly queueFile: string
  readonly processes: readonly { readonly name: string; readonly pid: number }[]
  /** Base addresses of the monitoring ports of the NATS servers. */
  readonly natsMonitors: readonly string[]
}

export interface Census {
  /** MAIL_p, LOG_p and BODY_p by name. */
  readonly streams: Readonly<Record<string, StreamHoldings>>
  /** Distinct bodies, however many chunks each has. */
  readonly bodies: number
  /** Those of them that the logs name: their message was in the queue, and has ended if the queue is empty. */
  readonly knownBodies: number
  /** NATS servers by name. */
  readonly servers: Readonly<Record<string, ServerHoldings>>
  /** By name; one that has ended is not there. */
  readonly processes: Readonly<Record<string, ProcessHoldings>>
}

export interface StreamHoldings {
  readonly messages: number
  readonly bytes: number
  readonly first: number
  readonly last: number
}

export interface ServerHoldings {
  /** Bytes of the streams on its disk and of those in its memory, as JetStream counts them. */
  readonly storage: number
  readonly memory: number
  /** Bytes of the process. */
  readonly rss: number
  readonly connections: number
}

export interface ProcessHoldings {
  readonly rss: number
  readonly descriptors: number
  readonly threads: number
}

const MONITOR_MS = 5000

export async function takeCensus({ queueFile, processes, natsMonitors }: CensusSubject): Promise<Census> {
  await using queue = await QueueLink.open(queueFile)
  const streams: Record<string, StreamHoldings> = {}
  const bodies = new Set<string>()
  for (let partition = 0; partition < queue.partitions; partition++) {
    for (const stream of [mailStream(partition), logStream(partition), bodyStream(partition)]) {
      const { messages, bytes, first_seq: first, last_seq: last } = (await queue.info(stream)).state
      streams[stream] = { messages, bytes, first, last }
    }
    await findBodies(queue, partition, bodies)
  }
  const known = new Set(bodies.size === 0 ? [] : (await eventsIn(queue)).map(({ body }) => body))
  return {
    streams,
    bodies: bodies.size,
    knownBodies: [...bodies].filter((body) => known.has(body)).length,
    servers: Object.fromEntries(await Promise.all(natsMonitors.map(serverHoldings))),
    processes: Object.fromEntries((await Promise.all(processes.map(processHoldings))).flat()),
  }
}

/** Subjects come in pages, of 100 000 at most. */
async function findBodies(queue: QueueLink, partition: number, bodies: Set<string>): Promise<void> {
  for (let seen = 0; ;) {
    const request = { subjects_filter: bodySubjects(partition), offset: seen }
    const page = Object.keys((await queue.info(bodyStream(partition), request)).state.subjects ?? {})
    if (page.length === 0) return
    for (const subject of page) {
      const body = bodyOfSubject(subject) ?? subject
      if (!isMark(body)) bodies.add(body)
    }
    seen += page.length
  }
}

async function serverHoldings(monitor: string): Promise<[string, ServerHoldings]> {
  const ask = async (path: string) => {
    const response = await fetch(`${monitor}${path}`, { signal: AbortSignal.timeout(MONITOR_MS) })
    if (!response.ok) throw new Error(`${monitor}${path} answers ${response.status}`)
    return response.json()
  }
  const { storage, memory } = (await ask('/jsz')) as { storage: number; memory: number }
  const about = (await ask('/varz')) as { server_name: string; mem: number; connections: number }
  return [about.server_name, { storage, memory, rss: about.mem, connections: about.connections }]
}

/** Nothing if there is no such process any more. */
async function processHoldings({
  name,
  pid,
}: CensusSubject['processes'][number]): Promise<[string, ProcessHoldings][]> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    const descriptors = (await readdir(`/proc/${pid}/fd`)).length
    const number = (field: string) => Number(new RegExp(`^${field}:\\s*(\\d+)`, 'm').exec(status)?.[1])
    const rss = number('VmRSS') * 1024
    // A process that has ended and waits for its parent has no memory.
    return Number.isNaN(rss) ? [] : [[name, { rss, descriptors, threads: number('Threads') }]]
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return []
    throw error
  }
}

export interface CensusLimits {
  /** Recipients that were accepted between the two. */
  readonly recipients: number
  /** Bodies without a message that may be left: an edge that was killed or cut off could neither commit nor remove them. */
  readonly bodies: number
  /** Facts kept of each recipient in the logs, for their readers: they go after days. */
  readonly logBytesPerRecipient: number
  readonly rssShare: number
  readonly rssBytes: number
  readonly descriptors: number
}

/** A closing takes some 350 bytes when it is alone in its entry, and 85 among many; a deferral is gone in the end. */
export const USUAL_LIMITS = { logBytesPerRecipient: 1024, rssShare: 0.3, rssBytes: 64 * 1024 ** 2, descriptors: 20 }

/** Old leases are trimmed once a minute to the last 256 of a partition; they are no facts of messages. */
const LEASE_BYTES = 256 * 1024
/** What a server may hold beyond its streams: one that follows removes a little later than the leader. */
const SERVER_SLACK = 16 * 1024 ** 2

/** What grew beyond its limits, one line each. Both of a quiet cluster with an empty queue, the first after a warm-up. */
export function compare(before: Census, after: Census, limits: CensusLimits): string[] {
  return [
    ...leftIn(after, limits),
    ...logGrowth(before, after, limits),
    ...serverGrowth(after),
    ...processGrowth(before, after, limits),
  ]
}

/** Bytes that the logs grew by for each recipient accepted between the two. */
export function logBytesPerRecipient(before: Census, after: Census, recipients: number): number {
  const partitions = logsOf(after).length
  const grown = sum(logsOf(after)) - sum(logsOf(before)) - partitions * LEASE_BYTES
  return Math.max(0, grown) / Math.max(1, recipients)
}

/** The newest batch of MAIL stays (libs/queue/jetstream/held-removals.ts). */
function leftIn({ streams, bodies, knownBodies }: Census, limits: CensusLimits): string[] {
  const mail = Object.entries(streams).filter(([name, { messages }]) => name.startsWith('MAIL_') && messages > 1)
  const left = mail.map(([name, { messages, bytes }]) => `${name} holds ${messages} batches (${bytes} bytes)`)
  if (knownBodies > 0) left.push(`${knownBodies} bodies are left of messages that have ended`)
  const others = bodies - knownBodies
  if (others > limits.bodies) left.push(`${others} bodies without a message are left, at most ${limits.bodies} may be`)
  return left
}

function logGrowth(before: Census, after: Census, { recipients, logBytesPerRecipient: limit }: CensusLimits): string[] {
  const bytes = Math.round(logBytesPerRecipient(before, after, recipients))
  return bytes > limit ? [`the logs grew by ${bytes} bytes per recipient, at most ${limit} may be`] : []
}

function serverGrowth({ streams, servers }: Census): string[] {
  const held = sum(Object.values(streams))
  return Object.entries(servers)
    .filter(([, { storage }]) => storage > held + SERVER_SLACK)
    .map(([name, { storage }]) => `${name} stores ${storage} bytes, all streams together hold ${held}`)
}

function processGrowth(before: Census, after: Census, limits: CensusLimits): string[] {
  const grown: string[] = []
  for (const [name, was] of Object.entries(before.processes)) {
    const is = after.processes[name]
    if (is === undefined) {
      grown.push(`${name} does not run any more`)
      continue
    }
    const rss = was.rss * (1 + limits.rssShare) + limits.rssBytes
    if (is.rss > rss) grown.push(`${name} grew from ${mebibytes(was.rss)} to ${mebibytes(is.rss)} of memory`)
    if (is.descriptors > was.descriptors + limits.descriptors) {
      grown.push(`${name} has ${is.descriptors} open descriptors, it had ${was.descriptors}`)
    }
  }
  return grown
}

const logsOf = ({ streams }: Census) =>
  Object.entries(streams).flatMap(([name, stream]) => (name.startsWith('LOG_') ? [stream] : []))
const sum = (streams: readonly StreamHoldings[]) => streams.reduce((total, { bytes }) => total + bytes, 0)
const mebibytes = (bytes: number) => `${Math.round(bytes / 1024 ** 2)} MiB`
