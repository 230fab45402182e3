/**
 * Takes over for one webhook, from the index, the events that it has not got: those beyond its cursor, and those before it that
 * are wanted still. Knows how far it has read this node's index, and what the cursor of the logs is then.
 */
import type { EventCursor } from '@posthouse/queue/event-feed'
import type { EventIndex } from '../index/event-index.ts'
import type { ScannedEvent } from '../index/event-scan.ts'
import type { PendingEvent } from './outbox.ts'
import type { EventName } from './state.ts'

const ROWS_AT_ONCE = 200

export type TakerIndex = Pick<EventIndex, 'generation' | 'lastEvent' | 'scan' | 'lookUp'>

export interface Taken {
  readonly events: readonly PendingEvent[]
  /** There are more to look at. */
  readonly more: boolean
  /** Events that the index had forgotten before they were taken. */
  readonly missed: number
}

export class Taker {
  readonly #index: TakerIndex
  readonly #types: ReadonlySet<string>
  #generation: number
  /** Number in the index of the last event that was looked at. */
  #position = 0
  /** What was taken before this reading of the index began. */
  #before: EventCursor
  readonly #cursor: number[]
  readonly #wanted: Map<string, string>

  /** `types` empty: all. */
  constructor(
    index: TakerIndex,
    types: readonly string[],
    from: { readonly cursor: EventCursor; readonly wanted: readonly EventName[] },
  ) {
    this.#index = index
    this.#types = new Set(types)
    this.#generation = index.generation
    this.#before = [...from.cursor]
    this.#cursor = [...from.cursor]
    this.#wanted = new Map(from.wanted.map(([message, event]) => [event, message]))
  }

  get cursor(): EventCursor {
    return this.#cursor
  }

  /** Before the cursor, and not found in the index yet. */
  get wanted(): readonly EventName[] {
    return Array.from(this.#wanted, ([event, message]) => [message, event] as const)
  }

  /** Events that have not been looked at. */
  get left(): number {
    return Math.max(0, this.#index.lastEvent - this.#position)
  }

  /** Those of the wanted ones that the index has. */
  takeWanted(): readonly PendingEvent[] {
    const events: PendingEvent[] = []
    for (const [event, message] of this.#wanted) {
      const found = this.#index.lookUp(message, event)
      if (found === undefined) continue
      this.#wanted.delete(event)
      events.push(pending(found))
    }
    return events
  }

  take(): Taken {
    if (this.#generation !== this.#index.generation) {
      this.#generation = this.#index.generation
      this.#position = 0
      this.#before = [...this.#cursor]
    }
    const rows = this.#index.scan(this.#position, ROWS_AT_ONCE)
    const more = rows.length === ROWS_AT_ONCE
    const events: PendingEvent[] = []
    let missed = 0
    for (const row of rows) {
      // Numbers have no holes but where the index forgot something. At the beginning that is nothing new.
      if (this.#position > 0) missed += row.number - this.#position - 1
      this.#position = row.number
      if (this.#isNew(row) && (this.#types.size === 0 || this.#types.has(row.type))) events.push(pending(row))
    }
    for (const [at, { partition, sequence }] of rows.entries()) {
      // Of the last entry the rest may follow.
      const done = more && isOfLast(rows, at) ? sequence - 1 : sequence
      this.#cursor[partition] = Math.max(this.#cursor[partition] ?? 0, done)
    }
    for (let partition = 0; partition < this.#cursor.length; partition += 1) this.#cursor[partition] ??= 0
    return { events, more, missed }
  }

  #isNew({ id, partition, sequence }: ScannedEvent): boolean {
    return this.#wanted.delete(id) || sequence > (this.#before[partition] ?? 0)
  }
}

function isOfLast(rows: readonly ScannedEvent[], at: number): boolean {
  const last = rows.at(-1)
  return rows[at]?.partition === last?.partition && rows[at]?.sequence === last?.sequence
}

function pending({ id, message, body }: ScannedEvent): PendingEvent {
  const at = Date.parse((JSON.parse(body) as { readonly time: string }).time)
  return { id, message, at: Number.isNaN(at) ? 0 : at, body }
}
