/**
 * What time does to a session. It is told once a second; only the client's own time counts: while the node works, or waits
 * for the queue, nothing runs.
 */

export interface SessionTimes {
  /** ms without a command. */
  readonly command: number
  /** ms from the first to the last. */
  readonly session: number
}

export type TimeUp = 'sessionTooLong' | 'idle' | 'tooSlow'

export class SessionClock {
  #startedAt: number | undefined
  #lastCommandAt = 0
  #heard = true

  /** A command came, or a reply went out. */
  heard(): void {
    this.#heard = true
  }

  /** `tooSlow`: of the content that is coming; undefined if none is. */
  tick(now: number, times: SessionTimes, busy: boolean, tooSlow: boolean | undefined): TimeUp | undefined {
    this.#startedAt ??= now
    if (this.#heard || busy) this.#lastCommandAt = now
    this.#heard = false
    if (busy) return undefined
    if (now - this.#startedAt > times.session) return 'sessionTooLong'
    if (tooSlow === undefined) return now - this.#lastCommandAt > times.command ? 'idle' : undefined
    return tooSlow ? 'tooSlow' : undefined
  }
}
