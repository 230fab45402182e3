// Prints the events of a feed that are wanted, each once, and keeps account of how far it has come.
import type { EventType, MailEvent } from '@posthouse/core/event'
import { cursorsWithin, encodeCursor } from '@posthouse/queue/event-cursor'
import type { EventBatch, EventCursor } from '@posthouse/queue/event-feed'
import { eventLine } from './event-text.ts'
import type { LineOutput } from './line-output.ts'
import { RecentIds } from './recent-ids.ts'

/** Of acceptances, which the log may tell twice: mostly within seconds, so that even a large queue is told right. */
const MOST_IDS = 100_000

export interface Wanted {
  /** Empty: all. */
  readonly types: readonly EventType[]
  readonly message: string | undefined
  readonly json: boolean
}

export class EventPrinter {
  readonly #wanted: Wanted
  readonly #output: LineOutput
  readonly #note: (line: string) => void
  readonly #seen = new RecentIds(MOST_IDS)
  #cursor: EventCursor

  constructor(from: EventCursor, wanted: Wanted, output: LineOutput, note: (line: string) => void) {
    this.#cursor = from
    this.#wanted = wanted
    this.#output = output
    this.#note = note
  }

  /** Where to go on after what was printed. */
  get cursor(): EventCursor {
    return this.#cursor
  }

  /** Resolves when there is room for the next; leaves off in the middle when the output has ended. */
  async print(batch: EventBatch): Promise<void> {
    if (batch.gap !== undefined) this.#note(gapText(batch.gap))
    const cursors = cursorsWithin(batch, this.#cursor)
    for (const [i, event] of batch.events.entries()) {
      if (this.#output.ended.aborted) return
      const cursor = cursors[i] ?? this.#cursor
      if (this.#wants(event)) {
        const text = this.#wanted.json ? JSON.stringify({ ...event, cursor: encodeCursor(cursor) }) : eventLine(event)
        const room = this.#output.line(text)
        if (room !== undefined) await room
      }
      this.#cursor = cursor
    }
    this.#cursor = batch.cursor
  }

  #wants({ type, message, id }: MailEvent): boolean {
    const { types, message: wanted } = this.#wanted
    if (types.length > 0 && !types.includes(type)) return false
    if (wanted !== undefined && message !== wanted) return false
    return type !== 'accepted' || this.#seen.add(id)
  }
}

function gapText({ partition, after, first }: NonNullable<EventBatch['gap']>): string {
  return `partition ${partition}: entries ${after + 1} to ${first - 1} are no longer kept; their events are missing here`
}
