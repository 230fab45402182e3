import assert from 'node:assert/strict'
import { test } from 'node:test'
import { flawOf, makeProbe, tokenOf } from './probe-message.ts'

const TOKEN = '0123456789abcdef0123456789abcdef'
const { content } = makeProbe('anna@example.org', 'probe@example.net', TOKEN, Date.UTC(2026, 10, 24, 11, 22, 33))
const RECEIVED = 'Received: from a.example ([192.0.2.1])\r\n\tby b.example with ESMTPS id 1;\r\n\tnow\r\n'

function below(top: string, bytes: Buffer | string = content): Buffer {
  return Buffer.concat([Buffer.from(top), Buffer.from(bytes)])
}

test('the message is one that nobody needs to mend or may refuse', () => {
  const text = content.toString('latin1')
  assert.match(text, /\r\nDate: Tue, 24 Nov 2026 11:22:33 \+0000\r\n/)
  assert.match(text, new RegExp(`\\r\\nMessage-ID: <probe-${TOKEN}@example\\.org>\\r\\n`))
  assert.match(text, /\r\nFrom: <anna@example\.org>\r\nTo: <probe@example\.net>\r\n/)
  assert.ok(content.every((byte) => byte < 0x80))
  assert.doesNotMatch(text.replaceAll('\r\n', ''), /[\r\n]/)
  assert.equal(Math.max(...text.split('\r\n').map((line) => line.length)), 998)
})

test('it has what careless relays spoil: dots, blanks at the end of a line, empty lines at the end', () => {
  assert.match(content.toString(), /\r\n\.\r\n\.\..*\r\n.*[ \t]\r\n[^]*\r\n\r\n$/)
})

const tops: readonly [name: string, top: string][] = [
  ['one Received field', RECEIVED],
  ['the Received fields of two hops', RECEIVED + RECEIVED],
  ['a signature over a Received field', `DKIM-Signature: v=1;\r\n b=abc\r\n${RECEIVED}`],
  ['a Received field in other letters, of one line', 'RECEIVED : x\r\n'],
]
for (const [name, top] of tops) {
  test(`${name} on top is no flaw`, () => assert.equal(flawOf(content, below(top)), undefined))
}

const text = content.toString()
const flaws: readonly [name: string, arrived: Buffer, flaw: RegExp][] = [
  ['a message without trace', content, /^no Received field was put on top$/],
  [
    'another field on top',
    below(`X-Spam: no\r\n${RECEIVED}`),
    /^from byte 3 on it is "Spam: no\\r\\nReceived.*and was "Posthouse-/,
  ],
  ['a field below the trace', below(`${RECEIVED}X-Spam: no\r\n`), /^from byte 3 on it is "Spam/],
  [
    'a flipped bit',
    below(RECEIVED, text.replace('waits', 'wbits')),
    /^from byte \d+ on it is "bits.*and was "aits[^(]*$/,
  ],
  [
    'lost blanks',
    below(RECEIVED, text.replace('  \t\r\n', '\r\n')),
    /it is "\\r\\n.*and was "  \\t\\r\\n.*\((\d+) bytes were sent, \d+ came out\)$/,
  ],
  ['a lost last line', below(RECEIVED, text.slice(0, -2)), /it is at its end and was "\\r\\n" \(/],
  ['a line too many', below(RECEIVED, `${text}\r\n`), /it is "\\r\\n" and was at its end \(/],
  ['a doubled dot', below(RECEIVED, text.replace('\r\n.\r\n', '\r\n..\r\n')), /it is "\.\\r\\n/],
  ['nothing but a trace', Buffer.from(RECEIVED), /^from byte 1 on it is at its end/],
  ['nothing at all', Buffer.alloc(0), /^from byte 1 on it is at its end/],
]
for (const [name, arrived, flaw] of flaws) {
  test(`${name} is told from what was sent`, () => assert.match(flawOf(content, arrived) ?? '', flaw))
}

test('a flaw is told without control characters', () => {
  assert.match(flawOf(content, below(RECEIVED, '\x1b[2J\x00\x9b')) ?? '', /^[ -~\u00a1-\u00ff\u2026\ufffd]+$/)
})

test('the token is found below trace, and in the header alone', () => {
  assert.equal(tokenOf(content), TOKEN)
  assert.equal(tokenOf(below(RECEIVED)), TOKEN)
  assert.equal(tokenOf(below('Subject: report\r\n\r\n')), undefined)
  assert.equal(tokenOf(Buffer.from(`X-Posthouse-Probe: ${TOKEN}0\r\n\r\n`)), undefined)
  assert.equal(tokenOf(Buffer.alloc(0)), undefined)
})
