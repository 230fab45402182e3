import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simpleParser } from 'mailparser'
import { encodeRecord, INLINE_LIMIT } from './record-codec.ts'
import { failureReport, wantsFailureReport } from './dsn.ts'
import type { FailedRecipient } from './dsn.ts'
import type { Envelope } from './record.ts'
import { scanContent } from './scan.ts'
import { decodeXtext } from './xtext.ts'

const content = Buffer.from('From: Anna <anna@example.org>\r\nSubject: hello\r\n\r\nBody\r\n')
const envelope: Envelope = {
  id: 'ABCDEFGH00001',
  from: 'anna@example.org',
  recipients: [
    { address: 'bob@example.com', index: 0, orcpt: 'rfc822;bob+2Bold@example.com' },
    { address: 'carl@example.com', index: 1 },
    { address: 'dora@example.com', index: 5 },
  ],
  acceptedAt: Date.UTC(2026, 10, 24, 11, 22, 33),
  storedAt: 1,
  origin: 1,
  attempts: { count: 2 },
  facts: scanContent(content),
  envid: 'QQ+3D1',
}
const failed: FailedRecipient[] = [
  { position: 0, status: '5.1.1', diagnostic: '550 5.1.1 no such user', isReply: true, remote: 'mx.example.com' },
  { position: 2, status: '4.4.1', diagnostic: 'mx.example.com: timeout', isReply: false },
]
const options = {
  id: 'ZZZZZZZZ00001',
  hostname: 'relay.example.net',
  now: Date.UTC(2026, 10, 24, 12, 0, 0),
}

test('the report is a message from the null sender to the sender, and names what it reports', () => {
  const record = failureReport(envelope, failed, content, true, options)
  assert.equal(record.envelope.from, '')
  assert.deepEqual(record.envelope.recipients, [{ address: 'anna@example.org', index: 0 }])
  assert.deepEqual(record.envelope.report, { record: 'ABCDEFGH00001', recipients: [0, 5] })
  assert.deepEqual(record.envelope.facts, scanContent(record.content))
})

test('people and programs can read it', async () => {
  const record = failureReport(envelope, failed, content, true, options)
  const parsed = await simpleParser(Buffer.from(record.content))
  assert.equal(parsed.from?.value[0]?.address, 'MAILER-DAEMON@relay.example.net')
  assert.equal(parsed.headers.get('auto-submitted'), 'auto-replied')
  const type = parsed.headers.get('content-type') as { value: string; params: Record<string, string> }
  assert.equal(type.value, 'multipart/report')
  assert.equal(type.params['report-type'], 'delivery-status')
  assert.match(parsed.text ?? '', /<bob@example\.com>:\n\s+mx\.example\.com said: 550 5\.1\.1 no such user/)
  assert.deepEqual(partOf(record.content, 'message/delivery-status').split('\r\n'), [
    'Original-Envelope-Id: QQ=1',
    'Reporting-MTA: dns; relay.example.net',
    'X-Posthouse-Queue-Id: ABCDEFGH00001',
    'Arrival-Date: Tue, 24 Nov 2026 11:22:33 +0000',
    '',
    'Original-Recipient: rfc822;bob+old@example.com',
    'Final-Recipient: rfc822; bob@example.com',
    'Action: failed',
    'Status: 5.1.1',
    'Remote-MTA: dns; mx.example.com',
    'Diagnostic-Code: smtp; 550 5.1.1 no such user',
    'Last-Attempt-Date: Tue, 24 Nov 2026 12:00:00 +0000',
    '',
    'Final-Recipient: rfc822; dora@example.com',
    'Action: failed',
    'Status: 4.4.1',
    'Diagnostic-Code: x-posthouse; mx.example.com: timeout',
    'Last-Attempt-Date: Tue, 24 Nov 2026 12:00:00 +0000',
  ])
})

test('the message comes back whole with RET=FULL, else its header', async () => {
  const header = failureReport(envelope, failed, content, true, options)
  const part = (await simpleParser(Buffer.from(header.content))).attachments.at(-1)
  assert.equal(part?.contentType, 'text/rfc822-headers')
  assert.equal(part?.content.toString(), 'From: Anna <anna@example.org>\r\nSubject: hello\r\n')
  const full = failureReport({ ...envelope, ret: 'FULL' }, failed, content, true, options)
  assert.ok(Buffer.from(full.content).includes(content))
  assert.match(Buffer.from(full.content).toString(), /Content-Type: message\/rfc822/)
})

