/**
 * The bytes of a session, parsed: lines in command mode, content in data mode. Takes the place of smtp-server's parser
 * under its own name, because that one loses back-pressure on dot-stuffed lines and runs a regular expression over every
 * chunk. Here a chunk is handled where it arrives, without the buffering of a Writable, and `write` says false for as
 * long as somebody is waited for, which pauses the socket.
 */
import { SMTPStream } from 'smtp-server/lib/smtp-stream.js'
import { DotDecoder } from './dot-decoder.ts'

export interface InputReader {
  /** One command line without its newline. `bareLf`: it ended without a CR. */
  onLine(line: string, bareLf: boolean): void
  onLineTooLong(): void
  /** Content without its transparency; the bytes do not change any more. */
  onContent(piece: Buffer): void
  /** All of a chunk's content has been given. `memory`: what it lies in, if nobody else has anything there. */
  onContentChunk(memory: ArrayBuffer | undefined): void
  onContentEnd(): void
  /** Everything that could be handled was: send what was written meanwhile. */
  onIdle(): void
}

/** Who is waited for: somebody's work, the client that does not read its replies, or other sessions' turn. */
export type Wait = 'work' | 'drain' | 'turn'
const bits: Readonly<Record<Wait, number>> = { work: 1, drain: 2, turn: 4 }

/** RFC 4954 4.1 wants room for 12288 octets; no other command needs a tenth. */
const longestLine = 12_290
/** Lines handled in one turn, so that a chunk of pipelined commands does not keep others waiting. */
const linesPerTurn = 100

/** Smaller chunks are left to the garbage collector. */
const worthFreeing = 16 * 1024

const LF = 10
const CR = 13

export class SmtpInput extends SMTPStream {
  readonly #reader: InputReader
  #decoder: DotDecoder | undefined
  #partial: Buffer | undefined
  #pending: Buffer | undefined
  /** One bit for each Wait. */
  #waits = 0
  #busy = false
  readonly #takeContent: (piece: Buffer) => void

  constructor(reader: InputReader) {
    super()
    this.#reader = reader
    this.#takeContent = (piece) => reader.onContent(piece)
  }

  /** From the next byte on the input is content, until its end. */
  beginContent(): void {
    this.#decoder = new DotDecoder()
  }

  get inContent(): boolean {
    return this.#decoder !== undefined
  }

  /** Nothing more is handled until nobody is waited for. */
  block(wait: Wait): void {
    this.#waits |= bits[wait]
  }

  unblock(wait: Wait): void {
    if ((this.#waits & bits[wait]) === 0) return
    this.#waits &= ~bits[wait]
    if (this.#busy || this.#waits !== 0) return
    const pending = this.#pending
    this.#pending = undefined
    if (pending !== undefined) this.#handle(pending)
    if (this.#waits === 0) this.emit('drain')
  }

  /** What a socket piped into this calls. */
  override write(chunk: unknown): boolean {
    if (this.isClosed) return true
    const bytes = chunk as Buffer
    if (this.#waits !== 0) {
      this.#pending = this.#pending === undefined ? bytes : Buffer.concat([this.#pending, bytes])
      return false
    }
    this.#handle(bytes)
    return this.#waits === 0
  }

  override end(): this {
    this.isClosed = true
    this.#pending = undefined
    return this
  }

  #handle(chunk: Buffer): void {
    this.#busy = true
    let position = 0
    let lines = 0
    while (position < chunk.length && this.#waits === 0 && !this.isClosed) {
      if (this.#decoder !== undefined) {
        const end = this.#decoder.decode(chunk, position, this.#takeContent)
        position = end < 0 ? chunk.length : end
        if (end >= 0) this.#decoder = undefined
        this.#reader.onContentChunk(position === chunk.length ? ownMemory(chunk) : undefined)
        if (end >= 0) this.#reader.onContentEnd()
      } else if (lines === linesPerTurn) {
        this.block('turn')
        setImmediate(() => this.unblock('turn'))
      } else {
        lines += 1
        position = this.#line(chunk, position)
      }
    }
    if (position < chunk.length && !this.isClosed) this.#pending = chunk.subarray(position)
    this.#busy = false
    this.#reader.onIdle()
  }

  #line(chunk: Buffer, from: number): number {
    const lf = chunk.indexOf(LF, from)
    const partial = this.#partial
    const length = (partial?.length ?? 0) + (lf < 0 ? chunk.length : lf) - from
    if (length > longestLine) {
      this.#partial = undefined
      this.#reader.onLineTooLong()
      return chunk.length
    }
    if (lf < 0) {
      const rest = chunk.subarray(from)
      this.#partial = partial === undefined ? Buffer.from(rest) : Buffer.concat([partial, rest])
      return chunk.length
    }
    this.#partial = undefined
    const bytes = partial === undefined ? chunk : Buffer.concat([partial, chunk.subarray(from, lf)])
    const start = partial === undefined ? from : 0
    const end = start + length
    const hasCr = length > 0 && bytes[end - 1] === CR
    this.#reader.onLine(bytes.toString('utf8', start, hasCr ? end - 1 : end), !hasCr)
    return lf + 1
  }
}

/** The memory of a chunk, unless it is small or shared with others (Node cuts small buffers from one pool). */
function ownMemory(chunk: Buffer): ArrayBuffer | undefined {
  const { buffer } = chunk
  if (chunk.length < worthFreeing || chunk.length !== buffer.byteLength) return undefined
  return buffer instanceof ArrayBuffer ? buffer : undefined
}
