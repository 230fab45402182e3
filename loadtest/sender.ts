// Sends messages over N sessions and writes down what the client was told about each. A session that loses its connection
// connects again at once; a message that was surely not accepted is tried again like a real client would, one whose fate is
// unknown only when asked to (it may then rightly arrive twice).

import { setTimeout as sleep } from 'node:timers/promises'
import type { Attempt } from './history.ts'
import type { Message } from './message.ts'
import { ConnectionLost, PATIENT, SmtpClient, Unwelcome, type Patience, type Target } from './smtp-client.ts'
import type { Verdict } from './smtp-verdict.ts'

/** Told of all that happens, as it happens. */
export interface Watcher {
  /** A session has this message to send, and sees to nothing else until it is settled. */
  begun(message: Message): void
  connected(): void
  /** No server, or one that does not want us, at `edge` (HOST:PORT). */
  notConnected(edge: string, why: ConnectionLost | Unwelcome): void
  tried(one: Try): void
  /** Nothing more is done for it. */
  settled(message: Message): void
}

export interface Try {
  readonly message: Message
  /** The server, as SmtpClient names it. */
  readonly peer: string
  readonly verdict: Verdict
  /** What came of the try before this one. */
  readonly before: Verdict['told'] | undefined
  readonly startedAt: number
  readonly endedAt: number
}

export interface Sending {
  /** Sessions are spread over them in turn; after a lost connection the next one is tried. */
  readonly targets: readonly Target[]
  readonly sessions: number
  /** A number: so many messages over each. */
  readonly connections: 'kept' | 'one-shot' | number
  /** The next message, perhaps once it is due, or undefined when there are no more. */
  readonly next: () => Message | undefined | Promise<Message | undefined>
  /** Messages per second at most, over all sessions; 0 = as fast as they are taken. */
  readonly rate: number
  /** Whether a message whose fate is unknown is sent again. */
  readonly retryUnknown: boolean
  /** How long a session goes on trying what is refused for now, or a server that cannot be reached. */
  readonly giveUpMs: number
  readonly record: (attempt: Attempt) => void
  /** Ends the sending: messages under way are seen through, no others are begun. */
  readonly signal?: AbortSignal
  /** Closes the connections at once: the fate of what is under way stays unknown. */
  readonly abandon?: AbortSignal
  readonly patience?: Patience
  readonly watch?: Watcher
}

export interface Sent {
  readonly startedAt: number
  readonly endedAt: number
  /** Connections made, and how often one was lost or not to be had. */
  readonly connections: number
  readonly connectionFailures: number
  /** Messages that nobody ever took or refused: no server could be reached for them. */
  readonly unsent: number
}

const FIRST_PAUSE_MS = 10
const LONGEST_PAUSE_MS = 500

export async function send(sending: Sending): Promise<Sent> {
  const startedAt = performance.now()
  const tally = { connections: 0, connectionFailures: 0, unsent: 0 }
  const take = paced(sending, startedAt)
  await Promise.all(
    Array.from({ length: sending.sessions }, (_, index) => new Session(sending, tally, index).run(take)),
  )
  return { startedAt, endedAt: performance.now(), ...tally }
}

type Tally = { connections: number; connectionFailures: number; unsent: number }

/** Hands out the messages, none before its time. */
function paced(sending: Sending, startedAt: number): () => Promise<Message | undefined> {
  let handedOut = 0
  const isOver = () => sending.signal?.aborted === true
  return async () => {
    if (isOver()) return undefined
    const message = await sending.next()
    if (message === undefined || sending.rate === 0) return message
    const due = startedAt + (handedOut++ * 1000) / sending.rate
    const wait = due - performance.now()
    if (wait > 1) await sleep(wait, undefined, sending.signal && { signal: sending.signal }).catch(() => {})
    return isOver() ? undefined : message
  }
}

class Session {
  readonly #sending: Sending
  readonly #tally: Tally
  #target: number
  #client: SmtpClient | undefined
  /** Messages seen through since the connection was made. */
  #done = 0

