// A load on a Posthouse that runs elsewhere, with its sink and its ledger, all in this process: while others break, scale and
// upgrade that Posthouse for half an hour, this says phase by phase what senders saw, and in the end whether anything was lost.
// Nothing is written to disk: what this process knows ends with it.

import { corpusOf } from '../corpus.ts'
import { startCrowd, type Crowd } from '../crowd.ts'
import type { Attempt } from '../history.ts'
import { seededRandom } from '../random.ts'
import { startSink, type Sink } from '../sink.ts'
import type { Patience } from '../smtp-client.ts'
import { round } from '../statistics.ts'
import { Chronicle } from './chronicle.ts'
import { clientsOf, type Ways } from './clients.ts'
import { isoTime } from './incidents.ts'
import { mailOf } from './mail.ts'
import { Pace } from './pace.ts'
import type { Open, PhaseSummary } from './phase-summary.ts'
import { verdictOf, type Drained, type Verdict } from './verdict.ts'

export interface RemoteOptions {
  readonly ways: Ways
  readonly sender: string
  /** Of the recipients, in small letters: its mail must come to the sink. */
  readonly domain: string
  /** Messages per second; 0 = none as yet. */
  readonly rate: number
  readonly sessions: number
  readonly seed: number
  /** Octets of the largest message. */
  readonly largest: number
  /** Every so many recipients are sent away once by the sink; 0 = none. */
  readonly deferEvery: number
  /** Then clients get no more: the memory that it takes is bounded. */
  readonly mostMessages: number
  /** Received fields that the relay puts on top. */
  readonly traceHeaders: number
  readonly sink: { readonly host: string; readonly port: number }
  readonly patience?: Patience
}

export interface Status {
  readonly run: string
  readonly startedAt: string
  readonly state: 'running' | 'stopping' | 'stopped'
  readonly rate: number
  /** Messages composed so far. */
  readonly messages: number
  /** Of these, what clients are seeing to. */
  readonly inHand: number
  readonly open: Open
  readonly drained: Drained | null
  readonly sinkConnections: number
  readonly memoryMiB: { readonly resident: number; readonly heap: number; readonly external: number }
  /** What broke the load itself. */
  readonly trouble?: string
  /** Of the phase that is on. */
  readonly phase: PhaseSummary | undefined
}

/** Only against clients that hang on to one message for ever. */
const GIVE_UP_MS = 15 * 60_000
/** How long what is under way at the end of the load may take. */
export const STOP_MS = 60_000
const MIB = 1024 * 1024

export class RemoteLoad implements AsyncDisposable {
  readonly #chronicle: Chronicle
  readonly #pace: Pace
  readonly #sink: Sink
  readonly #crowd: Crowd
  readonly #counter: { composed: number }
  readonly #closing = new AbortController()
  #state: Status['state'] = 'running'
  #drained: Drained | null = null
  #trouble: string | undefined

