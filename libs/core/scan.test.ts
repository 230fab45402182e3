import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ContentScan, scanContent } from './scan.ts'

const bytes = (text: string): Buffer => Buffer.from(text, 'utf8')

/** Line by line, byte by byte: slow and plain. */
function naive(content: Buffer) {
  let longest = 0
  let dotLines = false
  let bare = false
  let header = true
  let eightBitHeader = false
  const text = content.toString('latin1')
  const lines = text.split('\n')
  let received = 0
  for (const [index, raw] of lines.entries()) {
    const last = index === lines.length - 1
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
    if (raw === '' && last) break
    longest = Math.max(longest, line.length)
    if (raw.startsWith('.')) dotLines = true
    if (last ? raw.includes('\r') : raw === line || line.includes('\r')) bare = true
    if (header && /[^\x00-\x7f]/.test(raw)) eightBitHeader = true
    if (header && !last && line === '') header = false
    if (header && !last && /^received[ \t]*:/i.test(line)) received += 1
  }
  return {
    facts: {
      size: content.length,
      eightBit: content.some((byte) => byte > 127),
      eightBitHeader,
      dotLines,
      longestLine: longest,
      endsWithCrlf: text.endsWith('\r\n'),
    },
    bare,
    received,
  }
}

const piece = fc.constantFrom('\r\n', '\r\n', '\r', '\n', '.', 'a', 'Received: x', 'ä', ' ', ':', 'x'.repeat(40))

test('any content in any chunks gives the facts that a plain reading gives', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), fc.array(fc.nat(30), { maxLength: 20 }), (pieces, cuts) => {
      const content = bytes(pieces.join(''))
      const scan = new ContentScan()
      let at = 0
      for (const cut of cuts) {
        scan.add(content.subarray(at, at + cut))
        at += cut
      }
      scan.add(content.subarray(at))
      const expected = naive(content)
      assert.deepEqual(scan.facts(), expected.facts)
      assert.equal(scan.bareNewline, expected.bare)
      assert.equal(scan.receivedCount, expected.received)
    }),
    { numRuns: 3000 },
  )
})

test('Date and Message-ID are found whatever their case, and only in the header', () => {
  const scan = new ContentScan()
  scan.add(bytes('DATE: x\r\nmessage-Id:  <a@b> \r\nX-Date: y\r\n\r\nbody'))
  assert.equal(scan.hasDate, true)
  assert.equal(scan.messageId, '<a@b>')
  const other = new ContentScan()
  other.add(bytes('Subject: x\r\n\r\nDate: y\r\nMessage-ID: <c@d>\r\n'))
  assert.equal(other.hasDate, false)
  assert.equal(other.hasMessageId, false)
})

test('a header line cut between two chunks is still recognised', () => {
  const scan = new ContentScan()
  for (const part of ['Rec', 'eived: a\r', '\nDa', 'te: now\r\n', '\r\n']) scan.add(bytes(part))
  assert.equal(scan.receivedCount, 1)
  assert.equal(scan.hasDate, true)
})

test('the facts with a trace header on top are those of the whole', () => {
  const prefix = `Received: from x\r\n\tfor <ä@example.org>; ${'y'.repeat(90)}\r\n`
  for (const content of ['', 'Subject: x\r\n\r\nbody\r\n', 'no newline']) {
    const scan = new ContentScan()
    scan.add(bytes(content))
    assert.deepEqual(scan.facts(prefix), scanContent(bytes(prefix + content)))
  }
})

test('a chunk of nothing but line feeds takes one pass', () => {
  const scan = new ContentScan()
  scan.add(Buffer.alloc(4_000_000, 10))
  assert.equal(scan.bareNewline, true)
  assert.equal(scan.facts().longestLine, 0)
})
