/**
 * Message headers as they go over the wire. Ours are few and made for one message each, so they are put together as text
 * instead of in the client's map of lists.
 */
import type { MsgHdrs } from 'nats'

export const MSG_ID = 'Nats-Msg-Id'
const EXPECTED_SEQUENCE = 'Nats-Expected-Last-Subject-Sequence'
const EXPECTED_SUBJECT = 'Nats-Expected-Last-Subject-Sequence-Subject'
/** Our own: the header of a log entry (entry-codec). */
export const ENTRY = 'Posthouse-Entry'
/** The header of what edges append (accepted-codec). A name of its own: whoever looks for entries does not find it. */
export const ACCEPTED = 'Posthouse-Accepted'

export interface PublishHeaders {
  /** Nats-Msg-Id: a repeat within the stream's window is not stored twice. */
  readonly id: string
  /** Stored only if the last message of `subject` has this sequence. */
  readonly expected?: { readonly sequence: number; readonly subject: string }
  readonly entry?: string
  readonly accepted?: string
}

export function publishHeaders({ id, expected, entry, accepted }: PublishHeaders): MsgHdrs {
  let text = `NATS/1.0\r\n${MSG_ID}: ${checked(id)}\r\n`
  if (expected !== undefined) {
    text += `${EXPECTED_SEQUENCE}: ${expected.sequence}\r\n${EXPECTED_SUBJECT}: ${expected.subject}\r\n`
  }
  if (entry !== undefined) text += `${ENTRY}: ${checked(entry)}\r\n`
  if (accepted !== undefined) text += `${ACCEPTED}: ${checked(accepted)}\r\n`
  return new EncodedHeaders(text + '\r\n') as unknown as MsgHdrs
}

/** All that the client asks of headers when it publishes. */
class EncodedHeaders {
  readonly #text: string
  constructor(text: string) {
    this.#text = text
  }
  encode(): Uint8Array {
    return Buffer.from(this.#text, 'latin1')
  }
}

function checked(value: string): string {
  if (/[^ -~]/.test(value)) throw new RangeError('a header value must be printable ASCII')
  return value
}
