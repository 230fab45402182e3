// A store that holds one message of each kind: two recipients that were never tried, and one that was deferred.
import { encodeBatch } from '@posthouse/core/batch-codec'
import type { Envelope, MailRecord } from '@posthouse/core/record'
import type { Store } from '@posthouse/queue/store'

export const NEVER_TRIED = 'AAAA0001'
export const DEFERRED = 'AAAA0002'
export const DUE = Date.parse('2100-01-01T00:00:00Z')
const ACCEPTED = Date.parse('2026-11-01T12:00:00Z')
const TIMEOUT_MS = 5000

export async function fill(store: Store): Promise<void> {
  const twice = record(NEVER_TRIED, 'alice@example.org', ['bob@example.net', 'carol@example.net'], 0)
  const once = record(DEFERRED, '', ['dave@example.com'], 1)
  const mail = await store.appendMail(0, 'edge-1/1/1', 2, encodeBatch([twice, once]), TIMEOUT_MS)
  if (mail.is !== 'stored') throw new Error(`the batch was not stored: ${mail.is}`)
  const lease = await store.writeLease(0, leaseOf(mail.seq), 0, TIMEOUT_MS)
  if (lease.is !== 'stored') throw new Error(`the lease was not stored: ${lease.is}`)

  const facts = { reply: '450 4.2.1 try later', host: 'mx.example.com[192.0.2.1]:25' }
  const task = { id: DEFERRED, origin: mail.seq, batch: 'edge-1/1/1' }
  const header = {
    node: 'delivery-1/1',
    lease: lease.seq,
    closes: [
      {
        ...task,
        stream: 'mail' as const,
        seq: mail.seq,
        record: 1,
        positions: [0],
        indexes: [0],
        how: 'deferred' as const,
        attempt: 1,
        facts,
      },
    ],
    later: { due: DUE, destination: 'example.com', state: 'deferred' as const, records: [{ ...task, recipients: 1 }] },
  }
  const attempts = { count: 1, lastReply: facts.reply, lastHost: facts.host }
  const again = { ...once, envelope: { ...once.envelope, storedAt: ACCEPTED, origin: mail.seq, attempts } }
  const entry = await store.writeEntry(0, 'delivery-1/1/1', 'later', header, encodeBatch([again]), TIMEOUT_MS)
  if (entry.is !== 'stored') throw new Error(`the entry was not stored: ${entry.is}`)
}

function record(id: string, from: string, to: readonly string[], later: number): MailRecord {
  const content = Buffer.from('Subject: greeting\r\n\r\nhello\r\n')
  const envelope: Envelope = {
    id,
    from,
    recipients: to.map((address, index) => ({ address, index })),
    acceptedAt: ACCEPTED + later,
    storedAt: 0,
    origin: 0,
    attempts: { count: 0 },
    facts: {
      size: content.length,
      eightBit: false,
      eightBitHeader: false,
      dotLines: false,
      longestLine: 17,
      endsWithCrlf: true,
    },
    accepted: { node: 'edge-1', client: '192.0.2.7', role: 'submission', user: 'alice', messageId: '<1@example.org>' },
  }
  return { envelope, content }
}

function leaseOf(floor: number) {
  return {
    id: 'lease-1',
    node: 'delivery-1/1',
    name: 'delivery-1',
    time: 10_000,
    floor,
    floorTime: 0,
    r: 1,
    mayBegin: { mail: 500, due: DUE },
    suspects: { mail: 0, log: 0, due: 0 },
    backlog: { ready: 0, later: 0, bytes: 0 },
    released: false,
  }
}
