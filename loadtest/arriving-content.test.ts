import assert from 'node:assert/strict'
import { test } from 'node:test'
import { receivedHeader, receivedPrefix } from '@posthouse/core/received'
import { ArrivingContent } from './arriving-content.ts'
import { digestOf } from './message.ts'

const ID = '0123456789ABC'
const CONTENT =
  'Received: from first\r\n\tby second with ESMTP id other;\r\n\tnow\r\nFrom: a\r\n\r\nbody\r\n\r\nmore\r\n'

const session = {
  helo: 'client.load.example',
  clientAddress: '127.0.0.1',
  by: 'edge-1.posthouse.example',
  extended: true,
  tls: 'TLSv1.3 with cipher TLS_AES_256_GCM_SHA384',
  authenticated: true,
  smtputf8: false,
}

function taken(text: string, cut: number, traceHeaders = 1) {
  const arriving = new ArrivingContent(traceHeaders)
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += cut) arriving.take(bytes.subarray(at, at + cut))
  return arriving.end()
}

for (const tls of [session.tls, undefined]) {
  test(`the digest is of what lies below the trace header, however it comes in; tls: ${tls}`, () => {
    const trace = receivedHeader(receivedPrefix({ ...session, tls }), ID, tls && 'r@site-1.example', 0)
    for (const cut of [1, 2, 3, 7, 50, 10_000]) {
      assert.deepEqual(taken(trace + CONTENT, cut), { digest: digestOf(Buffer.from(CONTENT)), queueId: ID })
    }
  })
}

test('without a trace header there is no digest, and when none is expected all counts', () => {
  assert.deepEqual(taken('From: a\r\n\r\nbody\r\n', 5), { digest: null, queueId: undefined })
  assert.deepEqual(taken(CONTENT, 5, 0), { digest: digestOf(Buffer.from(CONTENT)), queueId: undefined })
})

test('content without an end of the header section is taken too', () => {
  assert.equal(taken('Received: a\r\nno body', 4).digest, digestOf(Buffer.from('no body')))
})
