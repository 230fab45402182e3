// Cuts a stream of bytes into SMTP replies (RFC 5321 section 4.2): lines of one reply share its code, and the last has a
// blank (or nothing) after it.

export interface Reply {
  readonly code: number
  /** The texts of its lines. */
  readonly lines: readonly string[]
}

export class ReplyReader {
  #text = ''
  #lines: string[] = []

  /** The replies that are complete now. Bytes that are no reply are a reply with code 0: nobody can act on them. */
  push(bytes: Buffer): Reply[] {
    this.#text += bytes.toString('latin1')
    const replies: Reply[] = []
    let from = 0
    for (let end = this.#text.indexOf('\n'); end >= 0; end = this.#text.indexOf('\n', from)) {
      const line = this.#text.slice(from, end).replace(/\r$/, '')
      from = end + 1
      this.#lines.push(line.slice(4))
      if (/^\d{3}-/.test(line)) continue
      replies.push({ code: /^\d{3}( |$)/.test(line) ? Number(line.slice(0, 3)) : 0, lines: this.#lines })
      this.#lines = []
    }
    this.#text = this.#text.slice(from)
    return replies
  }
}
