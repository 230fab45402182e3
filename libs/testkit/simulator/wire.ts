/**
 * The way between a node and the servers. A call may be lost, be late, or be lost on the way back after it was done; the
 * caller is told `silence` when its time is over, and what it asked for may still happen later.
 */
import type { Process } from './process.ts'
import type { Random } from './random.ts'
import type { Timeline } from './timeline.ts'

/** What one call in a thousand or so suffers while the weather is bad. */
export interface Weather {
  /** Lost either way. */
  loss: number
  /** Arrives seconds later. */
  late: number
  /** Takes a good part of a second. */
  slow: number
}

/** A node's connection. */
export class Link {
  requestsCut = false
  answersCut = false
  /** From here on the client knows that it is not connected. */
  noticedAt = Infinity

  cut(requests: boolean, answers: boolean, noticedAt: number): void {
    this.requestsCut = requests
    this.answersCut = answers
    this.noticedAt = noticedAt
  }
  mend(): void {
    this.cut(false, false, Infinity)
  }
  get isCut(): boolean {
    return this.requestsCut || this.answersCut
  }
}

export interface Caller {
  readonly process: Process
  readonly link: Link
}

/** Of a call that nobody waits for any longer. */
const IGNORE = () => undefined

export class Wire {
  readonly weather: Weather = { loss: 0, late: 0, slow: 0 }
  /** When something arrived last that was long on its way. */
  troubledAt = 0
  readonly #latestMs: number
  readonly #timeline: Timeline
  readonly #random: Random

  /** `latestMs`: what is sent arrives within this, or never. */
  constructor(timeline: Timeline, random: Random, latestMs: number) {
    this.#latestMs = latestMs
    this.#timeline = timeline
    this.#random = random
  }

  /**
   * `serve` does what is asked for, where and when the call arrives, and gives the answer (undefined: no answer). Returns at
   * once; `done` is called exactly once, unless the caller dies. `unsent` is the answer of a client that is not connected.
   */
  call<T>(
    { process, link }: Caller,
    timeoutMs: number,
    unsent: T,
    silence: T,
    serve: (reply: (answer: T | undefined) => void) => void,
    done: (answer: T) => void,
  ): void {
    const timeline = this.#timeline
    const random = this.#random
    const { incarnation } = process
    const deadline = timeline.now + timeoutMs
    const hang = () => timeline.at(deadline, () => process.run(incarnation, () => done(silence)))
    if (link.noticedAt <= timeline.now) {
      timeline.after(1, () => process.run(incarnation, () => done(unsent)))
      return
    }
    if (link.requestsCut || random.chance(this.weather.loss)) {
      hang()
      // What lies in the socket may go out when the way is free again.
      if (random.chance(0.3)) timeline.after(random.spread(1_000, this.#latestMs), () => this.#serveLate(serve))
      return
    }
    const reply = (answer: T | undefined) => {
      if (answer === undefined || link.answersCut || random.chance(this.weather.loss)) {
        hang()
        return
      }
      const at = timeline.now + this.#delay()
      if (at > deadline) hang()
      else timeline.at(at, () => process.run(incarnation, () => done(answer)))
    }
    const arrives = timeline.now + this.#delay()
    if (arrives > deadline) {
      hang()
      timeline.at(arrives, () => this.#serveLate(serve))
    } else timeline.at(arrives, () => serve(reply))
  }

  /** A message without an answer, to somebody who listens now. */
  tell({ process, link }: Caller, handle: () => void): void {
    if (!process.up || link.isCut || this.#random.chance(this.weather.loss)) return
    const { incarnation } = process
    this.#timeline.after(this.#delay(), () => process.run(incarnation, handle))
  }

  #serveLate(serve: (reply: () => void) => void): void {
    this.troubledAt = this.#timeline.now
    serve(IGNORE)
  }

  #delay(): number {
    const { weather } = this
    const random = this.#random
    if (random.chance(weather.late)) return random.spread(500, this.#latestMs)
    if (random.chance(weather.slow)) return random.spread(5, 900)
    return random.between(0.1, 0.6)
  }
}
