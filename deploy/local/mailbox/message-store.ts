// Keeps the messages that arrived, the latest of them, one file each: a line of JSON with the envelope, then the content, byte
// for byte. A file is complete or not there, so nothing that was answered with 250 is lost when the process is killed.

import { createReadStream, createWriteStream, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Transform, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { summarise, type HeaderSummary } from './header-summary.ts'

export interface Envelope {
  readonly from: string
  readonly to: readonly string[]
  /** ISO 8601, when it was complete. */
  readonly time: string
  /** Name the client gave in EHLO. */
  readonly client: string
}

export interface StoredMessage extends Envelope, HeaderSummary {
  readonly id: number
  /** Octets of the content. */
  readonly size: number
}

const SUFFIX = '.mail'
/** Enough for the header fields that a list shows. */
const HEAD_BYTES = 64 * 1024

export class MessageStore {
  readonly #dir: string
  readonly #keep: number
  readonly #messages = new Map<number, StoredMessage>()
  /** Where the content begins in the file. */
  readonly #offsets = new Map<number, number>()
  #next = 1

  private constructor(dir: string, keep: number) {
    this.#dir = dir
    this.#keep = keep
  }

  static async open(dir: string, keep = 1000): Promise<MessageStore> {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    const store = new MessageStore(dir, keep)
    const ids: number[] = []
    for (const name of readdirSync(dir)) {
      if (name.endsWith(SUFFIX)) ids.push(Number(name.slice(0, -SUFFIX.length)))
      else if (name.endsWith('.part')) rmSync(join(dir, name), { force: true })
    }
    for (const id of ids.toSorted((a, b) => a - b)) await store.#load(id)
    store.#next = Math.max(0, ...ids) + 1
    await store.#forgetOld()
    return store
  }

  /** Newest first. */
  list(): StoredMessage[] {
    return [...this.#messages.values()].toReversed()
  }

  get(id: number): StoredMessage | undefined {
    return this.#messages.get(id)
  }

  /** The content as it arrived. */
  content(id: number): Readable | undefined {
    const start = this.#offsets.get(id)
    return start === undefined ? undefined : createReadStream(this.#file(id), { start })
  }

  /** Resolves when the whole message is in its file; what the stream fails with is passed on, and nothing is kept. */
  async add(envelope: Envelope, content: Readable): Promise<StoredMessage> {
    const id = this.#next++
    const part = `${this.#file(id)}.part`
    const line = Buffer.from(`${JSON.stringify(envelope)}\n`)
    const seen = new HeadCopy()
    try {
      const file = createWriteStream(part, { mode: 0o600 })
      file.write(line)
      await pipeline(content, seen, file)
      await rename(part, this.#file(id))
    } catch (error) {
      await rm(part, { force: true })
      throw error
    }
    const message = { id, ...envelope, size: seen.size, ...summarise(seen.head()) }
    this.#messages.set(id, message)
    this.#offsets.set(id, line.length)
    await this.#forgetOld()
    return message
  }

  async clear(): Promise<void> {
    for (const id of this.#messages.keys()) await this.#remove(id)
  }

  async #forgetOld(): Promise<void> {
    for (const id of this.#messages.keys()) {
      if (this.#messages.size <= this.#keep) return
      await this.#remove(id)
    }
  }

  async #remove(id: number): Promise<void> {
    this.#messages.delete(id)
    this.#offsets.delete(id)
    await rm(this.#file(id), { force: true })
  }

  async #load(id: number): Promise<void> {
    const path = this.#file(id)
    await using file = await open(path)
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(2 * HEAD_BYTES), position: 0 })
    const start = buffer.subarray(0, bytesRead)
    const offset = start.indexOf('\n') + 1
    if (offset === 0) return // not ours
    const envelope = JSON.parse(start.toString('utf8', 0, offset)) as Envelope
    const size = statSync(path).size - offset
    this.#messages.set(id, { id, ...envelope, size, ...summarise(start.subarray(offset)) })
    this.#offsets.set(id, offset)
  }

  #file(id: number): string {
    return join(this.#dir, `${String(id).padStart(9, '0')}${SUFFIX}`)
  }
}

/** Passes everything on; remembers how much it was and how it began. */
class HeadCopy extends Transform {
  size = 0
  readonly #chunks: Buffer[] = []

  override _transform(chunk: Buffer, _encoding: string, done: (error: null, chunk: Buffer) => void): void {
    if (this.size < HEAD_BYTES) this.#chunks.push(chunk)
    this.size += chunk.length
    done(null, chunk)
  }

  head(): Buffer {
    return Buffer.concat(this.#chunks).subarray(0, HEAD_BYTES)
  }
}
