/**
 * A batch on its way: its tries, and when the next one is due. Tries follow each other faster when the servers speak
 * (a refusal costs nothing) than when they are silent (the bytes of every try wait somewhere).
 */
import type { PublishAnswer } from './answer.ts'
import { Fate, type BatchFate } from './fate.ts'
import type { Waiting } from './waiting-room.ts'

export interface Batch<T> {
  /** Its Nats-Msg-Id. */
  readonly id: string
  readonly partition: number
  readonly items: readonly T[]
}

/** The driver says `unanswered` after this; an answer to a later try tells as much. */
export const TRY_TIMEOUT_MS = 3000
/** Tries without an answer at the same time. */
const MAX_TRIES_OUT = 4
/** Long enough for the store to notice that a connection is silent, so that the first repeat takes the other one. */
const FIRST_SILENCE_MS = 600
const LAST_SILENCE_MS = 1500

export class PendingBatch<T> {
  readonly batch: Batch<T>
  readonly waiting: readonly Waiting<T>[]
  readonly bytes: number
  readonly firstAt: number
  /** From here on its partition is suspect. */
  suspectAt: number
  /** When the next try is due, unless an answer comes before. */
  retryAt: number
  readonly #fate = new Fate()

  constructor(batch: Batch<T>, waiting: readonly Waiting<T>[], bytes: number, now: number, suspectAfterMs: number) {
    this.batch = batch
    this.waiting = waiting
    this.bytes = bytes
    this.firstAt = now
    this.suspectAt = now + suspectAfterMs
    this.retryAt = now
  }

  /** Begins a try and returns its number; undefined while too many are out: asked again later. */
  begin(now: number, random: () => number): number | undefined {
    if (this.#fate.out >= MAX_TRIES_OUT) {
      this.postpone(now)
      return undefined
    }
    const number = this.#fate.begin()
    this.retryAt = now + Math.min(FIRST_SILENCE_MS * Math.max(number, 1), LAST_SILENCE_MS) * (1 + 0.2 * random())
    return number
  }

  postpone(now: number): void {
    this.retryAt = now + FIRST_SILENCE_MS
  }

  answer(number: number, answer: PublishAnswer, now: number, random: () => number): BatchFate {
    this.#fate.answer(number, answer)
    const fate = this.#fate.now
    if (fate.is !== 'open') return fate
    this.suspectAt = Math.min(this.suspectAt, now)
    if (number === this.#fate.tries - 1) {
      // The answer may be lost with its connection only: the first repeat is quick.
      const quick = answer.is === 'unanswered' && number === 0
      this.retryAt = now + (quick ? 20 + 30 * random() : 200 + 300 * random())
    }
    return fate
  }
}
