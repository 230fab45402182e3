/** What happened, step by step. Only kept when a seed is told: callers build no text otherwise (`story?.tell`). */
import type { Timeline } from './timeline.ts'

export class Story {
  readonly lines: string[] = []
  readonly #timeline: Timeline

  constructor(timeline: Timeline) {
    this.#timeline = timeline
  }

  tell(who: string, what: string): void {
    this.lines.push(`${(this.#timeline.now / 1000).toFixed(4).padStart(10)} ${who.padEnd(6)} ${what}`)
  }
}
