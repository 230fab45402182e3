/**
 * What the streams looked like when they were last asked: how full they are, and whether they are led at all. MAIL is asked
 * every second, the other streams in turn every few seconds, each by one request that its leader answers from memory. An
 * answer is no proof of a leader with a majority behind it (quorum.ts).
 */
import type { PartitionState } from '../store.ts'
import { api, streamInfo, type AccountInfo, type ApiAnswer, type StreamInfo } from './api.ts'
import { HOLD_BYTES, HOLD_PART } from './held-removals.ts'
import type { LeaderBalance } from './leader-balance.ts'
import type { Links } from './links.ts'
import { hasQuorum } from './quorum.ts'
import { bodyStream, logStream, mailStream, mailSubjects } from './subjects.ts'

const EVERY_MS = 1000
const REQUEST_MS = 900
/** LOG, BODY and the account are asked once in so many rounds. */
const SELDOM = 4
/** A log that takes more than this part of its room is trimmed before its entries are old. */
const LOG_PART = 0.5
/** One question without an answer may be bad luck, and an election takes a moment. */
const UNLED_ROUNDS = 2

interface Seen {
  mail: StreamInfo['state'] | undefined
  /** The leader of MAIL. */
  server: string | undefined
  /** Questions in a row without an answer of a leader that has a quorum, by stream. */
  unled: { mail: number; log: number; body: number }
  mailUsed: number
  logUsed: number
  lastEntry: number
  bodyUsed: number
  bodyBytes: number
}

export class StatePoll {
  readonly #links: Links
  readonly #balance: LeaderBalance | undefined
  readonly #seen: Seen[]
  #account = 0
  #round = 0
  #running = false
  readonly #timer: NodeJS.Timeout

  /** Without a balance the leaders stay where they are. */
  constructor(links: Links, balance: LeaderBalance | undefined, partitions: number) {
    this.#links = links
    this.#balance = balance
    this.#seen = Array.from({ length: partitions }, () => ({
      mail: undefined,
      server: undefined,
      unled: { mail: 0, log: 0, body: 0 },
      mailUsed: 0,
      logUsed: 0,
      lastEntry: 0,
      bodyUsed: 0,
      bodyBytes: 0,
    }))
    this.#timer = setInterval(() => void this.poll(), EVERY_MS).unref()
  }

  state(partition: number): PartitionState {
    const seen = this.#seen[partition]
    if (seen === undefined) throw new RangeError(`there is no partition ${partition}`)
    return {
      leader: seen.mail !== undefined && Object.values(seen.unled).every((rounds) => rounds < UNLED_ROUNDS),
      used: Math.max(seen.mailUsed, seen.logUsed, seen.bodyUsed, this.#account),
      mailMessages: countMails(seen.mail),
      mailBytes: seen.mail?.bytes ?? 0,
      ...(seen.server === undefined ? {} : { server: seen.server }),
    }
  }

  /** Newest sequence of MAIL, and whether MAIL and BODY hold more than need be. */
  room(partition: number): {
    readonly last: number
    readonly mailCrowded: boolean
    readonly bodyCrowded: boolean
    readonly logCrowded: boolean
    /** Newest sequence of LOG. */
    readonly lastEntry: number
  } {
    const { mail, mailUsed, bodyBytes, bodyUsed, logUsed, lastEntry } = this.#seen[partition] as Seen
    return {
      logCrowded: logUsed > LOG_PART,
      lastEntry,
      last: mail?.last_seq ?? 0,
      mailCrowded: (mail?.bytes ?? 0) > HOLD_BYTES || mailUsed > HOLD_PART,
      bodyCrowded: bodyBytes > HOLD_BYTES || bodyUsed > HOLD_PART,
    }
  }

  async poll(): Promise<void> {
    if (this.#running) return
    this.#running = true
    const round = this.#round++
    await Promise.all([
      ...this.#seen.map((seen, partition) => this.#pollPartition(seen, partition, (round + partition) % SELDOM === 0)),
      round % SELDOM === 0 ? this.#pollAccount() : undefined,
    ])
    this.#running = false
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #pollPartition(seen: Seen, partition: number, all: boolean): Promise<void> {
    const { unled } = seen
    const [mail, log, body] = await Promise.all([
      streamInfo(this.#links, mailStream(partition), REQUEST_MS, mailSubjects(partition)),
      all || unled.log > 0 ? streamInfo(this.#links, logStream(partition), REQUEST_MS) : undefined,
      all || unled.body > 0 ? streamInfo(this.#links, bodyStream(partition), REQUEST_MS) : undefined,
    ])
    if (mail.is === 'ok') {
      seen.mail = mail.value.state
      seen.server = mail.value.cluster?.leader
      seen.mailUsed = usedPart(mail.value)
    }
    for (const info of [mail, log, body]) if (info?.is === 'ok') this.#balance?.consider(partition, info.value)
    unled.mail = isLed(mail) ? 0 : unled.mail + 1
    if (log !== undefined) unled.log = isLed(log) ? 0 : unled.log + 1
    if (body !== undefined) unled.body = isLed(body) ? 0 : unled.body + 1
    if (log?.is === 'ok') {
      seen.logUsed = usedPart(log.value)
      seen.lastEntry = log.value.state.last_seq
    }
    if (body?.is === 'ok') {
      seen.bodyUsed = usedPart(body.value)
      seen.bodyBytes = body.value.state.bytes
    }
  }

  async #pollAccount(): Promise<void> {
    const answer = await api<AccountInfo>(this.#links, 'INFO', undefined, REQUEST_MS)
    if (answer.is !== 'ok') return
    const { storage, limits } = answer.value
    this.#account = limits.max_storage > 0 ? storage / limits.max_storage : 0
  }
}

function isLed(answer: ApiAnswer<StreamInfo>): boolean {
  return answer.is === 'ok' && hasQuorum(answer.value)
}

function usedPart({ state, config }: StreamInfo): number {
  return config.max_bytes > 0 ? state.bytes / config.max_bytes : 0
}

/** The last token of a MAIL subject is the number of mails in the batch. */
function countMails(state: StreamInfo['state'] | undefined): number {
  let mails = 0
  for (const [subject, batches] of Object.entries(state?.subjects ?? {})) {
    mails += Number(subject.slice(subject.lastIndexOf('.') + 1)) * batches
  }
  return mails
}
