// The transparency of RFC 5321 section 4.5.2, both ways and exactly: what `stuffDots` writes, `DotReader` gives back byte for
// byte, however the network cuts it. Only CRLF "." CRLF ends the content; a bare CR or LF is content like any other byte.

const CRLF_DOT = Buffer.from('\r\n.')
const DOT = 0x2e
const CR = 0x0d
const LF = 0x0a

export const FINAL_DOT = Buffer.from('.\r\n')

/** The content as it goes over the wire, with the final dot. Content that does not end with CRLF cannot be sent by DATA. */
export function stuffDots(content: Buffer): Buffer {
  return Buffer.concat([stuffLines(content), FINAL_DOT])
}

/** Whole lines as they go over the wire, without a final dot. */
export function stuffLines(content: Buffer): Buffer {
  if (content.length > 0 && !(content.at(-2) === CR && content.at(-1) === LF)) {
    throw new Error('content must end with CRLF')
  }
  const parts: Buffer[] = []
  if (content[0] === DOT) parts.push(Buffer.from('.'))
  let from = 0
  for (let at = content.indexOf(CRLF_DOT); at >= 0; at = content.indexOf(CRLF_DOT, at + 2)) {
    parts.push(content.subarray(from, at + 3))
    from = at + 2 // the dot goes out twice
  }
  parts.push(content.subarray(from))
  return Buffer.concat(parts)
}

/** Reads the content of one message as it comes, keeping none of it: `take` gets the parts in order. */
export class DotStream {
  readonly #take: (part: Buffer) => void
  // The first line may begin with a dot as well: the content is read as if a line end stood before it.
  #pending: Buffer = Buffer.from('\r\n')
  #notContent = 2

  constructor(take: (part: Buffer) => void) {
    this.#take = take
  }

  /** What followed the final dot, or undefined as long as it has not come. */
  push(chunk: Buffer): Buffer | undefined {
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
    let from = 0
    let at = bytes.indexOf(CRLF_DOT)
    while (at >= 0) {
      if (at + 5 > bytes.length) {
        // It may be the end: only what comes next tells.
        const undecided = bytes.subarray(at + 3)
        if (undecided.length === 0 || undecided[0] === CR) return this.#keep(bytes, from, at)
      } else if (bytes[at + 3] === CR && bytes[at + 4] === LF) {
        this.#give(bytes.subarray(from, at + 2))
        return bytes.subarray(at + 5)
      }
      this.#give(bytes.subarray(from, at + 2))
      from = at + 3
      at = bytes.indexOf(CRLF_DOT, from)
    }
    let tail = bytes.length
    if (bytes.length - from >= 1 && bytes[tail - 1] === CR) tail -= 1
    else if (bytes.length - from >= 2 && bytes[tail - 2] === CR && bytes[tail - 1] === LF) tail -= 2
    return this.#keep(bytes, from, tail)
  }

  #keep(bytes: Buffer, from: number, tail: number): undefined {
    this.#give(bytes.subarray(from, tail))
    this.#pending = bytes.subarray(tail)
  }

  #give(bytes: Buffer): void {
    const part = bytes.subarray(this.#notContent)
    this.#notContent -= bytes.length - part.length
    if (part.length > 0) this.#take(part)
  }
}

export type Read = { readonly done: false } | { readonly done: true; readonly content: Buffer; readonly rest: Buffer }

/** Reads the content of one message whole; `rest` is what followed the final dot. */
export class DotReader {
  readonly #parts: Buffer[] = []
  readonly #stream = new DotStream((part) => this.#parts.push(part))

  push(chunk: Buffer): Read {
    const rest = this.#stream.push(chunk)
    return rest === undefined ? { done: false } : { done: true, content: Buffer.concat(this.#parts), rest }
  }
}
