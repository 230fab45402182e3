/**
 * Writes events to the index: each once, however often it comes, together with the cursor after them. A batch is one
 * transaction unless it is long; then its entries are divided, and the cursor goes with the last part. A process that dies in
 * between finds its cursor of before, reads the rest again, and skips what it has.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { EventType, MailEvent } from '@posthouse/core/event'
import type { EventBatch, EventCursor } from '@posthouse/queue/event-feed'
import { transaction } from './database.ts'
import { keysOf } from './lookup-key.ts'
import { firstNumberAt, timeInRange } from './schema.ts'

/** So many events are written without a pause, those of an entry never divided. */
const EVENTS_AT_ONCE = 500

export interface Written {
  readonly types: readonly EventType[]
  /** Had been there. */
  readonly repeated: number
  /** Were older than the index keeps. */
  readonly old: number
}

export class IndexWriter {
  readonly #database: DatabaseSync
  readonly #findMessage: StatementSync
  readonly #lastNumber: StatementSync
  readonly #addMessage: StatementSync
  readonly #touchMessage: StatementSync
  readonly #addEvent: StatementSync
  readonly #addLookup: StatementSync
  readonly #setCursor: StatementSync
  readonly #setTotals: StatementSync
  #messages: number
  #lastEvent: number
  /** Committed. */
  #cursor: number[]

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#findMessage = database.prepare('SELECT id, last_at FROM messages WHERE queue_id = ?')
    this.#lastNumber = database.prepare('SELECT max(id) AS last FROM messages WHERE id >= ? AND id < ?')
    this.#addMessage = database.prepare('INSERT INTO messages (id, queue_id, last_at) VALUES (?, ?, ?)')
    this.#touchMessage = database.prepare('UPDATE messages SET last_at = ? WHERE id = ?')
    this.#addEvent = database.prepare(
      'INSERT OR IGNORE INTO events (id, message, event, type, partition, sequence, body) VALUES (?, ?, ?, ?, ?, ?, ?)',
    )
    this.#addLookup = database.prepare('INSERT OR IGNORE INTO lookups (key, message) VALUES (?, ?)')
    this.#setCursor = database.prepare('INSERT OR REPLACE INTO cursor (partition, sequence) VALUES (?, ?)')
    this.#setTotals = database.prepare('UPDATE totals SET messages = messages + ?, last_event = ?')
    const totals = database.prepare('SELECT messages, last_event FROM totals').get()
    this.#messages = Number(totals?.['messages'] ?? 0)
    this.#lastEvent = Number(totals?.['last_event'] ?? 0)
    this.#cursor = readCursor(database)
  }

  get cursor(): EventCursor {
    return this.#cursor
  }

  /** Number of the last event written. */
  get lastEvent(): number {
    return this.#lastEvent
  }

  get messages(): number {
    return this.#messages
  }

  /** Told by the retention. */
  removed(messages: number): void {
    this.#messages -= messages
  }

  /** In parts, each written when it is asked for. `oldest`: time, ms, below which events are not kept. */
  *write({ events, cursor }: EventBatch, oldest: number): Generator<Written> {
    let from = 0
    do {
      const to = partEnd(events, from)
      const last = to === events.length
      yield this.#writePart(events.slice(from, to), last ? cursor : undefined, oldest)
      from = to
    } while (from < events.length)
  }

  #writePart(events: readonly MailEvent[], cursor: EventCursor | undefined, oldest: number): Written {
    const types: EventType[] = []
    let [repeated, old, added] = [0, 0, 0]
    let lastEvent = this.#lastEvent
    transaction(this.#database, () => {
      for (const event of events) {
        const at = timeOf(event) ?? oldest
        if (at < oldest) {
          old += 1
          continue
        }
        const found = this.#findMessage.get(event.message)
        if (found === undefined) added += 1
        const message = found === undefined ? this.#newMessage(event, at) : Number(found['id'])
        const { id, type, partition, sequence } = event
        const body = JSON.stringify(event)
        const { changes } = this.#addEvent.run(lastEvent + 1, message, id, type, partition, sequence, body)
        if (changes === 0) {
          repeated += 1
          continue
        }
        lastEvent += 1
        types.push(type)
        for (const key of keysOf(event)) this.#addLookup.run(key, message)
        if (found !== undefined && at > Number(found['last_at'])) this.#touchMessage.run(at, message)
      }
      this.#setTotals.run(added, lastEvent)
      if (cursor !== undefined)
        for (const [partition, sequence] of cursor.entries())
          if (this.#cursor[partition] !== sequence) this.#setCursor.run(partition, sequence)
    })
    this.#lastEvent = lastEvent
    this.#messages += added
    if (cursor !== undefined) this.#cursor = [...cursor]
    return { types, repeated, old }
  }

  /** Of that millisecond, or of the next one that is not full. */
  #freeNumber(at: number): number {
    for (let ms = timeInRange(at); ; ms += 1) {
      const first = firstNumberAt(ms)
      const end = firstNumberAt(ms + 1)
      const last = this.#lastNumber.get(first, end)?.['last']
      const next = typeof last === 'number' ? last + 1 : first
      if (next < end) return next
    }
  }

  #newMessage({ message, acceptance }: MailEvent, at: number): number {
    const accepted = acceptance === undefined ? at : Date.parse(acceptance.acceptedAt)
    const id = this.#freeNumber(Number.isNaN(accepted) ? at : Math.min(accepted, at))
    this.#addMessage.run(id, message, at)
    return id
  }
}

function readCursor(database: DatabaseSync): number[] {
  const cursor: number[] = []
  for (const row of database.prepare('SELECT partition, sequence FROM cursor').iterate())
    cursor[Number(row['partition'])] = Number(row['sequence'])
  return Array.from(cursor, (sequence) => sequence ?? 0)
}

/** The end of the last entry that begins within the bound. */
function partEnd(events: readonly MailEvent[], from: number): number {
  let to = Math.min(from + EVENTS_AT_ONCE, events.length)
  while (to < events.length && sameEntry(events[to]!, events[to - 1]!)) to += 1
  return to
}

function sameEntry(one: MailEvent, other: MailEvent): boolean {
  return one.sequence === other.sequence && one.partition === other.partition
}

/** ms since 1970; undefined for what is no time: such an event is kept as if it were old. */
function timeOf({ time }: MailEvent): number | undefined {
  const at = Date.parse(time)
  return Number.isNaN(at) ? undefined : at
}
