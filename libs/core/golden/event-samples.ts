/** An event of each type as a log tells it, one of an older version, and one that has every field there is. */
import { EVENT_SCHEMA, type EventType, type MailEvent } from '../event.ts'

const ALICE = 'alice@example.org'
const MESSAGE = 'SF9QQAHP00003'
const REPORT = 'V1M2K3QX0000B'

const bob = { index: 0, address: 'bob@example.net' }
const carol = { index: 1, address: 'carol@example.com' }
const dave = { index: 2, address: 'dave@example.com' }

const ofMessage = { schema: EVENT_SCHEMA, partition: 2, message: MESSAGE, sender: ALICE } as const
const host = 'mx1.example.com[192.0.2.1]:25'
const tls = 'TLSv1.3 TLS_AES_256_GCM_SHA384'

export const eventSamples: Readonly<Record<EventType, MailEvent>> = {
  accepted: {
    ...ofMessage,
    id: `${MESSAGE}.accepted`,
    type: 'accepted',
    time: '2026-11-01T12:00:00.000Z',
    sequence: 1042,
    node: 'edge-1',
    recipients: [bob, carol, dave],
    acceptance: {
      node: 'edge-1',
      client: '192.0.2.7',
      helo: 'client.example.org',
      role: 'submission',
      user: 'alice',
      tls: 'TLSv1.3',
      messageId: '<1@example.org>',
      size: 2048,
      recipients: 3,
      acceptedAt: '2026-11-01T12:00:00.000Z',
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    },
  },
  delivered: {
    ...ofMessage,
    id: '2.1043.0',
    type: 'delivered',
    time: '2026-11-01T12:00:00.050Z',
    sequence: 1043,
    node: 'delivery-1',
    recipients: [bob],
    attempt: { number: 1, host: 'mx.example.net[192.0.2.9]:25', tls, reply: '250 2.0.0 Ok: queued as 1A2B', ms: 31 },
  },
  parked: {
    ...ofMessage,
    id: '2.1044.0',
    type: 'parked',
    time: '2026-11-01T12:00:03.000Z',
    sequence: 1044,
    node: 'delivery-1',
    recipients: [carol, dave],
    attempt: { number: 0 },
    next: '2026-11-01T12:00:33.000Z',
  },
  deferred: {
    ...ofMessage,
    id: '2.1050.0',
    type: 'deferred',
    time: '2026-11-01T12:00:33.200Z',
    sequence: 1050,
    node: 'delivery-2',
    recipients: [carol],
    attempt: { number: 1, host, reply: '450 4.2.1 try later', ms: 170 },
    next: '2026-11-01T12:05:33.200Z',
  },
  bounced: {
    ...ofMessage,
    id: '2.1050.1',
    type: 'bounced',
    time: '2026-11-01T12:00:33.210Z',
    sequence: 1050,
    node: 'delivery-2',
    recipients: [dave],
    attempt: { number: 1, host, tls, reply: '550 5.1.1 no such user', ms: 180 },
    report: REPORT,
  },
  attempted: {
    ...ofMessage,
    id: '2.1052.0',
    type: 'attempted',
    time: '2026-11-01T12:05:33.400Z',
    sequence: 1052,
    node: 'delivery-2',
    recipients: [carol],
    attempt: { number: 2, host, tls, reply: '250 2.0.0 Ok', ms: 12_400 },
  },
  held: {
    ...ofMessage,
    id: '2.1055.0',
    type: 'held',
    time: '2026-11-01T12:06:00.000Z',
    sequence: 1055,
    node: 'delivery-1',
    recipients: [carol],
    attempt: { number: 1 },
    next: '2026-12-01T12:06:00.000Z',
  },
  expired: {
    ...ofMessage,
    id: '2.2077.0',
    type: 'expired',
    time: '2026-11-06T12:00:01.000Z',
    sequence: 2077,
    node: 'delivery-1',
    recipients: [carol],
    attempt: { number: 30, host, reply: '450 4.2.1 try later', ms: 90 },
    report: 'V1M2K3QX0000C',
    possibleDuplicate: true,
  },
  discarded: {
    ...ofMessage,
    id: '2.2078.0',
    type: 'discarded',
    time: '2026-11-06T12:00:02.000Z',
    sequence: 2078,
    node: 'delivery-1',
    message: REPORT,
    sender: '',
    recipients: [{ index: 0, address: ALICE }],
    attempt: { number: 1, reply: 'discarded by an operator' },
    reports: { message: MESSAGE, recipients: [2] },
  },
}

/** Of a node of an earlier version: without addresses, and without its name. */
export const olderEvent: MailEvent = {
  schema: EVENT_SCHEMA,
  id: '0.7.0',
  type: 'delivered',
  time: '2026-10-01T12:00:00.000Z',
  partition: 0,
  sequence: 7,
  node: 'delivery-1/9f3c',
  message: 'SF9QQAHP00001',
  recipients: [{ index: 0 }],
  attempt: { number: 1 },
}

/** Without an optional field anywhere. */
type Whole<T> = T extends readonly (infer Item)[]
  ? readonly Whole<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]-?: Whole<T[Key]> }
    : T

/** No such event exists. It does not compile while a field is missing, so that what is documented can be held against it. */
export const wholeEvent: Whole<MailEvent> = {
  ...ofMessage,
  id: '2.1050.1',
  type: 'bounced',
  time: '2026-11-01T12:00:33.210Z',
  sequence: 1050,
  node: 'delivery-2',
  recipients: [dave],
  acceptance: {
    node: 'edge-1',
    client: '192.0.2.7',
    helo: 'client.example.org',
    role: 'submission',
    user: 'alice',
    tls: 'TLSv1.3',
    messageId: '<1@example.org>',
    size: 2048,
    recipients: 3,
    acceptedAt: '2026-11-01T12:00:00.000Z',
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  },
  attempt: { number: 1, host, tls, reply: '550 5.1.1 no such user', ms: 180 },
  next: '2026-11-01T12:05:33.200Z',
  report: REPORT,
  reports: { message: 'SF9QQAHP00001', recipients: [0] },
  possibleDuplicate: true,
}
