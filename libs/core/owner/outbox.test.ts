import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeBatch } from '../batch-codec.ts'
import type { Told } from '../entry.ts'
import { encodeEntry } from '../entry-codec.ts'
import { fullRecord, smallRecord, toldEntry } from '../golden/samples.ts'
import type { MailRecord } from '../record.ts'
import { encodeRecord, recordSize } from '../record-codec.ts'
import { OpenBatch } from './open-batch.ts'
import { Outbox, recordBytes, type Pending } from './outbox.ts'

const [one] = toldEntry.told as readonly [Told]
const told = (later: number, recipients = 1): Told => {
  const numbers = Array.from({ length: recipients }, (_, n) => 2 * n)
  return { ...one, later, closing: { ...one.closing, positions: numbers, indexes: numbers.map((n) => n + 1) } }
}
const pending = (record: MailRecord): Pending => ({
  batch: new OpenBatch('mail', { seq: 1, storedAt: 1, id: 'b', records: [record], bytes: 1 }),
  record: 0,
  closing: toldEntry.closes[0]!,
  at: 0,
  ran: 0,
})

test('what a record takes in a batch is never more than was reckoned, whatever a client calls itself', () => {
  const names = [
    'client.example',
    'ü'.repeat(255),
    '€'.repeat(255),
    '\u0001'.repeat(255),
    '"\\'.repeat(120),
    '😀'.repeat(120),
  ]
  for (const name of names) {
    const { envelope } = fullRecord
    const accepted = { node: name, client: name, role: name, user: name, tls: name, messageId: name }
    const attempts = { count: 3, lastReply: name, lastHost: name, warned: true }
    const whole = {
      ...envelope,
      from: name,
      helo: name,
      accepted,
      attempts,
      newer: { z: [name, { name }] },
      traceparent: name,
    }
    for (const record of [{ ...fullRecord, envelope: whole }, smallRecord, fullRecord])
      assert.ok(recordSize(encodeRecord(record)) <= recordBytes(record), name.slice(0, 20))
  }
})

test('deferrals of clients with strange names fit the batches that are made of them', () => {
  const outbox = new Outbox(() => 'id')
  const record = {
    ...smallRecord,
    envelope: { ...smallRecord.envelope, helo: '€'.repeat(255) },
    content: Buffer.alloc(6200),
  }
  const head = { id: 'x', origin: 1, batch: 'b', recipients: 1 }
  for (let n = 0; n < 300; n++) outbox.successor(pending(record), 'deferred', 'd.example', 1000, head, record)
  let records = 0
  for (let entry = outbox.take(100); entry !== undefined; entry = outbox.take(100)) {
    encodeBatch(entry.records)
    records += entry.records.length
  }
  assert.equal(records, 300)
})

test('more than a hundred thousand things to tell go out in entries that fit', () => {
  const outbox = new Outbox(() => 'id')
  assert.deepEqual(outbox.tell(Array.from({ length: 150_000 }, (_, n) => told(n))), [])
  let now = 100
  let count = 0
  for (let entries = 0; !outbox.isEmpty && entries < 5000; entries++) {
    const entry = outbox.take(now)
    now += 50
    if (entry === undefined) continue
    assert.ok(entry.told.length > 0)
    if (entries % 500 === 0) encodeEntry({ node: 'n', lease: 1, closes: [], told: entry.told })
    count += entry.told.length
  }
  assert.equal(count, 150_000)
})

test('what no entry has room for is given back, and stands in nobody’s way', () => {
  const outbox = new Outbox(() => 'id')
  const large = told(1, 20_000)
  assert.deepEqual(outbox.tell([told(2), large, told(3)]), [large])
  assert.deepEqual(
    outbox.take(100)?.told.map(({ later }) => later),
    [2, 3],
  )
  assert.equal(outbox.take(1000), undefined)
  assert.ok(outbox.isEmpty)
})

test('what is only for readers does not hold up deferrals', () => {
  const outbox = new Outbox(() => 'id')
  outbox.tell(Array.from({ length: 5000 }, (_, n) => told(n)))
  const head = { id: 'x', origin: 1, batch: 'b', recipients: 1 }
  outbox.successor(pending(smallRecord), 'deferred', 'd.example', 1000, head, smallRecord)
  assert.deepEqual(
    [outbox.take(100)?.kind, outbox.take(100)?.kind, outbox.take(100)?.kind],
    ['outcome', 'later', undefined],
  )
})
