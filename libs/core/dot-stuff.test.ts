import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DotStuffer } from './dot-stuff.ts'

test('a line that begins with a dot gets a second one', () => {
  const rows: [content: string, expected: string][] = [
    ['', ''],
    ['.', '..'],
    ['.\r\n', '..\r\n'],
    ['a.\r\n.b\r\n', 'a.\r\n..b\r\n'],
    ['..\r\n..', '...\r\n...'],
    ['\r\n.\r\n', '\r\n..\r\n'],
    ['\r\n.\r\n.\r\n.', '\r\n..\r\n..\r\n..'],
    ['a\n.b\r.c', 'a\n.b\r.c'],
    ['\r\r\n.', '\r\r\n..'],
  ]
  for (const [content, expected] of rows)
    assert.equal(new DotStuffer().add(Buffer.from(content)).toString(), expected, JSON.stringify(content))
})

test('cut into chunks anywhere, the result is the same, and taking the dots out again gives the content', () => {
  const piece = fc.constantFrom('.', '\r', '\n', '\r\n', '\r\n.', 'x', '..')
  fc.assert(
    fc.property(fc.array(fc.array(piece, { maxLength: 6 }), { maxLength: 12 }), (chunks) => {
      const parts = chunks.map((chunk) => Buffer.from(chunk.join('')))
      const whole = Buffer.concat(parts)
      const stuffer = new DotStuffer()
      const stuffed = Buffer.concat(parts.map((part) => stuffer.add(part))).toString()
      assert.equal(stuffed, new DotStuffer().add(whole).toString())
      const back = (stuffed.startsWith('.') ? stuffed.slice(1) : stuffed).replaceAll('\r\n.', '\r\n')
      assert.equal(back, whole.toString())
      assert.ok(!`\r\n${stuffed}`.includes('\r\n.\r\n'))
    }),
    { numRuns: 500 },
  )
})

test('a chunk without such a line is not copied', () => {
  const chunk = Buffer.from('hello\r\nworld\r\n')
  assert.equal(new DotStuffer().add(chunk), chunk)
})
