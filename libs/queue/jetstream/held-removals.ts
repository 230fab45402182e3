/**
 * Which removals wait, and for how long. A replica syncs its stream only when it makes a snapshot, every 2 to 3 minutes or 8 MiB;
 * what was stored or removed since then it knows from its Raft log. The snapshot says how far the stream reached. If that
 * last message has been removed since, and all replicas lose their power at once, none of them can show how far it reached,
 * each waits for another that can, and the stream stands still for good (nats-server 2.15.1). Hence:
 *  - the newest message of a stream is never removed;
 *  - nor is what is so young, or followed by so few bytes, that the snapshot with a later last message may not be there yet.
 * Pure: time is an argument, ms.
 */

/** Longer than the longest time between two snapshots, 3 minutes. */
export const HOLD_MS = 300_000
/** Four times what makes a server take one early. */
export const HOLD_BYTES = 32 * 1024 * 1024
/** Of a small stream not more than this part is held. */
export const HOLD_PART = 0.2
/** Of what waits in a stream that holds too much, this part goes at a time. */
const CROWDED_PART = 1 / 3

/** The part of a stream that is closed and waits to be purged. */
export class HeldPurge {
  readonly #holdMs: number
  #asked: { readonly before: number; readonly at: number }[] = []

  constructor(holdMs: number) {
    this.#holdMs = holdMs
  }

  ask(before: number, now: number): void {
    if (before > (this.#asked.at(-1)?.before ?? 1)) this.#asked.push({ before, at: now })
  }

  /** It failed. */
  again(before: number): void {
    this.#asked.unshift({ before, at: -Infinity })
  }

  /** Below which sequence to purge now; 0: nothing. `last`: newest sequence of the stream, as far as is known. */
  due(now: number, last: number, crowded: boolean): number {
    const old = this.#asked.findIndex(({ at }) => now - at < this.#holdMs)
    let count = old < 0 ? this.#asked.length : old
    if (crowded) count = Math.max(count, Math.ceil(this.#asked.length * CROWDED_PART))
    const below = this.#asked.splice(0, count).at(-1)?.before ?? 0
    return Math.min(below, last)
  }
}

interface Mark {
  readonly id: string
  readonly at: number
  readonly covers: readonly string[]
}

/**
 * Bodies that nobody needs any more. They lie in the stream in any order, so that a mark is stored behind them; when it is old
 * enough they go, and the mark before it. Something is always newer than what is removed.
 */
export class HeldBodies {
  readonly #holdMs: number
  #waiting: string[] = []
  #marks: Mark[] = []
  #lastMark: string | undefined

  constructor(holdMs: number) {
    this.#holdMs = holdMs
  }

  ask(body: string): void {
    this.#waiting.push(body)
  }

  /** Is it time for a mark behind what waits? Not more than one each fifth of the time. */
  wantsMark(now: number): boolean {
    const { at = -Infinity } = this.#marks.at(-1) ?? {}
    return this.#waiting.length > 0 && now - at >= this.#holdMs / 5
  }

  /** What waits now, for the mark to come; it waits again if that is not stored. */
  takeWaiting(): string[] {
    const waiting = this.#waiting
    this.#waiting = []
    return waiting
  }

  marked(id: string, covers: readonly string[], now: number): void {
    this.#marks.push({ id, at: now, covers })
  }

  /** Bodies to purge now. */
  due(now: number, crowded: boolean): string[] {
    const bodies: string[] = []
    for (;;) {
      const [mark, ...later] = this.#marks
      // However crowded it is: behind the newest mark there may be nothing.
      if (mark === undefined || !(now - mark.at >= this.#holdMs || (crowded && later.length > 0))) return bodies
      this.#marks = later
      bodies.push(...mark.covers, ...(this.#lastMark === undefined ? [] : [this.#lastMark]))
      this.#lastMark = mark.id
    }
  }
}
