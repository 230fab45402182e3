// The part of the DNS wire format (RFC 1035) that an authoritative answer needs: one question in, records out. Names are
// written in full (no compression), which every resolver reads.

export const TYPE = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, MX: 15, TXT: 16, AAAA: 28, TLSA: 52 } as const
export const RCODE = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const

export type RecordType = keyof typeof TYPE
export type ResponseCode = keyof typeof RCODE

export interface Question {
  readonly id: number
  readonly recursionDesired: boolean
  /** Lower case, without the dot at the end. */
  readonly name: string
  readonly type: number
  /** The question section as it came, to be repeated. */
  readonly section: Buffer
  /** Largest UDP answer the resolver takes (EDNS, RFC 6891). */
  readonly udpSize: number
}

export interface ResourceRecord {
  readonly name: string
  readonly type: RecordType
  readonly data: Buffer
}

const HEADER = 12
const OPT = 41

/** Undefined when it is no question that can be answered. */
export function readQuestion(message: Buffer): Question | undefined {
  if (message.length < HEADER || message.readUInt16BE(4) !== 1) return undefined
  const flags = message.readUInt16BE(2)
  const labels: string[] = []
  let at = HEADER
  for (;;) {
    const length = message[at]
    if (length === undefined || length > 63) return undefined
    at += 1
    if (length === 0) break
    labels.push(message.toString('latin1', at, at + length).toLowerCase())
    at += length
  }
  if (at + 4 > message.length) return undefined
  const end = at + 4
  // An OPT record follows with an empty name, its class is the size.
  const hasOpt = message.readUInt16BE(10) > 0 && message.length >= end + 11 && message.readUInt16BE(end + 1) === OPT
  return {
    id: message.readUInt16BE(0),
    recursionDesired: (flags & 0x0100) !== 0,
    name: labels.join('.'),
    type: message.readUInt16BE(at),
    section: message.subarray(HEADER, end),
    udpSize: hasOpt ? Math.max(512, message.readUInt16BE(end + 3)) : 512,
  }
}

export function writeAnswer(
  question: Question,
  code: ResponseCode,
  records: readonly ResourceRecord[],
  truncated = false,
): Buffer {
  const header = Buffer.alloc(HEADER)
  header.writeUInt16BE(question.id, 0)
  // A response (QR), authoritative (AA), recursion "available" (RA) so that no resolver looks elsewhere.
  const flags = 0x8480 | (truncated ? 0x0200 : 0) | (question.recursionDesired ? 0x0100 : 0) | RCODE[code]
  header.writeUInt16BE(flags, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(truncated ? 0 : records.length, 6)
  return Buffer.concat([header, question.section, ...(truncated ? [] : records.map(writeRecord))])
}

function writeRecord({ name, type, data }: ResourceRecord): Buffer {
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(TYPE[type], 0)
  fixed.writeUInt16BE(1, 2) // IN
  fixed.writeUInt32BE(0, 4) // never cached
  fixed.writeUInt16BE(data.length, 8)
  return Buffer.concat([writeName(name), fixed, data])
}

/** "" and "." are the root. */
export function writeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '')
  return Buffer.concat([
    ...labels.flatMap((label) => [Buffer.from([Buffer.byteLength(label)]), Buffer.from(label, 'latin1')]),
    Buffer.from([0]),
  ])
}
