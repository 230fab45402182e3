/** Reads events in the order in which they came to this node, for those who follow them. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'

export interface ScannedEvent {
  /** The order in which it came here; of this node's index only. */
  readonly number: number
  readonly id: string
  readonly type: string
  readonly partition: number
  readonly sequence: number
  /** Queue id. */
  readonly message: string
  /** The event as JSON. */
  readonly body: string
}

const COLUMNS = `e.id AS number, e.event AS id, e.type, e.partition, e.sequence, m.queue_id AS message, e.body
  FROM events e JOIN messages m ON m.id = e.message`

export class EventScan {
  readonly #after: StatementSync
  readonly #one: StatementSync

  constructor(database: DatabaseSync) {
    this.#after = database.prepare(`SELECT ${COLUMNS} WHERE e.id > ? ORDER BY e.id LIMIT ?`)
    this.#one = database.prepare(`SELECT ${COLUMNS} WHERE m.queue_id = ? AND e.event = ?`)
  }

  after(number: number, limit: number): readonly ScannedEvent[] {
    return this.#after.all(number, limit) as unknown as readonly ScannedEvent[]
  }

  one(message: string, event: string): ScannedEvent | undefined {
    return this.#one.get(message, event) as unknown as ScannedEvent | undefined
  }
}