  private constructor(chronicle: Chronicle, pace: Pace, sink: Sink, crowd: Crowd, counter: { composed: number }) {
    this.#chronicle = chronicle
    this.#pace = pace
    this.#sink = sink
    this.#crowd = crowd
    this.#counter = counter
    crowd.done.then(
      () => chronicle.offer(false),
      (error: unknown) => (this.#trouble = (error as Error).message),
    )
  }

  /** Rejects when the sink cannot listen. Clients begin at once if there is a rate. */
  static async start(options: RemoteOptions): Promise<RemoteLoad> {
    const chronicle = new Chronicle(options.deferEvery, options.rate > 0)
    const pace = new Pace(options.rate)
    const sink = await startSink({
      ...options.sink,
      traceHeaders: options.traceHeaders,
      nameOf: (address, hello) => hello || address,
      record: (arrival) => chronicle.arrived(arrival),
      defers: (address) => chronicle.defers(address),
    })
    const counter = { composed: 0 }
    const crowd = startCrowd(sendings(options, chronicle, pace, counter))
    return new RemoteLoad(chronicle, pace, sink, crowd, counter)
  }

  get sinkPort(): number {
    return this.#sink.port
  }

  get phaseName(): string {
    return this.#chronicle.phaseName
  }

  status(): Status {
    const { book, startedAt } = this.#chronicle
    return {
      run: book.run,
      startedAt: isoTime(startedAt),
      state: this.#state,
      rate: this.#pace.perSecond,
      messages: this.#counter.composed,
      inHand: this.#chronicle.inHand,
      open: this.#chronicle.open(performance.now()),
      drained: this.#drained,
      sinkConnections: this.#sink.statistics.open,
      memoryMiB: memoryMiB(),
      ...(this.#trouble === undefined ? {} : { trouble: this.#trouble }),
      phase: this.#chronicle.summary(),
    }
  }

  /**
   * Ends the phase that is on and begins the next; answers with the one that ended. If a phase of this name is on nothing begins,
   * and the answer is the same again: who did not get it may ask once more.
   */
  beginPhase(name: string): PhaseSummary | undefined {
    if (name !== this.#chronicle.phaseName) this.#chronicle.beginPhase(name)
    return this.#chronicle.summary(1)
  }

  /** Messages per second, 0 = pause. False when the load has been stopped: then there is no more. */
  setRate(perSecond: number): boolean {
    if (this.#state !== 'running') return false
    this.#chronicle.offer(perSecond > 0)
    this.#pace.perSecond = perSecond
    return true
  }

  /** Begins no more messages and resolves when those under way have ended; after `withinMs` their connections are closed. */
  async stop(withinMs: number): Promise<void> {
    if (this.#state === 'running') {
      this.#state = 'stopping'
      this.#chronicle.offer(false)
      this.#pace.close()
    }
    const tooLong = setTimeout(() => this.#chronicle.abandon(), withinMs)
    await this.#crowd.stop(withinMs).catch(() => {}) // it is told as what broke the load
    clearTimeout(tooLong)
    this.#state = 'stopped'
  }

  /** Stops, and waits until all that was accepted has arrived, or so long; null when it was broken off. */
  async drain(withinMs: number): Promise<Drained | null> {
    await this.stop(STOP_MS)
    const from = performance.now()
    const enough = AbortSignal.any([AbortSignal.timeout(withinMs), this.#closing.signal])
    const complete = await this.#chronicle.allArrived(enough)
    if (!complete && this.#closing.signal.aborted) return null
    const now = performance.now()
    this.#drained = { complete, at: isoTime(now), seconds: round((now - from) / 1000, 1) }
    return this.#drained
  }

  /** `queued`: how many recipients the queue still holds, where the caller knows. */
  verdict(queued = 0): Verdict {
    const { book, startedAt, summaries } = this.#chronicle
    return verdictOf({
      run: book.run,
      startedAt: isoTime(startedAt),
      isRunning: this.#state !== 'stopped',
      ...(this.#trouble === undefined ? {} : { trouble: this.#trouble }),
      legalDuplicates: book.legalDuplicates(),
      recipients: book.ledger(this.#drained === null ? null : queued),
      messages: book.messages(),
      ofOtherRuns: book.ofOtherRuns,
      drained: this.#drained,
      phases: summaries,
    })
  }

  /** Ends everything; a drain that waits is broken off. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await this.stop(0)
    await this.#sink.close()
  }
}

function memoryMiB(): Status['memoryMiB'] {
  const { rss, heapUsed, external } = process.memoryUsage()
  return { resident: round(rss / MIB), heap: round(heapUsed / MIB), external: round(external / MIB) }
}

function sendings(options: RemoteOptions, chronicle: Chronicle, pace: Pace, counter: { composed: number }) {
  const { ways, sessions, seed, sender, domain, largest, mostMessages, patience } = options
  const random = seededRandom(seed)
  const corpus = corpusOf(random)
  return clientsOf(ways, sessions).map((client, index) => {
    const prefix = `${chronicle.book.run}-${index}`
    const compose = mailOf({ prefix, random: seededRandom(random() * 2 ** 32), corpus, sender, domain, largest })
    const next = async () => {
      if (!(await pace.turn()) || counter.composed >= mostMessages) return undefined
      counter.composed++
      return compose()
    }
    return {
      ...client,
      next,
      rate: 0,
      retryUnknown: true,
      giveUpMs: GIVE_UP_MS,
      record: (attempt: Attempt) => chronicle.told(attempt),
      watch: chronicle,
      ...(patience === undefined ? {} : { patience }),
    }
  })
}
