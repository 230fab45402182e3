import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ReplyReader } from './reply-reader.ts'

function readAll(...chunks: (string | Buffer)[]): string[] {
  const reader = new ReplyReader()
  const replies: string[] = []
  for (const chunk of chunks) {
    reader.add(Buffer.from(chunk))
    for (let reply = reader.next(); reply !== undefined; reply = reader.next()) {
      replies.push(reply === 'broken' ? 'broken' : `${reply.code}|${reply.text}`)
      if (reply === 'broken') return replies
    }
  }
  if (reader.hasMore) replies.push('more')
  return replies
}

test('replies, row by row', () => {
  const rows: [input: string, expected: string[]][] = [
    ['250 Ok\r\n', ['250|Ok']],
    ['250\r\n', ['250|']],
    ['250 \r\n354 go\r\n', ['250|', '354|go']],
    ['250-a\r\n250-b\r\n250 c\r\n', ['250|a b c']],
    ['550-5.1.1 no such user.\r\n550-5.1.1 Really,\r\n550 5.1.1 none.\r\n', ['550|5.1.1 no such user. Really, none.']],
    ['250 only LF\n', ['250|only LF']],
    ['250-unfinished\r\n', ['more']],
    ['25', ['more']],
    ['hello\r\n', ['broken']],
    ['\r\n', ['broken']],
    ['250+x\r\n', ['broken']],
    ['650 x\r\n', ['broken']],
    ['250 grüße\r\n', ['250|grüße']],
    ['x'.repeat(70_000), ['broken']],
    ['250-xxxxxxxx\r\n'.repeat(10_000), ['broken']],
  ]
  for (const [input, expected] of rows) assert.deepEqual(readAll(input), expected, JSON.stringify(input.slice(0, 60)))
})

test('bytes that are no UTF-8 are kept as latin-1', () => {
  assert.deepEqual(readAll(Buffer.from('250 gr\xfc\xdfe\r\n', 'latin1')), ['250|grüße'])
})

test('cut anywhere, the replies are the same', () => {
  const input = '220 hi\r\n250-a\r\n250-5.0.0 b\r\n250 c\r\n354 go\r\n250 2.0.0 queued as X\r\n'
  fc.assert(
    fc.property(fc.array(fc.nat(input.length)), (cuts) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), input.length]
      const chunks = at.slice(1).map((end, index) => input.slice(at[index], end))
      assert.deepEqual(readAll(...chunks), ['220|hi', '250|a 5.0.0 b c', '354|go', '250|2.0.0 queued as X'])
    }),
  )
})
