/** The values behind the golden files: every field once, and the smallest there is. */
import type { AcceptedFacts, AcceptedMessage, EntryHeader } from '../entry.ts'
import type { Lease } from '../lease.ts'
import type { MailRecord } from '../record.ts'

const plainFacts = { eightBit: false, eightBitHeader: false, dotLines: false, longestLine: 17, endsWithCrlf: true }

export const smallRecord: MailRecord = {
  envelope: {
    id: '2M7Q1A0000AB',
    from: '',
    recipients: [{ address: 'bob@example.net', index: 0 }],
    acceptedAt: 1_790_000_000_000,
    storedAt: 0,
    origin: 0,
    attempts: { count: 0 },
    facts: { ...plainFacts, size: 28 },
  },
  content: Buffer.from('Subject: greeting\r\n\r\nhello\r\n'),
}

export const fullRecord: MailRecord = {
  envelope: {
    id: '2M7Q1A0000AC',
    from: 'ålice@example.org',
    recipients: [
      { address: 'bob@example.net', index: 1 },
      {
        address: 'carol@example.net',
        index: 2,
        notify: ['FAILURE', 'DELAY'],
        orcpt: 'rfc822;carol+2Bx@example.net',
      },
    ],
    body8bit: true,
    smtputf8: true,
    ret: 'HDRS',
    envid: 'QQ314159',
    acceptedAt: 1_790_000_000_000,
    storedAt: 1_790_000_000_123,
    origin: 42,
    batch: 'edge-1/77/2',
    attempts: { count: 3, lastReply: '450 4.2.1 try later', lastHost: 'mx.example.net[192.0.2.1]:25', warned: true },
    facts: { size: 600_000, eightBit: true, eightBitHeader: true, dotLines: true, longestLine: 998, endsWithCrlf: false },
    body: { id: 'b7Kd01', chunks: 2, size: 600_000, sha256: '00ff'.repeat(16) },
    suspect: true,
    report: { record: '2M7Q1A0000AA', recipients: [0, 1, 2, 3, 7] },
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    accepted: {
      node: 'edge-1',
      client: '192.0.2.7',
      role: 'submission',
      user: 'alice',
      tls: 'TLSv1.3',
      messageId: '<1@example.org>',
    },
    helo: 'client.example.org',
    newer: { zz: { later: ['version'] } },
  },
  content: Buffer.alloc(0),
}

export const lease: Lease = {
  id: 'lease-1',
  node: 'delivery-1/9f3c',
  name: 'delivery-1',
  time: 10_000,
  floor: 40,
  floorTime: 1_789_999_999_000,
  r: 17,
  mayBegin: { mail: 500, due: 1_790_000_060_000 },
  suspects: { mail: 44, log: 16, due: 1_790_000_000_000 },
  backlog: { ready: 3, later: 70_000, bytes: 123_456 },
  released: false,
}

export const entry: EntryHeader = {
  node: 'delivery-1/9f3c',
  lease: 18,
  closes: [
    {
      stream: 'mail',
      seq: 42,
      record: 0,
      positions: [0],
      id: '2M7Q1A0000AB',
      indexes: [0],
      origin: 42,
      batch: 'edge-1/77/1',
      how: 'delivered',
      attempt: 1,
      facts: { reply: '250 2.0.0 Ok', host: 'mx.example.net[192.0.2.1]:25', tls: 'TLSv1.3', ms: 12 },
    },
    {
      stream: 'later',
      seq: 15,
      record: 2,
      positions: [0, 1, 2, 3, 9],
      id: '2M7Q1A0000AC',
      indexes: [4, 6, 7, 8, 30],
      origin: 41,
      batch: 'edge-1/77/0',
      body: 'b7Kd01',
      report: { record: '2M7Q1A0000AA', recipients: [0] },
      how: 'bounced',
      attempt: 4,
      facts: { reply: '550 5.1.1 кто это', host: 'mx.example.net[192.0.2.1]:25' },
    },
  ],
  later: {
    due: 1_790_000_120_000,
    destination: 'example.org',
    state: 'parked',
    records: [
      { id: '2M7Q1A0000AD', origin: 41, batch: 'edge-1/77/0', recipients: 1 },
      {
        id: '2M7Q1A0000AE',
        origin: 41,
        batch: 'edge-1/77/0',
        recipients: 3,
        body: 'b7Kd01',
        suspect: true,
        report: { record: '2M7Q1A0000AC', recipients: [4, 6, 7, 8, 30] },
      },
    ],
  },
}

const acceptedFacts: AcceptedFacts = {
  node: 'edge-1',
  client: '192.0.2.7',
  role: 'submission',
  user: 'alice',
  tls: 'TLSv1.3 with cipher TLS_AES_256_GCM_SHA384',
  messageId: '<1@example.org>',
  helo: 'laptop.example.org',
  size: 1234,
  recipients: 2,
  acceptedAt: 1_790_000_000_000,
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
}

/** With what is there for readers, written since 0.2. */
export const toldEntry: EntryHeader = {
  node: 'delivery-1/9f3c',
  lease: 18,
  name: 'delivery-1',
  closes: [
    {
      ...entry.closes[0]!,
      at: 1_790_000_001_000,
      from: 'alice@example.org',
      to: ['bob@example.net'],
      all: ['bob@example.net', 'carol@example.net'],
      accepted: acceptedFacts,
      possibleDuplicate: true,
    },
  ],
  later: { ...entry.later!, oldest: 1_790_000_000_123 },
  told: [{ later: 17, closing: { ...entry.closes[1]!, to: ['dave@example.com'] }, due: 1_790_000_000_000, bounce: 'B1' }],
}

export const acceptedMessages: readonly AcceptedMessage[] = [
  {
    id: '2M7Q1A0000AB',
    from: 'alice@example.org',
    to: ['bob@example.net', 'carol@example.net'],
    first: 0,
    facts: acceptedFacts,
  },
]
