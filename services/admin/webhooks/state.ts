/**
 * What each webhook has got, in a file of its own beside the index, which may be lost while this may not: the cursor up to
 * which events were taken over, those of them that are not done, and those that were given up. The cursor is one of the logs
 * (EventCursor), so that another index, or another node, can go on from it.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { EventCursor } from '@posthouse/queue/event-feed'
import { openDatabase, transaction } from '../index/database.ts'
import type { Opened } from '../index/database.ts'
import type { PendingEvent } from './outbox.ts'

export interface DeadLetter {
  readonly webhook: string
  readonly event: string
  /** Queue id. */
  readonly message: string
  readonly reason: string
  /** When it was given up, ms since 1970. */
  readonly at: number
  /** The event as JSON. */
  readonly body: string
}

/** Of an event that is not done. */
export type EventName = readonly [message: string, event: string]

export interface Progress {
  readonly cursor: EventCursor
  /** Taken over before the cursor, and not done; those of which only the name is known. */
  readonly wanted: readonly EventName[]
  readonly pending: readonly PendingEvent[]
}

/** More dead letters of one webhook push the oldest ones out. */
export const MOST_DEAD_LETTERS = 10_000

const VERSION = 1
const SCHEMA = `
  CREATE TABLE webhooks (name TEXT PRIMARY KEY, cursor TEXT NOT NULL, wanted TEXT NOT NULL);
  CREATE TABLE pending (
    id INTEGER PRIMARY KEY,
    webhook TEXT NOT NULL,
    event TEXT NOT NULL,
    message TEXT NOT NULL,
    at INTEGER NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (webhook, event)
  );
  CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY,
    webhook TEXT NOT NULL,
    event TEXT NOT NULL,
    message TEXT NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL,
    body TEXT NOT NULL
  );
  CREATE INDEX dead_letters_of ON dead_letters (webhook, id);
  PRAGMA user_version = ${VERSION};
`

export class WebhookState {
  readonly #database: DatabaseSync
  /** What was there was thrown away. */
  readonly lost: Opened['rebuilt']
  readonly #find: StatementSync
  readonly #pending: StatementSync
  readonly #setProgress: StatementSync
  readonly #addPending: StatementSync
  readonly #dropPending: StatementSync
  readonly #clearPending: StatementSync
  readonly #bury: StatementSync
  readonly #countDead: StatementSync
  readonly #trimDead: StatementSync
  readonly #listDead: StatementSync

  /** `file` undefined: in memory. Throws when it cannot be opened or made. */
  constructor(file: string | undefined) {
    const { database, rebuilt } = openDatabase(file, { version: VERSION, text: SCHEMA })
    this.#database = database
    this.lost = rebuilt
    const prepare = (sql: string): StatementSync => database.prepare(sql)
    this.#find = prepare('SELECT cursor, wanted FROM webhooks WHERE name = ?')
    this.#pending = prepare('SELECT event AS id, message, at, body FROM pending WHERE webhook = ? ORDER BY id')
    this.#setProgress = prepare('INSERT OR REPLACE INTO webhooks (name, cursor, wanted) VALUES (?, ?, ?)')
    this.#addPending = prepare(
      'INSERT OR IGNORE INTO pending (webhook, event, message, at, body) VALUES (?, ?, ?, ?, ?)',
    )
    this.#dropPending = prepare('DELETE FROM pending WHERE webhook = ? AND event = ?')
    this.#clearPending = prepare('DELETE FROM pending WHERE webhook = ?')
    this.#bury = prepare(
      'INSERT INTO dead_letters (webhook, event, message, reason, at, body) VALUES (?, ?, ?, ?, ?, ?)',
    )
    this.#countDead = prepare('SELECT count(*) AS n FROM dead_letters WHERE webhook = ?')
    this.#trimDead = prepare(
      `DELETE FROM dead_letters WHERE webhook = ?1 AND id <=
        (SELECT id FROM dead_letters WHERE webhook = ?1 ORDER BY id DESC LIMIT 1 OFFSET ${MOST_DEAD_LETTERS})`,
    )
    this.#listDead = prepare(
      'SELECT webhook, event, message, reason, at, body FROM dead_letters WHERE webhook = ? ORDER BY id DESC LIMIT ?',
    )
  }

  /** Undefined: the webhook is new here. */
  progress(webhook: string): Progress | undefined {
    const row = this.#find.get(webhook)
    if (row === undefined) return undefined
    return {
      cursor: JSON.parse(String(row['cursor'])) as number[],
      wanted: JSON.parse(String(row['wanted'])) as EventName[],
      pending: this.#pending.all(webhook) as unknown as PendingEvent[],
    }
  }

  /** These were taken over, and the cursor is beyond them; or beyond events that the webhook does not get. */
  take(webhook: string, cursor: EventCursor, wanted: Iterable<EventName>, events: readonly PendingEvent[]): void {
    transaction(this.#database, () => {
      this.#setProgress.run(webhook, JSON.stringify(cursor), JSON.stringify([...wanted]))
      for (const { id, message, at, body } of events) this.#addPending.run(webhook, id, message, at, body)
    })
  }

  /** As another node says: nothing that was known here counts. */
  adopt(webhook: string, cursor: EventCursor, wanted: Iterable<EventName>): void {
    transaction(this.#database, () => {
      this.#setProgress.run(webhook, JSON.stringify(cursor), JSON.stringify([...wanted]))
      this.#clearPending.run(webhook)
    })
  }

  delivered(webhook: string, events: readonly PendingEvent[]): void {
    transaction(this.#database, () => {
      for (const { id } of events) this.#dropPending.run(webhook, id)
    })
  }

  bury(webhook: string, events: readonly PendingEvent[], reason: string, at: number): void {
    transaction(this.#database, () => {
      for (const { id, message, body } of events) {
        this.#dropPending.run(webhook, id)
        this.#bury.run(webhook, id, message, reason, at, body)
      }
      this.#trimDead.run(webhook)
    })
  }

  deadLetterCount(webhook: string): number {
    return Number(this.#countDead.get(webhook)?.['n'] ?? 0)
  }

  /** The newest first. */
  deadLetters(webhook: string, limit: number): readonly DeadLetter[] {
    return this.#listDead.all(webhook, limit) as unknown as readonly DeadLetter[]
  }

  close(): void {
    this.#database.close()
  }
}
