import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeRecord, INLINE_LIMIT } from '@posthouse/core/record-codec'
import { Client } from './test/client.ts'
import { password, startTestEdge } from './test/test-edge.ts'

const header = 'Subject: large\r\nMessage-ID: <1@x>\r\nDate: now\r\n\r\n'

async function begin(port: number): Promise<Client> {
  const client = await Client.greeted(port)
  for (const line of ['MAIL FROM:<a@b.example>', 'RCPT TO:<c@d.example>', 'DATA']) await client.command(line)
  return client
}

test('a large message goes to the body stream, trace header first, byte for byte', async () => {
  await using edge = await startTestEdge()
  const content = `${header}${'.dots and text\r\n'.repeat(60_000)}`
  const client = await begin(edge.ports.relay)
  client.write(`${content.replaceAll('\r\n.', '\r\n..')}.\r\n`)
  assert.match(await client.reply(), /^250 /)
  const { envelope, content: inline } = edge.queue.records[0] ?? assert.fail()
  assert.equal(inline.length, 0)
  const text = edge.queue.content(0).toString()
  assert.match(text, /^Received: from client\.example /)
  assert.equal(text.slice(text.indexOf('Subject')), content)
  assert.equal(envelope.body?.size, text.length)
  assert.equal(envelope.facts.size, text.length)
  assert.equal(envelope.facts.dotLines, true)
  client.close()
})

test('messages of every size around the inline limit arrive whole, and fit into a record with the header on top', async () => {
  await using edge = await startTestEdge()
  // The header on top is of some hundred bytes, and no message may fall between the two ways to store it.
  const sizes = [-2000, -1000, -400, -300, -200, -100, -1, 0, 1, 1000].map((more) => INLINE_LIMIT + more)
  for (const [index, size] of sizes.entries()) {
    const content = `${header}${'x'.repeat(size - header.length - 2)}\r\n`
    const client = await begin(edge.ports.relay)
    client.write(`${content}.\r\n`)
    assert.match(await client.reply(), /^250 /)
    const record = edge.queue.records[index] ?? assert.fail()
    encodeRecord(record)
    const whole = edge.queue.content(index)
    assert.equal(record.envelope.body === undefined, whole.length <= INLINE_LIMIT)
    assert.ok(whole.toString().endsWith(`\r\n${content}`))
    client.close()
  }
})

test('any content arrives byte for byte however it is cut into packets', async () => {
  await using edge = await startTestEdge()
  const client = await Client.greeted(edge.ports.relay)
  const lines = fc.array(fc.constantFrom('.', '..', 'text', '', '.x', 'ä', 'x'.repeat(200)), { maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(lines, fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 20 }), async (rows, cuts) => {
      const content = Buffer.from(rows.map((row) => `${row}\r\n`).join(''))
      const wire = Buffer.from(`${content.toString().replace(/^\./gm, '..')}.\r\n`)
      for (const line of ['MAIL FROM:<a@b.example>', 'RCPT TO:<c@d.example>', 'DATA']) await client.command(line)
      let at = 0
      for (const cut of cuts) {
        client.write(wire.subarray(at, at + cut))
        at += cut
        await new Promise(setImmediate)
      }
      client.write(wire.subarray(at))
      assert.match(await client.reply(), /^250 /)
      const stored = edge.queue.content(edge.queue.records.length - 1)
      assert.equal(stored.subarray(stored.length - content.length).compare(content), 0)
    }),
    { numRuns: 100 },
  )
  client.close()
})

test('a body the queue cannot take is refused after the dot, and the session goes on', async () => {
  await using edge = await startTestEdge()
  edge.queue.refuseBodies = 'full'
  const client = await begin(edge.ports.relay)
  client.write(`${header}${'0123456789abcde\r\n'.repeat(40_000)}.\r\n`)
  assert.equal(await client.reply(), '452 4.3.1 Insufficient system storage, try again later')
  assert.equal(edge.queue.records.length, 0)
  assert.equal(edge.queue.abandoned, 1)
  assert.equal(await client.command('NOOP'), '250 2.0.0 Ok')
  client.close()
})

test('a body is purged when its message is refused, or never ends', async () => {
  await using edge = await startTestEdge()
  const client = await begin(edge.ports.relay)
  client.write(`${header}${'0123456789abcde\r\n'.repeat(40_000)}bare\nnewline\r\n.\r\n`)
  assert.match(await client.reply(), /^554 5\.6\.0 /)
  assert.equal(edge.queue.abandoned, 1)
  edge.queue.fate = { is: 'refused', why: 'unavailable' }
  for (const line of ['MAIL FROM:<a@b.example>', 'RCPT TO:<c@d.example>', 'DATA']) await client.command(line)
  client.write(`${header}${'0123456789abcde\r\n'.repeat(40_000)}.\r\n`)
  assert.match(await client.reply(), /^451 4\.3\.0 /)
  assert.equal(edge.queue.abandoned, 2)
  for (const line of ['MAIL FROM:<a@b.example>', 'RCPT TO:<c@d.example>', 'DATA']) await client.command(line)
  client.write(`${header}${'0123456789abcde\r\n'.repeat(40_000)}`)
  while (edge.queue.opened < 3) await new Promise(setImmediate)
  client.close()
  while (edge.queue.abandoned < 3) await new Promise(setImmediate)
  assert.equal(edge.lifecycle.activities.size, 0)
})

test('a slow body stream slows the client, not the node', async () => {
  await using edge = await startTestEdge()
  const waiting: (() => void)[] = []
  edge.queue.onChunk = () => new Promise((resolve) => waiting.push(resolve))
  const client = await begin(edge.ports.relay)
  const content = `${header}${'0123456789abcde\r\n'.repeat(2_000_000)}`
  client.write(`${content}.\r\n`)
  while (waiting.length === 0) await new Promise(setImmediate)
  // The rest stays with the client and in the kernel's buffers.
  for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate)
  assert.equal(waiting.length, 1)
  assert.ok(client.socket.writableLength > 10_000_000)
  edge.queue.onChunk = () => Promise.resolve()
  waiting[0]?.()
  assert.match(await client.reply(), /^250 /)
  assert.ok(edge.queue.content(0).toString('latin1').endsWith(content))
  client.close()
})

test('large messages behind one another over TLS arrive byte for byte', async () => {
  await using edge = await startTestEdge()
  const client = await Client.secure(edge.ports.submissions)
  await client.reply()
  await client.command('EHLO x')
  await client.login('anna', password)
  const contents = [40_000, 400_000, 150_000].map(
    (lines, index) => `${header}${`${index} line\r\n.\r\n`.repeat(lines / 10)}`,
  )
  // All in one write: the end of one and the beginning of the next share their chunks.
  const begin = 'MAIL FROM:<anna@example.org>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n'
  client.write(contents.map((content) => `${begin}${content.replaceAll('\r\n.', '\r\n..')}.\r\n`).join(''))
  for (const [index, content] of contents.entries()) {
    for (const code of [/^250 /, /^250 /, /^354 /, /^250 .* queued/]) assert.match(await client.reply(), code)
    assert.ok(edge.queue.content(index).toString().endsWith(`\r\n${content}`))
  }
  client.close()
})
