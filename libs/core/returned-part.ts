/**
 * The part of a report that returns the message (RFC 3461 4.3): whole if the sender asked for it, else its header
 * section; the whole one as it lies, because its sender may compare it; an 8-bit header encoded, so that the report can
 * go where the message could not.
 */

export interface ReturnedPart {
  /** Header lines of the part. */
  readonly header: readonly string[]
  readonly body: Buffer
  readonly isWhole: boolean
}

/** So much of a header is returned at most; encoded it takes a third more. */
const LARGEST_HEADER = 64 * 1024
const END_OF_HEADER = Buffer.from('\r\n\r\n')

/** A message larger than `room` bytes is returned as its header only. */
export function returnedPart(content: Uint8Array, full: boolean, eightBit: boolean, room: number): ReturnedPart {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  const header = headerSection(bytes)
  const eightBitHeader = header.some((byte) => byte > 127)
  if (full && bytes.length <= room && !eightBitHeader) {
    const lines = ['Content-Type: message/rfc822', `Content-Transfer-Encoding: ${eightBit ? '8bit' : '7bit'}`]
    return { header: lines, body: bytes, isWhole: true }
  }
  if (!eightBitHeader) {
    const lines = ['Content-Type: text/rfc822-headers', 'Content-Transfer-Encoding: 7bit']
    return { header: lines, body: header, isWhole: false }
  }
  const lines = ['Content-Type: message/global-headers', 'Content-Transfer-Encoding: base64']
  const text = header.toString('base64').replace(/.{76}(?=.)/g, '$&\r\n')
  return { header: lines, body: Buffer.from(`${text}\r\n`), isWhole: false }
}

function headerSection(content: Buffer): Buffer {
  const start = content.subarray(0, LARGEST_HEADER)
  if (start[0] === 13 && start[1] === 10) return content.subarray(0, 0)
  const end = start.indexOf(END_OF_HEADER)
  if (end >= 0) return start.subarray(0, end + 2)
  if (start.length === content.length) return start
  // Cut where a line ends.
  return start.subarray(0, start.lastIndexOf('\r\n') + 2)
}
