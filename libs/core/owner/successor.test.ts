import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeBatch, encodeBatch } from '../batch-codec.ts'
import { failureReport } from '../dsn.ts'
import type { Outcome } from '../outcome.ts'
import type { Envelope, MailRecord } from '../record.ts'
import { encodeRecord } from '../record-codec.ts'
import { scanContent } from '../scan.ts'
import { OpenBatch } from './open-batch.ts'
import { bounceOf, successorOf } from './successor.ts'

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const content = Buffer.from('Subject: x\r\n\r\nbody\r\n')
const envelope: Envelope = {
  id: 'AAAAAAAA00001',
  from: 'a@example.org',
  recipients: [
    { address: 'b@example.com', index: 0 },
    { address: 'c@example.net', index: 1 },
  ],
  acceptedAt: 1_790_000_000_000,
  storedAt: 0,
  origin: 0,
  attempts: { count: 0 },
  facts: scanContent(content),
  traceparent,
}
const deferred = { how: 'deferred', facts: {}, due: 1, destination: 'x' } as const
const parked = { how: 'parked', due: 1, destination: 'x' } as const

/** As it is read again. */
function stored(record: MailRecord): OpenBatch {
  const payload = encodeBatch([encodeRecord(record)])
  return new OpenBatch('later', { seq: 7, storedAt: 1, id: '', records: decodeBatch(payload), bytes: payload.length })
}

test('a message keeps its trace through every deferral, parking and split, stored and read again', () => {
  let batch = stored({ envelope, content })
  const outcomes: readonly Extract<Outcome, { how: 'deferred' | 'parked' }>[] = [deferred, parked, deferred, parked]
  for (const outcome of outcomes) {
    const next = successorOf(batch, 0, [0], outcome, false)
    assert.equal(next.envelope.traceparent, traceparent, outcome.how)
    assert.equal(next.envelope.recipients.length, 1)
    batch = stored(next)
  }
  assert.equal(batch.records[0]?.envelope.attempts.count, 2)
})

test('the report of a failure has the trace of the message it reports', () => {
  const failed = [{ position: 1, status: '5.1.1', diagnostic: '550 5.1.1 no', isReply: true }]
  const report = failureReport(envelope, failed, content, true, { id: 'BBBB', hostname: 'relay.example', now: 1 })
  const batch = stored(bounceOf(report, 3, 'batch'))
  assert.equal(batch.records[0]?.envelope.traceparent, traceparent)
})