test('only the header comes back of what is large or not at hand, even with RET=FULL', () => {
  const large = Buffer.concat([content, Buffer.alloc(300_000, 'x\r\n')])
  const full: Envelope = { ...envelope, ret: 'FULL' }
  for (const record of [
    failureReport(full, failed, large, true, options),
    failureReport(full, failed, content, false, options),
  ]) {
    assert.ok(record.content.length < 5000)
    assert.match(Buffer.from(record.content).toString(), /text\/rfc822-headers/)
  }
})

test('a report fits into a record, whatever it returns and however much was said of however many', () => {
  const whole = Buffer.concat([Buffer.from('Subject: large\r\n\r\n'), Buffer.alloc(INLINE_LIMIT - 18, 'x')])
  const longHeader = Buffer.concat([Buffer.alloc(INLINE_LIMIT, 'X-Long: ü\r\n')])
  const said = '550 ' + 'ü'.repeat(1000)
  for (const count of [1, 100, 1000, 5000]) {
    const recipients = Array.from({ length: count }, (_, index) => ({
      address: `${'b'.repeat(60)}${index}@example.com`,
      index,
    }))
    const all = recipients.map(({ index }) => ({ ...failed[0]!, position: index, diagnostic: said }))
    for (const returned of [content, whole, longHeader]) {
      const record = failureReport({ ...envelope, recipients, ret: 'FULL' }, all, returned, true, options)
      encodeRecord(record)
      const text = Buffer.from(record.content).toString()
      const named = text.match(/^Final-Recipient/gm)?.length ?? 0
      const unnamed = Number(/and to (\d+) more recipients/.exec(text)?.[1] ?? 0)
      assert.equal(named + unnamed, count)
      if (count <= 100) assert.equal(unnamed, 0)
      if (returned === content) assert.ok(text.includes('message/rfc822'))
    }
  }
})

test('an international header goes encoded, so that the report passes where the message could not', async () => {
  const header = Buffer.from('Subject: Grüße\r\n\r\nhello\r\n')
  const message = { ...envelope, facts: scanContent(header) }
  const record = failureReport(message, failed, header, true, options)
  assert.equal(record.envelope.facts.eightBit, false)
  assert.equal(record.envelope.smtputf8, undefined)
  const part = (await simpleParser(Buffer.from(record.content))).attachments.at(-1)
  assert.equal(part?.contentType, 'message/global-headers')
  assert.equal(part?.content.toString(), 'Subject: Grüße\r\n')
})

test('an international address is reported as RFC 6533 says', () => {
  const message: Envelope = { ...envelope, recipients: [{ address: 'bärbel@example.com', index: 0 }] }
  const record = failureReport(message, failed.slice(0, 1), content, true, options)
  const text = Buffer.from(record.content).toString()
  assert.match(text, /Content-Type: message\/global-delivery-status\r\nContent-Transfer-Encoding: 8bit/)
  assert.match(text, /Final-Recipient: utf-8; bärbel@example.com/)
  assert.equal(record.envelope.body8bit, true)
})

test('a reply cannot forge fields or parts', () => {
  const bad = [{ ...failed[0]!, diagnostic: '550 x\r\nAction: delivered\r\n--=_ZZZZZZZZ00001--' }]
  const text = Buffer.from(failureReport(envelope, bad, content, true, options).content).toString()
  assert.doesNotMatch(text, /^Action: delivered/m)
  assert.equal(text.split('\r\n').filter((line) => line.startsWith('--=_')).length, 4)
})

test('who is told of a failure', () => {
  const rows: [from: string, notify: readonly string[] | undefined, expected: boolean][] = [
    ['a@example.org', undefined, true],
    ['a@example.org', ['FAILURE', 'DELAY'], true],
    ['a@example.org', ['SUCCESS'], false],
    ['a@example.org', ['NEVER'], false],
    ['', undefined, false],
    ['', ['FAILURE'], false],
  ]
  for (const [from, notify, expected] of rows) {
    const recipient =
      notify === undefined ? { address: 'b@example.com', index: 0 } : { address: 'b@example.com', index: 0, notify }
    assert.equal(wantsFailureReport({ ...envelope, from }, recipient), expected, `${from} ${String(notify)}`)
  }
})

test('xtext is decoded, and what is no xtext left alone', () => {
  assert.equal(decodeXtext('a+2Bb+3Dc'), 'a+b=c')
  assert.equal(decodeXtext('b+C3+A4rbel'), 'bärbel')
  assert.equal(decodeXtext('a+zz+'), 'a+zz+')
})

/** The body of the first part of that type; mailparser shows it as text among the rest. */
function partOf(message: Uint8Array, type: string): string {
  const part = Buffer.from(message)
    .toString()
    .split('\r\n--=_ZZZZZZZZ00001')
    .find((text) => text.includes(`Content-Type: ${type}\r\n`))
  return (part?.slice(part.indexOf('\r\n\r\n')) ?? '').trim()
}
