import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mailDate } from './mail-date.ts'
import { isQueueId, queueIds } from './queue-id.ts'
import { protocol, receivedHeader, receivedPrefix } from './received.ts'
import { because, multilineReply, reply } from './reply.ts'
import { missingHeaders } from './submission.ts'

const noon = Date.UTC(2026, 10, 4, 12, 3, 9, 999)
const session = {
  helo: 'client.example',
  clientAddress: '192.0.2.1',
  by: 'edge.example',
  extended: true,
  tls: undefined,
  authenticated: false,
  smtputf8: false,
}

test('a date is that of RFC 5322', () => {
  assert.equal(mailDate(noon), 'Wed, 4 Nov 2026 12:03:09 +0000')
  assert.equal(mailDate(0), 'Thu, 1 Jan 1970 00:00:00 +0000')
})

test('a trace header says from, by, with, id, for and when', () => {
  assert.equal(
    receivedHeader(receivedPrefix(session), 'ID1', 'c@d.example', noon),
    'Received: from client.example ([192.0.2.1])\r\n\tby edge.example with ESMTP id ID1\r\n\tfor <c@d.example>;\r\n\tWed, 4 Nov 2026 12:03:09 +0000\r\n',
  )
  assert.equal(
    receivedHeader(receivedPrefix({ ...session, tls: 'TLSv1.3', authenticated: true }), 'ID2', undefined, noon),
    'Received: from client.example ([192.0.2.1])\r\n\t(using TLSv1.3)\r\n\tby edge.example with ESMTPSA id ID2;\r\n\tWed, 4 Nov 2026 12:03:09 +0000\r\n',
  )
})

test('a HELO that is no host name stays out of the header', () => {
  for (const helo of ['a(b', 'x;y', 'ü', 'a b', 'x'.repeat(300), '[1.2.3.4) by x']) {
    assert.match(receivedPrefix({ ...session, helo }), /^Received: from \[192\.0\.2\.1\]\r\n\tby /)
  }
  assert.match(
    receivedPrefix({ ...session, helo: '[192.0.2.9]', clientAddress: '2001:db8::1' }),
    /\[IPv6:2001:db8::1\]/,
  )
})

test('the protocol is one of those registered', () => {
  const of = (extended: boolean, tls: boolean, authenticated: boolean, smtputf8 = false): string =>
    protocol({ extended, tls: tls ? 'TLS' : undefined, authenticated, smtputf8 })
  assert.deepEqual(
    [
      of(false, false, false),
      of(true, false, false),
      of(true, true, false),
      of(true, true, true),
      of(true, true, true, true),
    ],
    ['SMTP', 'ESMTP', 'ESMTPS', 'ESMTPSA', 'UTF8SMTPSA'],
  )
})

test('only what a submission lacks is added', () => {
  const add = (hasDate: boolean, hasMessageId: boolean): string =>
    missingHeaders({ hasDate, hasMessageId }, 'ID', 'edge.example', noon)
  assert.equal(add(true, true), '')
  assert.equal(add(false, true), 'Date: Wed, 4 Nov 2026 12:03:09 +0000\r\n')
  assert.match(add(true, false), /^Message-ID: <ID\.[a-z0-9]+@edge\.example>\r\n$/)
})

test('queue ids are unique, short and count on', () => {
  const next = queueIds(Uint8Array.of(0, 0, 0, 0, 1))
  const ids = new Set<string>()
  for (let count = 0; count < 5000; count += 1) ids.add(next())
  assert.equal(ids.size, 5000)
  for (const id of ids) assert.ok(isQueueId(id) && id.length === 13, id)
  assert.equal([...ids][0], '0000000100000')
  assert.equal([...ids][1025], '0000000100101')
  assert.notEqual(queueIds(Uint8Array.of(255, 255, 255, 255, 255))().slice(0, 8), '00000001')
})

test('a reply is one line whatever it is told, and keeps its cause to itself', () => {
  const to = because(reply(550, '5.7.1', 'no\r\n250 yes'), 'secret\nreason')
  assert.equal(to.wire, '550 5.7.1 no  250 yes\r\n')
  assert.equal(to.cause, 'secret reason')
  assert.equal(multilineReply(250, ['a', 'b\n', 'c']).wire, '250-a\r\n250-b \r\n250 c\r\n')
})
