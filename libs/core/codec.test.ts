import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  BATCH_OVERHEAD,
  BATCH_VERSION,
  decodeBatch,
  encodeBatch,
  MAX_BATCH_BYTES,
  MAX_BATCH_RECORDS,
} from './batch-codec.ts'
import type { AcceptedFacts, AcceptedMessage, Closing, EntryHeader } from './entry.ts'
import { decodeEntry, encodeEntry, ENTRY_OVERHEAD, successorSize, toldSize } from './entry-codec.ts'
import { MAX_ENTRY_HEADER } from './text-table.ts'
import { closingSize, MAX_REPLY } from './closing-codec.ts'
import { acceptedSize, ACCEPTED_OVERHEAD, decodeAccepted, encodeAccepted } from './accepted-codec.ts'
import { entry, fullRecord, lease, smallRecord } from './golden/samples.ts'
import type { Lease } from './lease.ts'
import { decodeLease, encodeLease } from './lease-codec.ts'
import { packNumbers, unpackNumbers } from './number-list.ts'
import type { Envelope, MailRecord } from './record.ts'
import { encodeRecord, INLINE_LIMIT, MAX_ENVELOPE_BYTES, recordSize } from './record-codec.ts'
import { WireError } from './wire-error.ts'

const isFault = (fault: string) => (error: unknown) => error instanceof WireError && error.fault === fault

/** Like fc.record, but with the prototype that the decoders' objects have. */
const object: typeof fc.record = (model: object, constraints: object = {}) =>
  fc.record(model as never, { noNullPrototype: true, ...constraints })

const count = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const text = fc.string({ unit: 'binary', maxLength: 40 }).map((s) => s.toWellFormed())
const numbers = fc.array(fc.nat({ max: 2000 }), { maxLength: 60 })
const report = object({ record: text, recipients: numbers })

const recipients = fc.array(
  object(
    { address: text, index: fc.nat({ max: 5 }), notify: fc.array(text, { maxLength: 3 }), orcpt: text },
    { requiredKeys: ['address', 'index'] },
  ),
  { maxLength: 6 },
)

const envelope = object(
  {
    id: text,
    from: text,
    recipients,
    body8bit: fc.constant(true),
    smtputf8: fc.constant(true),
    ret: fc.constantFrom('FULL', 'HDRS'),
    envid: text,
    acceptedAt: count,
    storedAt: count,
    origin: count,
    batch: text,
    attempts: object(
      { count, lastReply: text, lastHost: text, warned: fc.constant(true) },
      { requiredKeys: ['count'] },
    ),
    facts: object({
      size: count,
      eightBit: fc.boolean(),
      eightBitHeader: fc.boolean(),
      dotLines: fc.boolean(),
      longestLine: count,
      endsWithCrlf: fc.boolean(),
    }),
    body: object({ id: text, chunks: count, size: count, sha256: text }),
    suspect: fc.constant(true),
    report,
    traceparent: text,
    accepted: object(
      { node: text, client: text, role: text, user: text, tls: text, messageId: text },
      { requiredKeys: ['node', 'client', 'role'] },
    ),
    newer: fc.constant({ zz: [1] }),
  },
  { requiredKeys: ['id', 'from', 'recipients', 'acceptedAt', 'storedAt', 'origin', 'attempts', 'facts'] },
) as fc.Arbitrary<Envelope>

const record = object({
  envelope,
  content: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
}) as fc.Arbitrary<MailRecord>

const plainText = fc.string({ unit: 'binary', maxLength: 60 }).map((s) => s.toWellFormed())
const acceptedFacts = object(
  {
    node: plainText,
    client: plainText,
    role: plainText,
    user: plainText,
    tls: plainText,
    messageId: plainText,
    helo: plainText,
    size: fc.nat(),
    recipients: fc.nat(),
    acceptedAt: count,
    traceparent: plainText,
  },
  { requiredKeys: ['node', 'client', 'role', 'size', 'recipients', 'acceptedAt'] },
) as fc.Arbitrary<AcceptedFacts>

