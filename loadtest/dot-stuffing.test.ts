import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DotReader, stuffDots } from './dot-stuffing.ts'

const bytes = fc
  .array(fc.constantFrom('.', '\r', '\n', '\r\n', '\r\n.', '..', 'a', '\r\n.\r\n', 'é'), { maxLength: 40 })
  .map((parts) => Buffer.from(parts.join('')))
const content = bytes.map((part) => Buffer.concat([part, Buffer.from('\r\n')]))

test('what is stuffed comes back byte for byte, however it is cut, and what follows the final dot is kept', () => {
  fc.assert(
    fc.property(content, fc.array(fc.nat(6), { minLength: 1, maxLength: 20 }), bytes, (sent, cuts, after) => {
      const wire = Buffer.concat([stuffDots(sent), after])
      const reader = new DotReader()
      let from = 0
      for (let turn = 0; from < wire.length; turn++) {
        const to = Math.min(wire.length, from + 1 + (cuts[turn % cuts.length] ?? 0))
        const read = reader.push(wire.subarray(from, to))
        from = to
        if (!read.done) continue
        assert.deepEqual(read.content, sent)
        assert.deepEqual(Buffer.concat([read.rest, wire.subarray(from)]), after)
        return
      }
      assert.fail('no end found')
    }),
    { numRuns: 2000 },
  )
})

test('an empty message is a lone dot', () => {
  assert.equal(stuffDots(Buffer.alloc(0)).toString(), '.\r\n')
  const read = new DotReader().push(Buffer.from('.\r\n'))
  assert.ok(read.done && read.content.length === 0)
})

test('only CRLF dot CRLF ends the content', () => {
  for (const almost of ['a\n.\n', 'a\r.\r', 'a\n.\r\n', 'a\r\n.\n', 'a\r\n.\r']) {
    assert.equal(new DotReader().push(Buffer.from(almost)).done, false, JSON.stringify(almost))
  }
})

test('content that does not end with a line end cannot be sent', () => {
  assert.throws(() => stuffDots(Buffer.from('a')))
})
