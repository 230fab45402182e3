/**
 * One message while it comes in: scanned once, kept in memory up to the inline limit, beyond it streamed into the
 * queue's body stream, at the size limit thrown away while the rest runs by. Whoever feeds it asks after every chunk
 * whether to wait, so that a session never holds more than the inline limit and a chunk. The memory of the chunks is
 * given back as soon as their bytes are elsewhere: left to the garbage collector, which sees how small a buffer object is
 * and not how much hangs on it, tens of megabytes would lie about and full collections would eat a third of the time.
 */
import { INLINE_LIMIT } from '@posthouse/core/record-codec'
import { ContentScan } from '@posthouse/core/scan'
import { BodyRefused } from '@posthouse/queue/port'
import type { BodyWriter } from '@posthouse/queue/port'
import { NewlineNormaliser } from './newlines.ts'

export interface IncomingOptions {
  readonly sizeLimit: number
  readonly normaliseNewlines: boolean
  openBody(): BodyWriter
  /** The header lines to put on top, made as late as possible: when the header has been seen. */
  topHeaders(scan: ContentScan): string
}

export type IncomingState =
  | { readonly is: 'whole' }
  | { readonly is: 'too-large' }
  | { readonly is: 'not-stored'; readonly why: 'full' | 'unavailable' }

export class Incoming {
  readonly scan = new ContentScan()
  readonly #options: IncomingOptions
  readonly #newlines: NewlineNormaliser | undefined
  /** Bytes the client sent, also those thrown away. */
  received = 0
  /** Pieces not yet given to the body stream; all of them while the message is small. */
  #pieces: Buffer[] = []
  /** What the pieces lie in, and nothing else. */
  #memory: ArrayBuffer[] = []
  #top: string | undefined
  #writer: BodyWriter | undefined
  #state: IncomingState = { is: 'whole' }
  #writing: Promise<void> | undefined

  constructor(options: IncomingOptions) {
    this.#options = options
    this.#newlines = options.normaliseNewlines ? new NewlineNormaliser() : undefined
  }

  get state(): IncomingState {
    return this.#state
  }
  get writer(): BodyWriter | undefined {
    return this.#writer
  }
  /** The header lines put on top. */
  get top(): string {
    return (this.#top ??= this.#options.topHeaders(this.scan))
  }

  take(given: Buffer): void {
    this.received += given.length
    if (this.#state.is !== 'whole') return
    const piece = this.#newlines === undefined ? given : this.#newlines.normalise(given)
    if (this.scan.size + piece.length > this.#options.sizeLimit) {
      this.#state = { is: 'too-large' }
      this.#pieces = []
      return
    }
    this.scan.add(piece)
    this.#pieces.push(piece)
  }

  /** The pieces taken last lie in this memory, where nobody else has anything. */
  own(memory: ArrayBuffer): void {
    this.#memory.push(memory)
    if (this.#state.is !== 'whole') this.#free()
  }

  /**
   * Undefined if more may be taken at once; else resolves when it may. Never rejects. At the `end` the header lines on top count too,
   * as they are part of what must fit.
   */
  settle(end: 'end' | 'more' = 'more'): Promise<void> | undefined {
    if (this.#state.is !== 'whole') return this.#writing
    if (this.#writer === undefined) {
      const size = this.scan.size + (end === 'end' ? Buffer.byteLength(this.top) : 0)
      if (size <= INLINE_LIMIT) return undefined
      this.#writer = this.#options.openBody()
      this.#pieces.unshift(Buffer.from(this.top))
    }
    return (this.#writing ??= this.#write(this.#writer).finally(() => {
      this.#writing = undefined
    }))
  }

  /** The content of a small message, with the header lines on top: the only copy that is made of it. */
  content(): Buffer {
    const top = this.top
    const topLength = Buffer.byteLength(top)
    const content = Buffer.allocUnsafe(topLength + this.scan.size)
    content.write(top, 0)
    let at = topLength
    for (const piece of this.#pieces) at += piece.copy(content, at)
    this.#pieces = []
    this.#free()
    return content
  }

  /** Purges what went to the body stream, for a message that is refused after all or never ended. */
  async abandon(): Promise<void> {
    this.#pieces = []
    await this.#writing
    await this.#writer?.abandon()
  }

  async #write(writer: BodyWriter): Promise<void> {
    try {
      for (let piece = this.#pieces.shift(); piece !== undefined; piece = this.#pieces.shift()) {
        await writer.write(piece)
      }
      this.#free()
    } catch (error) {
      this.notStored(error)
    }
  }

  /** The body stream did not take it. */
  notStored(error: unknown): void {
    this.#pieces = []
    this.#state = { is: 'not-stored', why: error instanceof BodyRefused ? error.why : 'unavailable' }
  }
  /** Only when no piece that lies there is needed any more. */
  #free(): void {
    for (const memory of this.#memory) memory.transfer(0)
    this.#memory = []
  }
}
