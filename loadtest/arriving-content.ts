// The content of one message as the sink takes it: a digest of what lies below the trace header, made as the bytes come, so
// that large messages cost no memory. Only the header section is kept: it tells the queue id under which the relay held the message.

import { createHash } from 'node:crypto'
import { stripTraceHeaders } from './trace-header.ts'

/** A header section that has not ended by then is looked at as far as it goes. */
const LONGEST_HEADER = 256 * 1024

export class ArrivingContent {
  readonly #traceHeaders: number
  readonly #hash = createHash('sha256')
  #head: Buffer[] | undefined = []
  #traced = true
  #queueId: string | undefined

  /** So many Received fields are not part of what was sent. */
  constructor(traceHeaders: number) {
    this.#traceHeaders = traceHeaders
  }

  take(part: Buffer): void {
    if (this.#head === undefined) {
      this.#hash.update(part)
      return
    }
    this.#head.push(part)
    const head = Buffer.concat(this.#head)
    if (head.includes('\r\n\r\n') || head.length > LONGEST_HEADER) this.#headEnds(head)
    else this.#head = [head]
  }

  /** Once, when all of it has come. The digest is null when there was no trace header to take off. */
  end(): { readonly digest: string | null; readonly queueId: string | undefined } {
    if (this.#head !== undefined) this.#headEnds(Buffer.concat(this.#head))
    return { digest: this.#traced ? this.#hash.digest('hex') : null, queueId: this.#queueId }
  }

  #headEnds(head: Buffer): void {
    this.#head = undefined
    const stripped = stripTraceHeaders(head, this.#traceHeaders)
    this.#traced = stripped.ok
    if (!stripped.ok) return
    this.#hash.update(stripped.content)
    this.#queueId = queueIdIn(head.toString('latin1', 0, head.length - stripped.content.length))
  }
}

/** Under which id the one who wrote this Received field on top held the message. */
function queueIdIn(trace: string): string | undefined {
  return /\bwith \S+ id ([^\s;]+)/.exec(trace)?.[1]
}
