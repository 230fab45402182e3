/**
 * Makes every bare CR and every bare LF a CRLF, over chunks of any size. For listeners that take what old programs
 * write; strangers' bare newlines are refused, because hosts that read them differently can be played against each other.
 */

const CR = 13
const LF = 10
const crlf = Buffer.from('\r\n')

export class NewlineNormaliser {
  /** The last chunk ended in a CR, which went out as CRLF already. */
  #afterCr = false

  normalise(chunk: Buffer): Buffer {
    const pieces: Buffer[] = []
    let start = 0
    let position = 0
    if (this.#afterCr && chunk[0] === LF) start = position = 1
    if (chunk.length > 0) this.#afterCr = chunk[chunk.length - 1] === CR
    for (; position < chunk.length; position += 1) {
      const byte = chunk[position]
      if (byte === CR && chunk[position + 1] === LF) position += 1
      else if (byte === CR || byte === LF) {
        pieces.push(chunk.subarray(start, position), crlf)
        start = position + 1
      }
    }
    if (pieces.length === 0 && start === 0) return chunk
    pieces.push(chunk.subarray(start))
    return Buffer.concat(pieces)
  }
}
