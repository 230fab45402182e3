/**
 * The index of the events of this node: a file that is written, asked and kept small, and made anew when it is damaged. Everything
 * here is synchronous and short; what throws a damaged file's error has already begun a new, empty index.
 */
import type { EventBatch, EventCursor } from '@posthouse/queue/event-feed'
import type { TraceQuestion } from '@posthouse/queue/trace-port'
import { isCorrupt, openDatabase, removeDatabase } from './database.ts'
import type { Opened } from './database.ts'
import { EventScan } from './event-scan.ts'
import type { ScannedEvent } from './event-scan.ts'
import { IndexReader } from './reader.ts'
import type { Found } from './reader.ts'
import { Retention } from './retention.ts'
import { SCHEMA, SCHEMA_VERSION } from './schema.ts'
import { IndexWriter } from './writer.ts'
import type { Written } from './writer.ts'

export interface IndexOptions {
  /** Undefined: in memory. */
  readonly file: string | undefined
  /** How long a message is kept after its last event, ms. */
  readonly keep: number
  /** Bytes. */
  readonly room: number
  /** ms since 1970. */
  readonly wall: () => number
  /** The index was thrown away. */
  readonly onRebuilt: (reason: 'version' | 'corrupt') => void
}

interface Parts {
  readonly opened: Opened
  readonly writer: IndexWriter
  readonly reader: IndexReader
  readonly scan: EventScan
  readonly retention: Retention
}

export class EventIndex {
  readonly #options: IndexOptions
  #parts: Parts
  #generation = 0

  /** Throws when the file cannot be opened or made. */
  constructor(options: IndexOptions) {
    this.#options = options
    try {
      this.#parts = this.#open()
    } catch (error) {
      // Sound at first sight only.
      if (!isCorrupt(error) || options.file === undefined) throw error
      removeDatabase(options.file)
      this.#parts = this.#open()
      options.onRebuilt('corrupt')
    }
    const { rebuilt } = this.#parts.opened
    if (rebuilt !== undefined) options.onRebuilt(rebuilt)
  }

  /** Another number is another index, which has nothing of what the last one had. */
  get generation(): number {
    return this.#generation
  }

  get cursor(): EventCursor {
    return this.#parts.writer.cursor
  }

  /** Number of the last event that was written. */
  get lastEvent(): number {
    return this.#parts.writer.lastEvent
  }

  get messages(): number {
    return this.#parts.writer.messages
  }

  get bytes(): number {
    return this.#guard(({ retention }) => retention.bytes)
  }

  /** In parts, each written when it is asked for. */
  *write(batch: EventBatch): Generator<Written> {
    const generation = this.#generation
    const parts = this.#parts.writer.write(batch, this.#oldest())
    for (;;) {
      if (generation !== this.#generation) throw new Error('the index is another one meanwhile')
      const next = this.#guard(() => parts.next())
      if (next.done === true) return
      yield next.value
    }
  }

  find(question: TraceQuestion): Found {
    return this.#guard(({ reader }) => reader.find(question))
  }

  /** Events in the order in which they came, after the one of that number. */
  scan(after: number, limit: number): readonly ScannedEvent[] {
    return this.#guard(({ scan }) => scan.after(after, limit))
  }

  /** One event of a message, with its JSON. */
  lookUp(message: string, event: string): ScannedEvent | undefined {
    return this.#guard(({ scan }) => scan.one(message, event))
  }

  /** Forgets some of what is too old or too much. */
  forget(): { readonly removed: number; readonly more: boolean } {
    return this.#guard(({ retention, writer }) => {
      const step = retention.step(this.#oldest())
      writer.removed(step.removed)
      return step
    })
  }

  close(): void {
    this.#parts.opened.database.close()
  }

  #oldest(): number {
    return this.#options.wall() - this.#options.keep
  }

  #open(): Parts {
    const { file, room } = this.#options
    const opened = openDatabase(file, { version: SCHEMA_VERSION, text: SCHEMA })
    const { database } = opened
    try {
      return {
        opened,
        writer: new IndexWriter(database),
        reader: new IndexReader(database),
        scan: new EventScan(database),
        retention: new Retention(database, room),
      }
    } catch (error) {
      database.close()
      throw error
    }
  }

  #guard<T>(run: (parts: Parts) => T): T {
    try {
      return run(this.#parts)
    } catch (error) {
      if (isCorrupt(error)) this.#rebuild()
      throw error
    }
  }

  #rebuild(): void {
    this.close()
    if (this.#options.file !== undefined) removeDatabase(this.#options.file)
    this.#generation += 1
    this.#parts = this.#open()
    this.#options.onRebuilt('corrupt')
  }
}
