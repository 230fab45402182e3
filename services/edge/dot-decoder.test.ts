import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DotDecoder } from './dot-decoder.ts'
import { NewlineNormaliser } from './newlines.ts'

/** Splits `wire` at the cuts, decodes, and returns the content and what follows the end of data. */
function decode(wire: Buffer, cuts: readonly number[]): { content: string; rest: string; ended: boolean } {
  const decoder = new DotDecoder()
  const content: Buffer[] = []
  const chunks: Buffer[] = []
  let at = 0
  for (const cut of cuts) {
    chunks.push(wire.subarray(at, at + cut))
    at += cut
  }
  chunks.push(wire.subarray(at))
  let ended = false
  let rest = ''
  for (const part of chunks) {
    const chunk = Buffer.from(part)
    if (ended) {
      rest += chunk.toString('latin1')
      continue
    }
    const end = decoder.decode(chunk, 0, (piece) => content.push(Buffer.from(piece)))
    if (end < 0) continue
    ended = true
    rest += chunk.subarray(end).toString('latin1')
  }
  return { content: Buffer.concat(content).toString('latin1'), rest, ended }
}

/** The text of RFC 5321 4.5.2, line by line. */
function naive(wire: string): { content: string; rest: string; ended: boolean } {
  let content = ''
  let position = 0
  for (;;) {
    const crlf = wire.indexOf('\r\n', position)
    const line = crlf < 0 ? wire.slice(position) : wire.slice(position, crlf + 2)
    if (line === '.\r\n') return { content, rest: wire.slice(position + 3), ended: true }
    if (crlf < 0) {
      // Unfinished: a dot (and a CR after it) may still become the end.
      if (line === '.' || line === '.\r') return { content, rest: '', ended: false }
      return { content: content + line.replace(/^\./, ''), rest: '', ended: false }
    }
    content += line.replace(/^\./, '')
    position = crlf + 2
  }
}

const piece = fc.constantFrom('\r\n', '\r\n', '\r', '\n', '.', '.', '..', 'a', 'bc', '\r\n.\r\n', '\r\n.')
const cuts = fc.array(fc.nat(6), { maxLength: 40 })

test('any bytes in any chunks decode as the standard says', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), cuts, (pieces, at) => {
      const wire = pieces.join('')
      assert.deepEqual(decode(Buffer.from(wire, 'latin1'), at), naive(wire))
    }),
    { numRuns: 20_000 },
  )
})

test('whatever is dot-stuffed arrives byte for byte, and what is pipelined after it is left alone', () => {
  const content = fc.array(fc.constantFrom('.', '..', 'x', 'line', '', '.\t', 'ü'), { maxLength: 30 })
  fc.assert(
    fc.property(content, cuts, (lines, at) => {
      const text = lines.map((line) => `${line}\r\n`).join('')
      const stuffed = text.replace(/^\./gm, '..')
      const wire = Buffer.from(`${stuffed}.\r\nQUIT\r\n`, 'utf8')
      const result = decode(wire, at)
      assert.equal(Buffer.from(result.content, 'latin1').toString('utf8'), text)
      assert.equal(result.rest, 'QUIT\r\n')
    }),
    { numRuns: 5000 },
  )
})

test('no bare newline ends the data', () => {
  for (const smuggled of ['a\n.\n', 'a\r\n.\n', 'a\n.\r\n', 'a\r.\r', '\r\n.\r\r\n', 'a\r.\r\n']) {
    assert.equal(decode(Buffer.from(`${smuggled}x`), []).ended, false, JSON.stringify(smuggled))
  }
})

test('a chunk full of dots comes out as one piece', () => {
  const decoder = new DotDecoder()
  let pieces = 0
  decoder.decode(Buffer.from('..\r\n'.repeat(10_000)), 0, () => (pieces += 1))
  assert.ok(pieces <= 2)
})

test('normalising makes every newline CRLF, wherever the chunks are cut', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), cuts, (pieces, at) => {
      const text = pieces.join('')
      const normaliser = new NewlineNormaliser()
      let output = ''
      let position = 0
      for (const cut of [...at, text.length]) {
        output += normaliser.normalise(Buffer.from(text.slice(position, position + cut))).toString()
        position += cut
      }
      assert.equal(output, text.replace(/\r\n|\r|\n/g, '\r\n'))
    }),
    { numRuns: 5000 },
  )
})
