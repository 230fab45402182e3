/**
 * A batch: the payload of one message in `MAIL_p` or of one `.later` entry. Magic, version, count, then the records
 * one after the other. It is written and read whole; decoded contents are views into the payload.
 */
import type { MailRecord } from './record.ts'
import { decodeRecord, encodeRecord, recordSize, type EncodedRecord } from './record-codec.ts'
import { malformed, WireError } from './wire-error.ts'

export const MAX_BATCH_RECORDS = 128
export const MAX_BATCH_BYTES = 768 * 1024

const MAGIC = 'PHB'
/** Changes only when an older reader must not try. Additions to the envelope don't change it. */
export const BATCH_VERSION = 1
/** Magic (3), version (1), count of records (2, big-endian). */
export const BATCH_OVERHEAD = 6

export function encodeBatch(records: readonly (EncodedRecord | MailRecord)[]): Buffer {
  if (records.length === 0) throw new WireError('malformed', 'a batch holds at least one record')
  if (records.length > MAX_BATCH_RECORDS) {
    throw new WireError('too-large', `${records.length} records are over the limit of ${MAX_BATCH_RECORDS} per batch`)
  }
  const encoded = records.map((record) => ('head' in record ? record : encodeRecord(record)))
  let size = BATCH_OVERHEAD
  for (const record of encoded) size += recordSize(record)
  if (size > MAX_BATCH_BYTES) {
    throw new WireError('too-large', `a batch of ${size} bytes is over the limit of ${MAX_BATCH_BYTES}`)
  }
  const batch = Buffer.allocUnsafe(size)
  batch.write(MAGIC, 0, 'latin1')
  batch[3] = BATCH_VERSION
  batch.writeUInt16BE(encoded.length, 4)
  let offset = BATCH_OVERHEAD
  for (const { head, content } of encoded) {
    batch.set(head, offset)
    offset += head.length
    batch.set(content, offset)
    offset += content.length
  }
  return batch
}

export function decodeBatch(payload: Uint8Array): MailRecord[] {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
  const count = readHead(bytes)
  const records: MailRecord[] = []
  let offset = BATCH_OVERHEAD
  for (let index = 0; index < count; index++) {
    const { record, end } = decodeRecord(bytes, offset)
    records.push(record)
    offset = end
  }
  if (offset !== bytes.length) malformed(`${bytes.length - offset} bytes follow the last record of a batch`)
  return records
}

function readHead(bytes: Buffer): number {
  if (bytes.length < BATCH_OVERHEAD || bytes.toString('latin1', 0, 3) !== MAGIC) malformed('not a batch')
  if (bytes[3] !== BATCH_VERSION) {
    throw new WireError('version', `a batch of version ${bytes[3]} cannot be read by version ${BATCH_VERSION}`)
  }
  const count = bytes.readUInt16BE(4)
  if (count === 0 || count > MAX_BATCH_RECORDS) malformed(`a batch of ${count} records`)
  return count
}
