/**
 * What an edge tells readers of the messages it has accepted. The owner repeats the facts of an acceptance with the first outcome of
 * a message, so there is nothing to tell of what has one soon; only what still lies open after some seconds is appended
 * to the log as `.accepted` entries, many messages in each. No promise hangs on it: an edge that dies tells nothing, and the owner
 * does in the end. Memory is bounded: what would be too much is told at once.
 */
import { randomBytes } from 'node:crypto'
import { ACCEPTED_OVERHEAD, acceptedSize, encodeAccepted } from '@posthouse/core/accepted-codec'
import { acceptedMessages } from '@posthouse/core/acceptance'
import type { AcceptedMessage } from '@posthouse/core/entry'
import type { Envelope } from '@posthouse/core/record'
import { MAX_ENTRY_HEADER } from '@posthouse/core/text-table'
import type { Store } from './store.ts'

/** The floor is told every two seconds. */
const WAIT_MS = 5000
const TICK_MS = 500
const TRY_MS = 1000
const TRIES = 20
/** Recipients of the messages that wait to be told, in one partition. */
const MOST_WAITING = 5000
/** Recipients whose messages are made entries of at once. */
const AT_ONCE = 1000

interface Waiting {
  readonly seq: number
  readonly at: number
  readonly envelopes: readonly Envelope[]
}

export interface AcceptedLogOptions {
  readonly store: Pick<Store, 'partitions' | 'appendAccepted'>
  /** Monotonic ms. */
  readonly now: () => number
  /** So many messages could not be told. */
  readonly untold: (messages: number) => void
}

export class AcceptedLog {
  readonly #options: AcceptedLogOptions
  readonly #partitions: Part[]
  readonly #timer: NodeJS.Timeout

  constructor(options: AcceptedLogOptions) {
    this.#options = options
    this.#partitions = Array.from({ length: options.store.partitions }, (_, partition) => new Part(partition, options))
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    this.#timer.unref()
  }

  /** A batch is stored under this sequence of MAIL. */
  stored(partition: number, seq: number, envelopes: readonly Envelope[]): void {
    this.#partitions[partition]?.stored({ seq, at: this.#options.now(), envelopes })
  }

  /** The owner says that everything below has an outcome. A wrong word costs nothing: he tells of it himself. */
  floor(partition: number, floor: number): void {
    this.#partitions[partition]?.floor(floor)
  }

  /** Tells what still waits, each with one try. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#partitions.map((part) => part.close()))
  }

  #tick(): void {
    const before = this.#options.now() - WAIT_MS
    for (const part of this.#partitions) part.tell(before)
  }
}

class Part {
  readonly #partition: number
  readonly #options: AcceptedLogOptions
  /** In the order of their storing, which is that of their sequences but for batches published at the same time. */
  #waiting: Waiting[] = []
  #recipients = 0
  #telling: Promise<void> | undefined
  #closed = false

  constructor(partition: number, options: AcceptedLogOptions) {
    this.#partition = partition
    this.#options = options
  }

  stored(batch: Waiting): void {
    this.#waiting.push(batch)
    this.#recipients += recipientsOf(batch)
    if (this.#recipients > MOST_WAITING) setImmediate(() => this.tell(Infinity))
  }

  floor(floor: number): void {
    if (this.#waiting.every(({ seq }) => seq >= floor)) return
    this.#waiting = this.#waiting.filter(({ seq }) => seq >= floor)
    this.#recipients = this.#waiting.reduce((sum, batch) => sum + recipientsOf(batch), 0)
  }

  /** What was stored before this time; one entry is under way at a time. */
  tell(before: number): void {
    if (this.#telling !== undefined) {
      this.#shed()
      return
    }
    const due = this.#take(before, AT_ONCE)
    if (due.length === 0) return
    this.#telling = this.#append(due).finally(() => {
      this.#telling = undefined
      if (!this.#closed && this.#recipients > MOST_WAITING) this.tell(Infinity)
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#telling
    await this.#append(this.#take(Infinity, Infinity))
  }

  #take(before: number, most: number): Envelope[] {
    const envelopes: Envelope[] = []
    let recipients = 0
    this.#waiting = this.#waiting.filter((batch) => {
      if (batch.at > before || recipients >= most) return true
      recipients += recipientsOf(batch)
      envelopes.push(...batch.envelopes)
      return false
    })
    this.#recipients -= recipients
    return envelopes
  }

  /** Nobody takes them: the owner will tell of the oldest. */
  #shed(): void {
    while (this.#recipients > 4 * MOST_WAITING) {
      const batch = this.#waiting.shift() as Waiting
      this.#recipients -= recipientsOf(batch)
      this.#options.untold(batch.envelopes.length)
    }
  }

  async #append(envelopes: readonly Envelope[]): Promise<void> {
    let answers = true
    for (const messages of entriesOf(envelopes.flatMap(acceptedMessages))) {
      // An edge that stops does not wait for a log that does not answer.
      answers = (answers || !this.#closed) && (await this.#appendEntry(messages).catch(() => false))
      if (!answers) this.#options.untold(messages.length)
    }
  }

  /** Rejects if the messages cannot be encoded. */
  async #appendEntry(messages: readonly AcceptedMessage[]): Promise<boolean> {
    const header = encodeAccepted(messages)
    const id = randomBytes(12).toString('base64url')
    for (let tries = 0; tries < (this.#closed ? 1 : TRIES); tries++) {
      const answer = await this.#options.store.appendAccepted(this.#partition, id, header, TRY_MS)
      if (answer.is === 'stored') return true
      if (answer.is === 'refused' && answer.why === 'full') return false
      if (!this.#closed) await new Promise((resolve) => setTimeout(resolve, TICK_MS))
    }
    return false
  }
}

const recipientsOf = ({ envelopes }: Waiting) => envelopes.reduce((sum, { recipients }) => sum + recipients.length, 0)

/** As many messages in each as fit. */
function entriesOf(messages: readonly AcceptedMessage[]): AcceptedMessage[][] {
  const entries: AcceptedMessage[][] = []
  let size = Infinity
  for (const message of messages) {
    const more = acceptedSize(message)
    if (size + more > MAX_ENTRY_HEADER) {
      entries.push([])
      size = ACCEPTED_OVERHEAD
    }
    entries.at(-1)?.push(message)
    size += more
  }
  return entries
}
