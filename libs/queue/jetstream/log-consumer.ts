/**
 * Reads the headers of one stream in order through short-lived consumers: each lives on one replica in memory and is made
 * anew, from the message after the last one seen, when it falls silent, skips something or dies with its server.
 */
import type { Msg } from 'nats'
import { api } from './api.ts'
import type { Link } from './link.ts'
import type { Links } from './links.ts'

/** Headers may be 48 KiB each: a batch must stay well below what the servers hold back for a slow reader. */
const BATCH = 256
const CREATE_MS = 1500
/** The server says something at least every 300 ms as long as the consumer lives. */
const IDLE_HEARTBEAT_MS = 300
const SILENT_MS = 800
/** A replica without anything new for so long lags: another one is asked. */
const EXPIRES_MS = 2000

export interface LoggedMessage {
  readonly subject: string
  readonly seq: number
  readonly storedAt: number
  header(name: string): string
}

export interface LogReading {
  readonly stream: string
  readonly from: number
  readonly subjects?: readonly string[]
  /** Gets each message once, in order; true ends the reading. */
  readonly next: (message: LoggedMessage) => boolean
  /** Ends as false when nothing new came for so long. */
  readonly giveUpMs: number
}

/** True if `next` ended it. */
export async function readLog(links: Links, reading: LogReading): Promise<boolean> {
  let from = reading.from
  let lastProgress = performance.now()
  const next = (message: LoggedMessage) => {
    from = message.seq + 1
    lastProgress = performance.now()
    return reading.next(message)
  }
  while (performance.now() - lastProgress < reading.giveUpMs) {
    const link = links.current()
    if (link === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      continue
    }
    const name = await createConsumer(links, { ...reading, from })
    if (name === undefined) continue
    try {
      if ((await drain(link, reading.stream, name, next)) === 'ended') return true
    } finally {
      void api(links, `CONSUMER.DELETE.${reading.stream}.${name}`, undefined, CREATE_MS)
    }
    links.distrust(link)
  }
  return false
}

let consumers = 0

/** Undefined: not now. It lives on one replica, in memory, and is removed when nobody asks it for a while. */
export async function createConsumer(
  links: Links,
  { stream, from, subjects }: Pick<LogReading, 'stream' | 'from' | 'subjects'>,
): Promise<string | undefined> {
  const name = `scan_${process.pid}_${consumers++}_${Math.random().toString(36).slice(2)}`
  const config = {
    name,
    deliver_policy: 'by_start_sequence',
    opt_start_seq: Math.max(1, from),
    ack_policy: 'none',
    replay_policy: 'instant',
    headers_only: true,
    mem_storage: true,
    num_replicas: 1,
    inactive_threshold: 10 * 1e9,
    ...(subjects === undefined ? {} : { filter_subjects: subjects }),
  }
  const body = { stream_name: stream, config, action: 'create' }
  const answer = await api(links, `CONSUMER.CREATE.${stream}.${name}`, body, CREATE_MS)
  if (answer.is === 'ok') return name
  await new Promise((resolve) => setTimeout(resolve, 100))
  return undefined
}

/** Pulls batch after batch until `next` ends it or the consumer cannot be trusted any more. */
function drain(
  link: Link,
  stream: string,
  consumer: string,
  next: (message: LoggedMessage) => boolean,
): Promise<'ended' | 'broken'> {
  return new Promise((resolve, reject) => {
    const inbox = link.newInbox()
    let expected = 1
    let asked = 0
    const stop = () => {
      clearTimeout(timer)
      unsubscribe()
    }
    const finish = (how: 'ended' | 'broken') => {
      stop()
      resolve(how)
    }
    const timer = setTimeout(() => finish('broken'), SILENT_MS)
    const pull = () => {
      asked += BATCH
      const body = { batch: BATCH, expires: EXPIRES_MS * 1e6, idle_heartbeat: IDLE_HEARTBEAT_MS * 1e6 }
      link.ask(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, JSON.stringify(body), inbox)
    }
    const unsubscribe = link.subscribe(inbox, (message) => {
      timer.refresh()
      const code = message.headers?.code ?? 0
      if (code === 100) return // idle: the end of the log as this replica knows it
      if (code !== 0) return finish('broken')
      try {
        const delivered = readDelivery(message)
        if (delivered === undefined || delivered.number !== expected) return finish('broken')
        expected++
        if (next(delivered.message)) return finish('ended')
        if (delivered.number === asked) pull()
      } catch (error) {
        stop()
        reject(error instanceof Error ? error : new Error(String(error)))
      }
    })
    pull()
  })
}

/** The reply subject says which message it is: $JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>.<number>.<ns>.<pending>. */
export function readDelivery(message: Msg): { readonly number: number; readonly message: LoggedMessage } | undefined {
  const tokens = message.reply?.split('.') ?? []
  if (tokens[0] !== '$JS' || tokens.length < 9) return undefined
  // Newer servers put domain and account in front of the stream and a token behind.
  const at = tokens.length >= 11 ? 6 : 4
  const [, seq, number, nanoseconds] = tokens.slice(at, at + 4)
  if (seq === undefined || number === undefined || nanoseconds === undefined) return undefined
  return {
    number: Number(number),
    message: {
      subject: message.subject,
      seq: Number(seq),
      storedAt: Number(nanoseconds.slice(0, -6)),
      header: (name) => message.headers?.get(name) ?? '',
    },
  }
}
