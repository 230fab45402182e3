/** Finds stories in the index. What it answers is bounded: a few thousand rows, and bytes below what one message of NATS holds. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { MailEvent } from '@posthouse/core/event'
import { isQueueId } from '@posthouse/core/queue-id'
import type { Story, TraceQuestion } from '@posthouse/queue/trace-port'
import { lookupKey } from './lookup-key.ts'

const MOST_MESSAGES = 100
const MOST_EVENTS = 500
/** Characters of events in one answer; the answer has to stay below 1 MiB, where a character may take three bytes. */
const ROOM = 900 * 1024

export interface Found {
  readonly stories: readonly Story[]
  readonly more: boolean
}

export class IndexReader {
  readonly #byQueueId: StatementSync
  readonly #byKey: StatementSync
  readonly #messageById: StatementSync
  readonly #first: StatementSync
  readonly #count: StatementSync
  readonly #newest: StatementSync

  constructor(database: DatabaseSync) {
    this.#byQueueId = database.prepare('SELECT id FROM messages WHERE queue_id = ?')
    this.#byKey = database.prepare('SELECT message AS id FROM lookups WHERE key = ? ORDER BY message DESC LIMIT ?')
    this.#messageById = database.prepare('SELECT queue_id FROM messages WHERE id = ?')
    this.#count = database.prepare('SELECT count(*) AS n FROM events WHERE message = ?')
    this.#first = database.prepare(`SELECT id, body FROM events WHERE message = ? AND type = 'accepted' LIMIT 1`)
    this.#newest = database.prepare(
      'SELECT id, body FROM events WHERE message = ? ORDER BY sequence DESC, id DESC LIMIT ?',
    )
  }

  find({ query, limit }: TraceQuestion): Found {
    const most = Math.min(Math.max(Math.trunc(limit) || 1, 1), MOST_MESSAGES)
    const numbers = this.#numbers(query.trim(), most + 1)
    const stories: Story[] = []
    let room = ROOM
    for (const number of numbers.slice(0, most)) {
      const { story, size } = this.#story(number, room)
      if (size > room && stories.length > 0) return { stories, more: true }
      room -= size
      stories.push(story)
    }
    return { stories, more: numbers.length > most }
  }

  #numbers(query: string, limit: number): number[] {
    const queueId = query.toUpperCase()
    if (isQueueId(queueId)) {
      const found = this.#byQueueId.get(queueId)
      if (found !== undefined) return [Number(found['id'])]
    }
    return query === '' ? [] : this.#byKey.all(lookupKey(query), limit).map((row) => Number(row['id']))
  }

  /** The acceptance, and then as many of the newest events as there is room for. */
  #story(number: number, room: number): { readonly story: Story; readonly size: number } {
    const message = String(this.#messageById.get(number)?.['queue_id'])
    const first = this.#first.get(number)
    const bodies: string[] = []
    let size = 0
    const firstBody = first === undefined ? undefined : String(first['body'])
    if (firstBody !== undefined) size += bytes(firstBody)
    for (const row of this.#newest.iterate(number, MOST_EVENTS)) {
      if (row['id'] === first?.['id']) continue
      const body = String(row['body'])
      if (bodies.length > 0 && size + bytes(body) > room) break
      size += bytes(body)
      bodies.push(body)
    }
    if (firstBody !== undefined) bodies.push(firstBody)
    const events = bodies.reverse().map((body) => JSON.parse(body) as MailEvent)
    const left = Number(this.#count.get(number)?.['n'] ?? 0) - events.length
    return { story: { message, events, ...(left > 0 && { left }) }, size }
  }
}

function bytes(text: string): number {
  return Buffer.byteLength(text)
}
