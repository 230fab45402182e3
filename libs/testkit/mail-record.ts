/** A record as an edge makes it, with nothing in it that a test does not ask for. */
import type { BodyReference, MailRecord } from '@posthouse/core/record'

export interface MailRecordOptions {
  /** Number of recipients, r0@example.net and so on; default 1. */
  readonly recipients?: number
  readonly acceptedAt?: number
  /** Default: one short line. */
  readonly content?: Uint8Array
  /** The content lies in the body stream: the record has none of its own. */
  readonly body?: BodyReference | undefined
}

export function mailRecord(id: string, options: MailRecordOptions = {}): MailRecord {
  const { recipients = 1, acceptedAt = 1, body } = options
  const content = body === undefined ? (options.content ?? Buffer.from('x\r\n')) : new Uint8Array(0)
  return {
    envelope: {
      id,
      from: 'a@example.org',
      recipients: Array.from({ length: recipients }, (_, index) => ({ address: `r${index}@example.net`, index })),
      acceptedAt,
      storedAt: 0,
      origin: 0,
      attempts: { count: 0 },
      facts: {
        size: body?.size ?? content.length,
        eightBit: false,
        eightBitHeader: false,
        dotLines: false,
        longestLine: 40,
        endsWithCrlf: true,
      },
      ...(body === undefined ? undefined : { body }),
    },
    content,
  }
}