const closing = object(
  {
    stream: fc.constantFrom('mail', 'later'),
    // Sequences start at 1; an origin of 0 stands for "as the batch" in a closing of MAIL.
    seq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    record: fc.nat({ max: 127 }),
    positions: numbers,
    id: plainText,
    indexes: numbers,
    origin: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    batch: plainText,
    body: plainText,
    report,
    how: fc.constantFrom('delivered', 'deferred', 'parked', 'held', 'bounced', 'expired', 'discarded', 'unknown'),
    attempt: fc.nat(),
    facts: object({ reply: plainText, host: plainText, tls: plainText, ms: fc.nat() }, { requiredKeys: [] }),
    at: count,
    from: plainText,
    to: fc.array(plainText, { maxLength: 3 }),
    all: fc.array(plainText, { maxLength: 3 }),
    accepted: acceptedFacts,
    possibleDuplicate: fc.constant(true),
  },
  {
    requiredKeys: [
      'stream',
      'seq',
      'record',
      'positions',
      'id',
      'indexes',
      'origin',
      'batch',
      'how',
      'attempt',
      'facts',
    ],
  },
) as fc.Arbitrary<Closing>
const successor = object(
  {
    id: plainText,
    origin: count,
    batch: plainText,
    recipients: count,
    body: plainText,
    suspect: fc.constant(true),
    report,
  },
  { requiredKeys: ['id', 'origin', 'batch', 'recipients'] },
)
const header = object(
  {
    node: plainText,
    lease: count,
    name: plainText,
    closes: fc.array(closing, { maxLength: 8 }),
    later: object(
      {
        due: count,
        destination: plainText,
        state: fc.constantFrom('deferred', 'parked', 'held'),
        records: fc.array(successor, { maxLength: 5 }),
        oldest: count,
      },
      { requiredKeys: ['due', 'destination', 'state', 'records'] },
    ),
    told: fc.array(
      object({ later: count, closing, due: count, bounce: plainText }, { requiredKeys: ['later', 'closing', 'due'] }),
      { maxLength: 4 },
    ),
  },
  { requiredKeys: ['node', 'lease', 'closes'] },
) as fc.Arbitrary<EntryHeader>

test('a batch reads as it was written', () => {
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 5 }), (records) => {
      assert.deepEqual(decodeBatch(encodeBatch(records)), records)
    }),
  )
})

test('records encoded beforehand give the same batch', () => {
  const records = [smallRecord, fullRecord]
  const encoded = records.map(encodeRecord)
  const batch = encodeBatch(encoded)
  assert.deepEqual(batch, encodeBatch(records))
  assert.equal(
    batch.length,
    encoded.reduce((size, one) => size + recordSize(one), BATCH_OVERHEAD),
  )
})

test('decoded content is a view into the payload', () => {
  const batch = encodeBatch([smallRecord])
  assert.equal(decodeBatch(batch)[0]?.content.buffer, batch.buffer)
})

test('a payload that begins in the middle of a buffer is read from there', () => {
  const batch = encodeBatch([smallRecord])
  const shifted = new Uint8Array(batch.length + 20)
  shifted.set(batch, 7)
  assert.deepEqual(decodeBatch(shifted.subarray(7, 7 + batch.length)), [smallRecord])
})

test('damaged and cut batches end in a WireError or read as something', () => {
  const batch = encodeBatch([smallRecord, fullRecord])
  for (let length = 0; length < batch.length; length++) {
    assert.throws(() => decodeBatch(batch.subarray(0, length)), isFault('malformed'), `cut at ${length}`)
  }
  fc.assert(
    fc.property(fc.nat({ max: batch.length - 1 }), fc.nat({ max: 255 }), (at, byte) => {
      const damaged = Uint8Array.from(batch)
      damaged[at] = byte
      try {
        decodeBatch(damaged)
      } catch (error) {
        assert.ok(error instanceof WireError, String(error))
      }
    }),
    { numRuns: 2000 },
  )
  assert.throws(() => decodeBatch(Buffer.concat([batch, Buffer.of(0)])), isFault('malformed'))
})

test('a batch of a later format is refused as such', () => {
  const batch = encodeBatch([smallRecord])
  batch[3] = BATCH_VERSION + 1
  assert.throws(() => decodeBatch(batch), isFault('version'))
})

test('what is over a limit is not encoded', () => {
  const one = (content: Uint8Array): MailRecord => ({ ...smallRecord, content })
  assert.throws(() => encodeRecord(one(Buffer.alloc(INLINE_LIMIT + 1))), isFault('too-large'))
  const long: MailRecord = {
    ...smallRecord,
    envelope: { ...smallRecord.envelope, from: 'x'.repeat(MAX_ENVELOPE_BYTES) },
  }
  assert.throws(() => encodeRecord(long), isFault('too-large'))
  assert.throws(() => encodeBatch(new Array(MAX_BATCH_RECORDS + 1).fill(smallRecord)), isFault('too-large'))
  assert.throws(() => encodeBatch(new Array(4).fill(one(Buffer.alloc(MAX_BATCH_BYTES / 3)))), isFault('too-large'))
  assert.throws(() => encodeBatch([]), isFault('malformed'))
})

test('fields of a newer version survive a copy by an older one', () => {
  const [read] = decodeBatch(encodeBatch([fullRecord]))
  assert.ok(read)
  const copy = { ...read, envelope: { ...read.envelope, origin: 43 } }
  assert.deepEqual(decodeBatch(encodeBatch([copy]))[0]?.envelope.newer, { zz: { later: ['version'] } })
})

