/**
 * One stream in memory with JetStream's semantics: sequences that are never used again, ids remembered for a window (also of messages
 * that are gone), a check of the last sequence of a subject, refusal when full, removal by sequence and by subject.
 */
import type { PublishAnswer } from '@posthouse/core/answer'

export interface MemoryMessage {
  readonly seq: number
  readonly storedAt: number
  readonly id: string
  readonly subject: string
  readonly header: string
  readonly payload: Uint8Array
}

export interface Append {
  readonly id: string
  readonly subject: string
  readonly header?: string
  readonly payload: Uint8Array
  readonly expected?: { readonly subject: string; readonly seq: number }
}

export class MemoryStream {
  readonly #windowMs: number
  readonly #maxBytes: number
  /** In order of their sequences. */
  readonly #messages = new Map<number, MemoryMessage>()
  readonly #ids = new Map<string, { readonly seq: number; readonly at: number }>()
  readonly #lastOf = new Map<string, MemoryMessage>()
  last = 0
  bytes = 0

  constructor(windowMs: number, maxBytes: number) {
    this.#windowMs = windowMs
    this.#maxBytes = maxBytes
  }

  append(message: Append, now: number): PublishAnswer {
    this.#forget(now)
    const known = this.#ids.get(message.id)
    if (known !== undefined) return { is: 'stored', seq: known.seq, duplicate: true }
    const { expected } = message
    if (expected !== undefined && (this.lastOf(expected.subject)?.seq ?? 0) !== expected.seq) {
      return { is: 'refused', why: 'wrong-last' }
    }
    const size = message.payload.length + (message.header?.length ?? 0)
    if (this.bytes + size > this.#maxBytes) return { is: 'refused', why: 'full' }
    const seq = ++this.last
    this.bytes += size
    this.#ids.set(message.id, { seq, at: now })
    const { id, subject, header = '', payload } = message
    // A copy: whoever gave the bytes may use them again, as with a server.
    const whole = { seq, storedAt: now, id, subject, header, payload: Uint8Array.from(payload) }
    this.#messages.set(seq, whole)
    this.#lastOf.set(subject, whole)
    return { is: 'stored', seq, duplicate: false }
  }

  /** The servers forget the ids of messages that are gone when they restart. */
  restart(): void {
    for (const [id, { seq }] of this.#ids) if (!this.#messages.has(seq)) this.#ids.delete(id)
  }

  get count(): number {
    return this.#messages.size
  }
  messages(): Iterable<MemoryMessage> {
    return this.#messages.values()
  }
  get(seq: number): MemoryMessage | undefined {
    return this.#messages.get(seq)
  }
  lastOf(subject: string): MemoryMessage | undefined {
    return this.#lastOf.get(subject)
  }

  remove(which: (message: MemoryMessage) => boolean): void {
    for (const message of this.#messages.values()) {
      if (!which(message)) continue
      this.#messages.delete(message.seq)
      this.bytes -= message.payload.length + message.header.length
      if (this.#lastOf.get(message.subject) === message) this.#findLast(message.subject)
    }
  }

  #findLast(subject: string): void {
    this.#lastOf.delete(subject)
    for (const message of this.#messages.values()) {
      if (message.subject === subject) this.#lastOf.set(subject, message)
    }
  }

  #forget(now: number): void {
    for (const [id, { at }] of this.#ids) {
      if (now - at <= this.#windowMs) break
      this.#ids.delete(id)
    }
  }
}
