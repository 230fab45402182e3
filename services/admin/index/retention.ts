/**
 * Forgets messages whose last event is older than the index keeps, and the oldest ones when the room is used up, a few at a
 * time: a step takes some milliseconds.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { MailEvent } from '@posthouse/core/event'
import { pragma, transaction } from './database.ts'
import { keysOf } from './lookup-key.ts'
import { firstNumberAt, timeInRange } from './schema.ts'

const MESSAGES_AT_ONCE = 100

export class Retention {
  readonly #database: DatabaseSync
  readonly #room: number
  readonly #next: StatementSync
  readonly #bodies: StatementSync
  readonly #dropLookup: StatementSync
  readonly #dropEvents: StatementSync
  readonly #dropMessage: StatementSync
  readonly #setTotals: StatementSync
  /** Messages up to this one have been looked at in this round. */
  #position = 0

  /** `room`: bytes. */
  constructor(database: DatabaseSync, room: number) {
    this.#database = database
    this.#room = room
    this.#next = database.prepare('SELECT id, last_at FROM messages WHERE id > ? AND id < ? ORDER BY id LIMIT ?')
    this.#bodies = database.prepare('SELECT body FROM events WHERE message = ?')
    this.#dropLookup = database.prepare('DELETE FROM lookups WHERE key = ? AND message = ?')
    this.#dropEvents = database.prepare('DELETE FROM events WHERE message = ?')
    this.#dropMessage = database.prepare('DELETE FROM messages WHERE id = ?')
    this.#setTotals = database.prepare('UPDATE totals SET messages = messages - ?')
  }

  /** Bytes in use; the file may be larger, its free pages are used again. */
  get bytes(): number {
    const database = this.#database
    return (pragma(database, 'page_count') - pragma(database, 'freelist_count')) * pragma(database, 'page_size')
  }

  /** Says how many messages went, and whether to come again soon. `oldest`: time, ms. */
  step(oldest: number): { readonly removed: number; readonly more: boolean } {
    if (this.bytes > this.#room) {
      const rows = this.#next.all(0, Number.MAX_SAFE_INTEGER, MESSAGES_AT_ONCE)
      this.#remove(rows.map((row) => Number(row['id'])))
      return { removed: rows.length, more: rows.length > 0 }
    }
    // A message in the queue for long has newer events than its number says; such are few, and passed over.
    const rows = this.#next.all(this.#position, firstNumberAt(timeInRange(oldest)), MESSAGES_AT_ONCE)
    const old = rows.filter((row) => Number(row['last_at']) < oldest).map((row) => Number(row['id']))
    this.#remove(old)
    const more = rows.length === MESSAGES_AT_ONCE
    this.#position = more ? Number(rows.at(-1)?.['id']) : 0
    return { removed: old.length, more }
  }

  #remove(numbers: readonly number[]): void {
    if (numbers.length === 0) return
    transaction(this.#database, () => {
      for (const number of numbers) {
        const keys = new Set<string>()
        for (const row of this.#bodies.iterate(number))
          for (const key of keysOf(JSON.parse(String(row['body'])) as MailEvent)) keys.add(key)
        for (const key of keys) this.#dropLookup.run(key, number)
        this.#dropEvents.run(number)
        this.#dropMessage.run(number)
      }
      this.#setTotals.run(numbers.length)
    })
  }
}
