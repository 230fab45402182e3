/**
 * The one scan of a content: everything the policy, the trace and the delivery want to know of its bytes, found in a
 * single pass over chunks of any size. Works on the latin-1 view of a chunk, where the engine searches for one
 * character at memory speed; a loop over bytes takes three times as long.
 */
import { isAscii } from 'node:buffer'
import type { ContentFacts } from './record.ts'

/** Of a header line only the beginning is looked at. */
const headerLineLimit = 1000
const messageIdLimit = 250

export class ContentScan {
  #size = 0
  #eightBit = false
  #eightBitHeader = false
  #dotLines = false
  #longestLine = 0
  #bareNewline = false
  #receivedCount = 0
  #hasDate = false
  #messageId: string | undefined
  #inHeader = true
  /** Bytes of the line that the last chunk left unfinished. */
  #lineLength = 0
  #headerLine = ''
  #endedInCr = false
  #endsWithCrlf = false

  /** Chunks must come in order and must not change afterwards until this call returns. */
  add(chunk: Buffer): void {
    const length = chunk.length
    if (length === 0) return
    this.#size += length
    const text = chunk.toString('latin1')
    const headerBefore = this.#inHeader
    const bodyStart = this.#lines(text, length)
    if (!isAscii(chunk)) {
      this.#eightBit = true
      if (headerBefore && !isAscii(chunk.subarray(0, bodyStart))) this.#eightBitHeader = true
    }
  }

  /** Goes through the lines and returns where the body begins in this chunk (its length if it does not). */
  #lines(text: string, length: number): number {
    let position = 0
    let bodyStart = this.#inHeader ? length : 0
    let longest = this.#longestLine
    let carried = this.#lineLength
    let pendingCr = this.#endedInCr
    // Searched for only when passed, so that a chunk without any CR is not searched to its end for every line.
    let cr = text.indexOf('\r')
    if (pendingCr && text.charCodeAt(0) !== 10) this.#bareNewline = true
    for (;;) {
      if (carried === 0 && text.charCodeAt(position) === 46) this.#dotLines = true
      const lf = text.indexOf('\n', position)
      if (lf < 0) break
      const hasCr = lf === position && carried > 0 ? pendingCr : text.charCodeAt(lf - 1) === 13 && lf > position
      if (cr >= 0 && cr < lf - 1) this.#bareNewline = true
      if (!hasCr) this.#bareNewline = true
      const lineLength = carried + lf - position - (hasCr ? 1 : 0)
      if (lineLength > longest) longest = lineLength
      if (this.#inHeader) {
        this.#header(this.#headerLine + text.slice(position, Math.min(lf, position + headerLineLimit)), lineLength)
        this.#headerLine = ''
        if (!this.#inHeader) bodyStart = lf + 1
      }
      carried = 0
      pendingCr = false
      position = lf + 1
      if (cr >= 0 && cr < position) cr = text.indexOf('\r', position)
      if (position === length) break
    }
    if (position < length) {
      if (cr >= 0 && cr < length - 1) this.#bareNewline = true
      carried += length - position
      const room = headerLineLimit - this.#headerLine.length
      if (this.#inHeader && room > 0) this.#headerLine += text.slice(position, position + room)
    }
    const last = text.charCodeAt(length - 1)
    this.#endsWithCrlf = last === 10 && (length > 1 ? text.charCodeAt(length - 2) === 13 : this.#endedInCr)
    this.#endedInCr = last === 13
    this.#lineLength = carried
    this.#longestLine = longest
    return bodyStart
  }

  #header(line: string, lineLength: number): void {
    if (lineLength === 0) {
      this.#inHeader = false
      return
    }
    // Folding the case of the first letter is enough to pass over most lines.
    switch (line.charCodeAt(0) | 32) {
      case 114: // r
        if (isField(line, 'received')) this.#receivedCount += 1
        break
      case 100: // d
        if (isField(line, 'date')) this.#hasDate = true
        break
      case 109: // m
        if (isField(line, 'message-id')) this.#messageId = line.slice(line.indexOf(':') + 1, messageIdLimit).trim()
        break
      default:
    }
  }

  get size(): number {
    return this.#size
  }
  /** A CR or LF that is not part of a CRLF was found (a CR at the very end counts). */
  get bareNewline(): boolean {
    return this.#bareNewline || this.#endedInCr
  }
  get receivedCount(): number {
    return this.#receivedCount
  }
  get hasDate(): boolean {
    return this.#hasDate
  }
  get hasMessageId(): boolean {
    return this.#messageId !== undefined
  }
  /** With its angle brackets, '' if it is folded onto the next line, undefined if there is none. */
  get messageId(): string | undefined {
    return this.#messageId
  }

  /** The facts of the content scanned so far with `prefix` (whole lines, a trace header) put on top. */
  facts(prefix = ''): ContentFacts {
    const longest = Math.max(this.#longestLine, this.#lineLength - (this.#endedInCr ? 1 : 0))
    const own = {
      size: this.#size,
      eightBit: this.#eightBit,
      eightBitHeader: this.#eightBitHeader,
      dotLines: this.#dotLines,
      longestLine: longest,
      endsWithCrlf: this.#endsWithCrlf,
    }
    if (prefix === '') return own
    const bytes = Buffer.byteLength(prefix)
    const eightBit = bytes !== prefix.length
    return {
      size: own.size + bytes,
      eightBit: own.eightBit || eightBit,
      eightBitHeader: own.eightBitHeader || eightBit,
      dotLines: own.dotLines,
      longestLine: Math.max(longest, longestLineOf(prefix)),
      endsWithCrlf: this.#size === 0 ? true : own.endsWithCrlf,
    }
  }
}

/** The facts of a content that is there as a whole. */
export function scanContent(content: Uint8Array): ContentFacts {
  const scan = new ContentScan()
  scan.add(Buffer.from(content.buffer, content.byteOffset, content.byteLength))
  return scan.facts()
}

function isField(line: string, name: string): boolean {
  const colon = line.indexOf(':')
  // The obsolete syntax allows blanks before the colon.
  return colon >= name.length && line.slice(0, colon).trimEnd().toLowerCase() === name
}

function longestLineOf(lines: string): number {
  let longest = 0
  for (let start = 0, end; (end = lines.indexOf('\r\n', start)) >= 0; start = end + 2) {
    const line = lines.slice(start, end)
    longest = Math.max(longest, line.length * 3 < longest ? 0 : Buffer.byteLength(line))
  }
  return longest
}
