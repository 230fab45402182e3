/**
 * Takes the data phase apart (RFC 5321 4.5.2): removes the dot that transparency put before a line and finds the end.
 * Only CRLF.CRLF ends it, whatever bare CR or LF the content has. One search per line that begins with a dot; each chunk
 * comes out as at most one piece (and one lone CR from the chunk before), compacted in place: the chunk is changed.
 */

const pattern = Buffer.from('\r\n.')
const loneCr = Buffer.from('\r')
const CR = 13
const LF = 10
const DOT = 46

/** Where the bytes seen so far left us. A dot at a line's beginning (and the CR after it) is held back until judged. */
type State = 'in-line' | 'after-cr' | 'line-start' | 'after-dot' | 'after-dot-cr'

export class DotDecoder {
  #state: State = 'line-start'

  /**
   * Decodes `chunk` from `from` on and gives the content in it to `take`. Returns the position after the end of data, or
   * -1 if it is not in this chunk.
   */
  decode(chunk: Buffer, from: number, take: (piece: Buffer) => void): number {
    const end = chunk.length
    let start = from
    let position = from
    // First what the chunk before left open.
    if (this.#state === 'after-cr' && position < end) {
      this.#state = 'in-line'
      if (chunk[position] === LF) {
        position += 1
        this.#state = 'line-start'
      }
    }
    if (this.#state === 'line-start' && position < end) {
      this.#state = 'in-line'
      if (chunk[position] === DOT) {
        if (position > start) take(chunk.subarray(start, position))
        position += 1
        start = position
        this.#state = 'after-dot'
      }
    }
    if (this.#state === 'after-dot' && position < end) {
      if (chunk[position] === CR) {
        position += 1
        this.#state = 'after-dot-cr'
      } else {
        this.#state = 'in-line'
      }
    }
    if (this.#state === 'after-dot-cr' && position < end) {
      if (chunk[position] === LF) {
        this.#state = 'line-start'
        return position + 1
      }
      this.#state = 'in-line'
      // The held CR is content after all. It is in this chunk, unless it was the last byte of the chunk before.
      if (position === from) {
        take(loneCr)
        start = position
      } else start = position - 1
    }
    return this.#state === 'in-line'
      ? this.#search(chunk, start, position, take)
      : this.#pause(chunk, start, position, take)
  }

  /** The chunk ended while a decision was open: gives what is content for sure. */
  #pause(chunk: Buffer, start: number, position: number, take: (piece: Buffer) => void): number {
    const held = this.#state === 'line-start' || this.#state === 'after-cr' ? 0 : position - start
    if (position - held > start) take(chunk.subarray(start, position - held))
    return -1
  }

  /** From `position`, in the middle of a line, to the end of data or of the chunk. */
  #search(chunk: Buffer, start: number, position: number, take: (piece: Buffer) => void): number {
    const end = chunk.length
    // Content is moved to `write` as dots are removed; until the first one it lies where it is.
    let write = position
    let read = position
    for (;;) {
      const match = chunk.indexOf(pattern, position)
      if (match < 0) break
      const dot = match + 2
      const next = dot + 1 < end ? chunk[dot + 1] : undefined
      const isEnd = next === CR && dot + 2 < end && chunk[dot + 2] === LF
      const open = next === undefined || (next === CR && dot + 2 >= end)
      write = move(chunk, write, read, dot)
      if (isEnd || open) {
        if (write > start) take(chunk.subarray(start, write))
        this.#state = isEnd ? 'line-start' : next === undefined ? 'after-dot' : 'after-dot-cr'
        return isEnd ? dot + 3 : -1
      }
      read = dot + 1
      position = dot + 1
    }
    this.#state = tailState(chunk, position, end)
    write = move(chunk, write, read, end)
    if (write > start) take(chunk.subarray(start, write))
    return -1
  }
}

/** Moves [read, to) to `write` and returns the new end of what is written. */
function move(chunk: Buffer, write: number, read: number, to: number): number {
  if (write !== read) chunk.copyWithin(write, read, to)
  return write + to - read
}

function tailState(chunk: Buffer, position: number, end: number): State {
  if (end > position && chunk[end - 1] === CR) return 'after-cr'
  if (end - 1 > position && chunk[end - 1] === LF && chunk[end - 2] === CR) return 'line-start'
  return 'in-line'
}
