/**
 * Transparency (RFC 5321 4.5.2): a line that begins with a dot gets a second one. Chunk by chunk; a line begins at the
 * start and after CRLF, which may fall between two chunks. A chunk without such a line is returned as it is.
 */
const DOT = 46
const CR = 13
const LF = 10
const CRLF_DOT = Buffer.from('\r\n.')

export class DotStuffer {
  /** What went before: the start of a line, a CR that may become one, or anything else. */
  #before: 'line start' | 'cr' | 'other' = 'line start'

  add(chunk: Buffer): Buffer {
    const { length } = chunk
    if (length === 0) return chunk
    const dots: number[] = []
    if (this.#before === 'line start' && chunk[0] === DOT) dots.push(0)
    if (this.#before === 'cr' && chunk[0] === LF && chunk[1] === DOT) dots.push(1)
    for (let at = chunk.indexOf(CRLF_DOT); at >= 0; at = chunk.indexOf(CRLF_DOT, at + 3)) dots.push(at + 2)
    this.#before = this.#after(chunk)
    if (dots.length === 0) return chunk
    const stuffed = Buffer.allocUnsafe(length + dots.length)
    let read = 0
    let written = 0
    for (const dot of dots) {
      written += chunk.copy(stuffed, written, read, dot)
      stuffed[written++] = DOT
      read = dot
    }
    chunk.copy(stuffed, written, read)
    return stuffed
  }

  #after(chunk: Buffer): 'line start' | 'cr' | 'other' {
    const { length } = chunk
    if (chunk[length - 1] === CR) return 'cr'
    if (chunk[length - 1] !== LF) return 'other'
    const cr = length > 1 ? chunk[length - 2] === CR : this.#before === 'cr'
    return cr ? 'line start' : 'other'
  }
}
