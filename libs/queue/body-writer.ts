/**
 * Streams a large content into the body stream of one partition: chunks of 512 KiB, a few in flight, a SHA-256 over
 * all of them. Memory stays bounded by the chunks in flight and the one being filled. A chunk whose answer was lost
 * is stored again under the same id until it is known to be stored; after the give-up time the body is refused, which
 * is safe: no record refers to it yet. So is one that took so long that the owner's sweep may soon take it for left behind.
 */
import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { RanClock } from '@posthouse/core/owner/ran-clock'
import type { BodyReference } from '@posthouse/core/record'
import { BodyRefused, type BodyWriter } from './port.ts'
import type { Store } from './store.ts'

export const CHUNK_BYTES = 512 * 1024
const CHUNKS_IN_FLIGHT = 4
const TRY_TIMEOUT_MS = 2000
const PAUSE_MS = 200
/** From the first chunk to the end: the age at which bodies are swept (sweepAge) lies well above. */
const LONGEST_MS = 6 * 3_600_000
/** A chunk on its way for so long is in trouble, though it may well be stored. */
const SILENT_MS = 400

export interface BodyWriterOptions {
  readonly chunkBytes?: number
  /** A chunk that could not be stored for this long refuses the body. */
  readonly giveUpMs?: number
  /** A body that took longer is refused. */
  readonly longestMs?: number
  /** A chunk was refused, or has had no answer for SILENT_MS: new bodies had better go elsewhere. */
  readonly onTrouble?: (partition: number) => void
}

export class ChunkedBodyWriter implements BodyWriter {
  readonly id = randomBytes(12).toString('base64url')
  /** Undefined: every partition was full when the body was opened. */
  readonly partition: number | undefined
  readonly #store: Store
  readonly #chunkBytes: number
  readonly #giveUpMs: number
  readonly #longestMs: number
  /** Runs from the first chunk on. */
  readonly #clock = new RanClock()
  readonly #onTrouble: (partition: number) => void
  readonly #hash = createHash('sha256')
  readonly #inFlight = new Set<Promise<void>>()
  #chunk: Buffer | undefined
  #filled = 0
  #chunks = 0
  #size = 0
  #state: 'open' | 'finished' | 'given' | 'abandoned' = 'open'
  #failure: BodyRefused | undefined

  constructor(store: Store, partition: number | undefined, options: BodyWriterOptions = {}) {
    this.#store = store
    this.partition = partition
    this.#chunkBytes = options.chunkBytes ?? CHUNK_BYTES
    this.#giveUpMs = options.giveUpMs ?? 10_000
    this.#longestMs = options.longestMs ?? LONGEST_MS
    this.#onTrouble = options.onTrouble ?? (() => {})
    if (partition === undefined) this.#failure = new BodyRefused('full', 'every partition is full')
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#mustBeOpen()
    this.#hash.update(bytes)
    this.#size += bytes.length
    let offset = 0
    while (offset < bytes.length) {
      if (this.#failure !== undefined) throw this.#failure
      this.#chunk ??= Buffer.allocUnsafeSlow(this.#chunkBytes)
      const part = bytes.subarray(offset, offset + this.#chunkBytes - this.#filled)
      this.#chunk.set(part, this.#filled)
      this.#filled += part.length
      offset += part.length
      if (this.#filled === this.#chunkBytes) {
        this.#put()
        while (this.#inFlight.size >= CHUNKS_IN_FLIGHT) await Promise.race(this.#inFlight)
      }
    }
    if (this.#failure !== undefined) throw this.#failure
  }

  async finish(): Promise<BodyReference> {
    this.#mustBeOpen()
    if (this.#failure === undefined && this.#filled > 0) this.#put()
    while (this.#inFlight.size > 0) await Promise.race(this.#inFlight)
    if (this.#ran() > this.#longestMs) this.#failure ??= new BodyRefused('unavailable', 'the body took too long')
    if (this.#failure !== undefined) throw this.#failure
    this.#state = 'finished'
    return { id: this.id, chunks: this.#chunks, size: this.#size, sha256: this.#hash.digest('hex') }
  }

  /** A record that refers to the body is being given to the queue: from now on only the owner may remove it. */
  give(): number {
    if (this.#state !== 'finished' || this.partition === undefined) throw new Error(`the body is ${this.#state}`)
    this.#state = 'given'
    return this.partition
  }

  /** The record was surely not stored: the body is the writer's owner's again. */
  takeBack(): void {
    if (this.#state === 'given') this.#state = 'finished'
  }

  async abandon(): Promise<void> {
    if (this.#state === 'given') throw new Error('a record refers to the body: only the owner may remove it')
    if (this.#state === 'abandoned') return
    this.#state = 'abandoned'
    this.#failure ??= new BodyRefused('unavailable', 'abandoned')
    this.#chunk = undefined
    // A chunk that arrives after the purge would stay until the owner's sweep.
    await Promise.all(this.#inFlight)
    // An edge removes nothing: its NATS user need not be able to.
    if (this.partition !== undefined && this.#chunks > 0) this.#store.abandonBody(this.partition, this.id)
  }

  /** ms since the first chunk, by the clock that ran further. */
  #ran(): number {
    return this.#clock.at({ mono: performance.now(), wall: Date.now() })
  }

  #put(): void {
    this.#ran()
    const bytes = (this.#chunk as Buffer).subarray(0, this.#filled)
    this.#chunk = undefined
    this.#filled = 0
    const stored = this.#putChunk(this.#chunks++, bytes).finally(() => this.#inFlight.delete(stored))
    this.#inFlight.add(stored)
  }

  /** Never rejects: a failure is kept for the next call of the writer's owner. */
  async #putChunk(number: number, bytes: Buffer): Promise<void> {
    const partition = this.partition as number
    const deadline = performance.now() + this.#giveUpMs
    while (this.#failure === undefined) {
      const silent = setTimeout(() => this.#onTrouble(partition), SILENT_MS)
      const answer = await this.#store.putChunk(partition, this.id, number, bytes, TRY_TIMEOUT_MS)
      clearTimeout(silent)
      if (answer.is === 'stored') return
      if (answer.is === 'refused' && answer.why === 'full') {
        this.#failure = new BodyRefused('full', 'the body stream is full')
        return
      }
      this.#onTrouble(partition)
      if (performance.now() + PAUSE_MS > deadline) {
        const last = answer.is === 'refused' ? (answer.text ?? answer.why) : 'no answer'
        this.#failure = new BodyRefused('unavailable', `chunk ${number} could not be stored: ${last}`)
        return
      }
      await sleep(PAUSE_MS)
    }
  }

  #mustBeOpen(): void {
    if (this.#state !== 'open') throw new Error(`the body is ${this.#state}`)
  }
}
