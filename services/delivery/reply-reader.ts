/**
 * Reads replies (RFC 5321 4.2) from bytes as they come. A reply of several lines becomes one text; a line that is no
 * reply, or a reply without end, is `broken`: the connection cannot be trusted any more.
 */
import type { ServerReply } from '@posthouse/core/reply-class'

export type ReadResult = ServerReply | 'broken' | undefined

const LONGEST_REPLY = 64 * 1024
const nonAscii = /[\x80-\xff]/

export class ReplyReader {
  #text = ''
  #at = 0
  /** Text of the lines of an unfinished reply. */
  #before = ''

  add(chunk: Buffer): void {
    const text = chunk.toString('latin1')
    this.#text = this.#at < this.#text.length ? this.#text.slice(this.#at) + text : text
    this.#at = 0
  }

  /** Something came that no reply has been made of. */
  get hasMore(): boolean {
    return this.#at < this.#text.length || this.#before !== ''
  }

  /** The next whole reply, or undefined until more bytes come. */
  next(): ReadResult {
    const text = this.#text
    for (;;) {
      const start = this.#at
      const lf = text.indexOf('\n', start)
      if (lf < 0) return text.length - start > LONGEST_REPLY ? 'broken' : undefined
      const end = text.charCodeAt(lf - 1) === 13 && lf > start ? lf - 1 : lf
      const code = digits(text, start)
      if (code === undefined) return 'broken'
      this.#at = lf + 1
      const mark = end > start + 3 ? text.charCodeAt(start + 3) : 32
      const line = text.slice(start + 4, end)
      if (mark === 45) {
        this.#before = join(this.#before, line)
        if (this.#before.length > LONGEST_REPLY) return 'broken'
        continue
      }
      if (mark !== 32) return 'broken'
      const whole = this.#before === '' ? line : join(this.#before, line)
      this.#before = ''
      return { code, text: nonAscii.test(whole) ? decoded(whole) : whole }
    }
  }
}

function digits(text: string, at: number): number | undefined {
  const a = text.charCodeAt(at) - 48
  const b = text.charCodeAt(at + 1) - 48
  const c = text.charCodeAt(at + 2) - 48
  return a >= 2 && a <= 5 && b >= 0 && b <= 9 && c >= 0 && c <= 9 ? a * 100 + b * 10 + c : undefined
}

/** The enhanced code stands on every line; once is enough. */
function join(before: string, line: string): string {
  if (before === '') return line
  const enhanced = /^\d\.\d{1,3}\.\d{1,3} /.exec(before)?.[0]
  return `${before} ${enhanced !== undefined && line.startsWith(enhanced) ? line.slice(enhanced.length) : line}`
}

function decoded(text: string): string {
  const bytes = Buffer.from(text, 'latin1')
  const utf8 = bytes.toString('utf8')
  return utf8.includes('\ufffd') ? text : utf8
}
