// Takes down all that happens to a remote load, in the phase in which it happens: what the clients try and are told, what the
// sink takes and sends away. Keeps the ledger of it all.

import type { Arrival, Attempt } from '../history.ts'
import type { Message } from '../message.ts'
import type { Try, Watcher } from '../sender.ts'
import type { ConnectionLost, Unwelcome } from '../smtp-client.ts'
import { round } from '../statistics.ts'
import { Book, newRun } from './book.ts'
import { Deferrals } from './deferrals.ts'
import { GapWatch } from './gap-watch.ts'
import { Phase, type Standing } from './phase.ts'
import type { Open, PhaseSummary } from './phase-summary.ts'

const FIRST_PHASE = 'start'

export class Chronicle implements Watcher {
  readonly startedAt = performance.now()
  readonly book = new Book(newRun())
  readonly #deferrals: Deferrals
  readonly #gaps: GapWatch
  readonly #phases: [Phase, ...Phase[]] = [new Phase(FIRST_PHASE, this.startedAt)]
  /** Messages that a client has in hand: since when, and whether it has got a 250. */
  readonly #inHand = new Map<string, { readonly since: number; accepted: boolean }>()
  readonly #waiting: (() => void)[] = []
  #abandoning = false

  /** `offering`: whether there will be load from the beginning. */
  constructor(deferEvery: number, offering: boolean) {
    this.#deferrals = new Deferrals(deferEvery)
    this.#gaps = new GapWatch(offering)
  }

  // Phases.

  /** Ends the one that is on. */
  beginPhase(name: string): void {
    const now = performance.now()
    this.#now.end(this.#standing(now))
    this.#gaps.beginPhase()
    this.#phases.push(new Phase(name, now))
  }

  get phaseName(): string {
    return this.#now.name
  }

  get summaries(): readonly PhaseSummary[] {
    const standing = this.#standing(performance.now())
    return this.#phases.map((phase) => phase.summary(standing, (recipient) => this.book.surplusOf(recipient)))
  }

  /** Of the phase that is on, or with `back` of the one so many before it; undefined if there was none. */
  summary(back = 0): PhaseSummary | undefined {
    const standing = this.#standing(performance.now())
    return this.#phases.at(-1 - back)?.summary(standing, (recipient) => this.book.surplusOf(recipient))
  }

  // The clients.

  /** The clients get messages from now on, or get none. */
  offer(offering: boolean): void {
    this.#gaps.offer(performance.now(), offering)
  }

  /** From now on connections are closed by ourselves. */
  abandon(): void {
    this.#abandoning = true
  }

  /** Messages that clients have in hand. */
  get inHand(): number {
    return this.#inHand.size
  }

  begun(message: Message): void {
    const now = performance.now()
    this.book.sends(message)
    this.#inHand.set(message.id, { since: now, accepted: false })
    this.#gaps.begun(now)
    this.#now.begun()
  }

  connected(): void {
    this.#now.connected()
  }

  notConnected(edge: string, why: ConnectionLost | Unwelcome): void {
    if (!this.#abandoning) this.#now.notConnected(edge, why, performance.now())
  }

  tried(one: Try): void {
    const { message, verdict, endedAt } = one
    if (this.#abandoning && (verdict.told === 'unknown' || verdict.told === 'nothing')) {
      return this.#now.abandoned(verdict.told)
    }
    const inHand = this.#inHand.get(message.id)
    const isFirst = verdict.told === 'accepted' && inHand?.accepted === false
    this.#now.tried(one, isFirst ? endedAt - inHand.since : undefined)
    if (verdict.told !== 'accepted') return
    this.#gaps.accepted(endedAt)
    if (inHand !== undefined) inHand.accepted = true
  }

  told(attempt: Attempt): void {
    for (const recipient of this.book.told(attempt)) this.#now.delivered(0, this.#deferrals.wasDeferred(recipient))
  }

  settled({ id }: Message): void {
    const accepted = this.#inHand.get(id)?.accepted === true
    this.#inHand.delete(id)
    this.#gaps.settled(performance.now(), accepted)
    this.#now.settled(accepted)
  }

  // The sink.

  arrived(arrival: Arrival): void {
    const { recipient, kind, from = '' } = arrival
    const entry = this.book.arrived(arrival)
    this.#now.arrived(recipient, entry, {
      isBounce: kind === 'bounce',
      deferred: this.#deferrals.wasDeferred(recipient),
      from,
    })
    if (this.book.open === 0) for (const resolve of this.#waiting.splice(0)) resolve()
  }

  defers(address: string): boolean {
    const defers = this.book.knows(address) && this.#deferrals.defers(address)
    if (defers) this.#now.deferred()
    return defers
  }

  /** What was accepted and has not arrived; mail that the sink itself has sent away is told apart. */
  open(now: number): Open {
    const { count, oldestMs } = this.book.openOnes(now, (recipient) => !this.#deferrals.wasDeferred(recipient))
    return { recipients: this.book.open, deferred: this.book.open - count, oldestMs: round(oldestMs) }
  }

  /** Resolves when all that was accepted has arrived, with true; with false when the signal says that it is enough. */
  async allArrived(enough: AbortSignal): Promise<boolean> {
    while (this.book.open > 0 && !enough.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const end = () => resolve()
      this.#waiting.push(end)
      enough.addEventListener('abort', end, { once: true })
      await promise
      enough.removeEventListener('abort', end)
    }
    return this.book.open === 0
  }

  get #now(): Phase {
    return this.#phases.at(-1) ?? this.#phases[0]
  }

  #standing(at: number): Standing {
    return { at, gaps: this.#gaps.report(at), open: this.open(at) }
  }
}
