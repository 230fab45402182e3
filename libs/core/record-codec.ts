/**
 * One record as it lies in a batch: two lengths, the envelope as JSON, the content as it is. The part before the content
 * (the head) can be made when the message arrives, so that putting a batch together is one copy of bytes.
 */
import { parseEnvelope, stringifyEnvelope } from './envelope-codec.ts'
import type { MailRecord } from './record.ts'
import { malformed, WireError } from './wire-error.ts'

/** Content above this goes to the body stream. */
export const INLINE_LIMIT = 256 * 1024
/** An envelope that big together with inline content still leaves room in a batch; the edge refuses further recipients. */
export const MAX_ENVELOPE_BYTES = 384 * 1024

/** Length of the envelope and length of the content, each an unsigned 32-bit number, big-endian. */
const LENGTHS = 8

export interface EncodedRecord {
  /** Lengths and envelope. */
  readonly head: Buffer
  readonly content: Uint8Array
}

export function encodeRecord(record: MailRecord): EncodedRecord {
  const { content } = record
  if (content.length > INLINE_LIMIT) {
    throw new WireError('too-large', `content of ${content.length} bytes is over the inline limit of ${INLINE_LIMIT}`)
  }
  const text = stringifyEnvelope(record.envelope)
  const length = Buffer.byteLength(text)
  if (length > MAX_ENVELOPE_BYTES) {
    throw new WireError('too-large', `envelope of ${length} bytes is over the limit of ${MAX_ENVELOPE_BYTES}`)
  }
  const head = Buffer.allocUnsafe(LENGTHS + length)
  head.writeUInt32BE(length, 0)
  head.writeUInt32BE(content.length, 4)
  head.write(text, LENGTHS, length === text.length ? 'latin1' : 'utf8')
  return { head, content }
}

/** Bytes that the record takes in a batch. */
export function recordSize(record: EncodedRecord): number {
  return record.head.length + record.content.length
}

/** Reads the record that begins at `offset`; `end` is where the next one begins. The content is a view, not a copy. */
export function decodeRecord(bytes: Buffer, offset: number): { readonly record: MailRecord; readonly end: number } {
  if (bytes.length - offset < LENGTHS) malformed('a record is cut off within its lengths')
  const envelopeEnd = offset + LENGTHS + bytes.readUInt32BE(offset)
  const end = envelopeEnd + bytes.readUInt32BE(offset + 4)
  if (end > bytes.length) malformed(`a record ends ${end - bytes.length} bytes after its batch`)
  const envelope = parseEnvelope(bytes.toString('utf8', offset + LENGTHS, envelopeEnd))
  return { record: { envelope, content: bytes.subarray(envelopeEnd, end) }, end }
}