  constructor(sending: Sending, tally: Tally, index: number) {
    this.#sending = sending
    this.#tally = tally
    this.#target = index % sending.targets.length
    sending.abandon?.addEventListener('abort', () => this.#client?.close(), { once: true })
  }

  async run(take: () => Promise<Message | undefined>): Promise<void> {
    for (let message = await take(); message !== undefined; message = await take()) {
      this.#sending.watch?.begun(message)
      await this.#settle(message)
      this.#sending.watch?.settled(message)
      if (++this.#done >= this.#mostOfConnection) this.#leave()
    }
    this.#leave()
  }

  get #mostOfConnection(): number {
    const { connections } = this.#sending
    return connections === 'kept' ? Infinity : connections === 'one-shot' ? 1 : connections
  }

  /** Tries one message until something final is known about each of its recipients, or patience ends. */
  async #settle(message: Message): Promise<void> {
    const deadline = performance.now() + this.#sending.giveUpMs
    let left = message
    let heardOf = false
    let before: Verdict['told'] | undefined
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      const client = await this.#connected(deadline)
      if (client === undefined) break
      const startedAt = performance.now()
      const verdict = await client.send(left)
      const endedAt = performance.now()
      const { peer } = client
      this.#sending.watch?.tried({ message: left, peer, verdict, before, startedAt, endedAt })
      this.#record(left, verdict, startedAt, endedAt)
      // A server that took the message and closed has lost nothing: the next one will find out.
      if (!client.usable && verdict.told !== 'accepted') this.#drop()
      before = verdict.told
      heardOf ||= verdict.told !== 'nothing'
      left = { ...left, recipients: this.#stillOpen(left, verdict) }
      if (left.recipients.length === 0) return
      if (performance.now() > deadline || this.#sending.signal?.aborted === true) break
      if (verdict.told !== 'nothing') await sleep(pause)
    }
    if (!heardOf) this.#tally.unsent++
  }

  #stillOpen(message: Message, verdict: Verdict): readonly string[] {
    if (verdict.told === 'nothing') return message.recipients
    const forNow = verdict.refused.filter((refused) => refused.code < 500).map((refused) => refused.recipient)
    return verdict.told === 'unknown' && this.#sending.retryUnknown ? [...verdict.recipients, ...forNow] : forNow
  }

  #record(message: Message, verdict: Verdict, startedAt: number, endedAt: number): void {
    if (verdict.told === 'nothing') return
    const { id, digest } = message
    const known = { id, digest, startedAt, endedAt }
    for (const { recipient, code } of verdict.refused) {
      this.#sending.record({ ...known, recipients: [recipient], told: 'refused', code })
    }
    if (verdict.told === 'refused') return
    const { told, recipients } = verdict
    if (told === 'unknown') return this.#sending.record({ ...known, recipients, told, code: 0 })
    const queueId = verdict.queueId === undefined ? {} : { queueId: verdict.queueId }
    this.#sending.record({ ...known, recipients, told, code: verdict.code, ...queueId })
  }

  async #connected(deadline: number): Promise<SmtpClient | undefined> {
    for (
      let pause = 0;
      this.#client === undefined;
      pause = Math.min(Math.max(pause * 2, FIRST_PAUSE_MS), LONGEST_PAUSE_MS)
    ) {
      if (pause > 0) await sleep(pause)
      if (performance.now() > deadline || this.#sending.signal?.aborted === true) return undefined
      const target = this.#sending.targets[this.#target] as Target
      try {
        this.#client = await SmtpClient.connect(target, this.#sending.patience ?? PATIENT)
        this.#tally.connections++
        this.#done = 0
        this.#sending.watch?.connected()
        if (this.#sending.abandon?.aborted === true) this.#client.close() // it was not yet there when all were closed
      } catch (error) {
        if (!(error instanceof ConnectionLost || error instanceof Unwelcome)) throw error
        this.#sending.watch?.notConnected(`${target.host}:${target.port}`, error)
        this.#drop()
      }
    }
    return this.#client
  }

  #drop(): void {
    this.#tally.connectionFailures++
    this.#client?.close()
    this.#client = undefined
    this.#target = (this.#target + 1) % this.#sending.targets.length
  }

  #leave(): void {
    this.#client?.quit()
    this.#client = undefined
  }
}