test('a lease reads as it was written', () => {
  fc.assert(
    fc.property(text, count, fc.boolean(), (id, n, released) => {
      const one: Lease = { ...lease, id, floor: n, floorTime: n, released, mayBegin: { mail: n, due: n } }
      assert.deepEqual(decodeLease(encodeLease(one)), one)
    }),
  )
})

test('a lease with fields of a newer version is read, one that lacks fields is refused', () => {
  const json = JSON.parse(encodeLease(lease).toString()) as Record<string, unknown>
  assert.deepEqual(decodeLease(Buffer.from(JSON.stringify({ ...json, more: 1 }))), lease)
  for (const key of Object.keys(json).filter((name) => name !== 'released')) {
    const { [key]: _, ...rest } = json
    assert.throws(() => decodeLease(Buffer.from(JSON.stringify(rest))), isFault('malformed'), key)
  }
  assert.throws(() => decodeLease(Buffer.from('{')), isFault('malformed'))
  assert.throws(() => decodeLease(Buffer.from(JSON.stringify({ ...json, v: 2 }))), isFault('version'))
})

test('an entry reads as it was written, in printable ASCII, and is never larger than reckoned', () => {
  fc.assert(
    fc.property(header, (one) => {
      const value = encodeEntry(one)
      assert.match(value, /^[ -~]*$/)
      assert.deepEqual(decodeEntry(value), one)
      const sizes = [
        ...one.closes.map(closingSize),
        ...(one.later?.records ?? []).map(successorSize),
        ...(one.told ?? []).map(toldSize),
      ]
      assert.ok(value.length <= sizes.reduce((sum, size) => sum + size, ENTRY_OVERHEAD))
    }),
  )
})

test('accepted messages read as they were written, and are never larger than reckoned', () => {
  const message = object(
    { id: plainText, from: plainText, to: fc.array(plainText, { maxLength: 4 }), first: count, facts: acceptedFacts },
    { requiredKeys: ['id', 'from', 'to', 'first', 'facts'] },
  ) as fc.Arbitrary<AcceptedMessage>
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), (messages) => {
      const value = encodeAccepted(messages)
      assert.match(value, /^[ -~]*$/)
      assert.deepEqual(decodeAccepted(value), messages)
      assert.ok(value.length <= messages.map(acceptedSize).reduce((sum, size) => sum + size, ACCEPTED_OVERHEAD))
    }),
  )
})

test('long replies are cut, and what does not fit a header is refused', () => {
  const first = entry.closes[0] as Closing
  const long = { ...first, facts: { reply: 'a' + '😀'.repeat(200) } }
  const reply = decodeEntry(encodeEntry({ ...entry, closes: [long] })).closes[0]?.facts.reply as string
  assert.ok(reply.length <= MAX_REPLY && reply.isWellFormed())
  const closes = new Array<Closing>(1000).fill(first)
  assert.throws(() => encodeEntry({ ...entry, closes }), isFault('too-large'))
  const fitting = Math.floor((MAX_ENTRY_HEADER - ENTRY_OVERHEAD) / closingSize(first))
  assert.ok(fitting >= 128)
  encodeEntry({ node: 'n', lease: 1, closes: closes.slice(0, fitting) })
})

test('an entry of a newer version still tells what it closes', () => {
  const json = JSON.parse(encodeEntry(entry)) as { v: number; c: unknown[][]; z?: unknown }
  json.v = 9
  json.z = 'new'
  json.c[0]![4] = 'Q'
  json.c[0]!.push({}, 'more')
  const read = decodeEntry(JSON.stringify(json))
  assert.equal(read.closes[0]?.how, 'unknown')
  assert.deepEqual(read.closes[0]?.positions, [0])
  assert.deepEqual(read.closes[1], entry.closes[1])
})

test('damaged entries end in a WireError or read as something', () => {
  const value = encodeEntry(entry)
  fc.assert(
    fc.property(fc.nat({ max: value.length - 1 }), fc.constantFrom(...'0[]{}"9,nx'), (at, char) => {
      try {
        decodeEntry(value.slice(0, at) + char + value.slice(at + 1))
      } catch (error) {
        assert.ok(error instanceof WireError, String(error))
      }
    }),
    { numRuns: 3000 },
  )
})

test('runs of numbers are packed, hostile runs are refused', () => {
  assert.deepEqual(packNumbers([0, 1, 2, 3, 9, 10, 12]), [[0, 3], 9, 10, 12])
  fc.assert(fc.property(numbers, (list) => assert.deepEqual(unpackNumbers(packNumbers(list), 'list'), list)))
  assert.throws(() => unpackNumbers([[0, 1e12]], 'list'), isFault('malformed'))
  assert.throws(() => unpackNumbers([[5, 1]], 'list'), isFault('malformed'))
})
