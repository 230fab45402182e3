import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { FakeMx } from '@posthouse/testkit/fake-mx'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { TlsAuthority } from '@posthouse/testkit/tls-authority'
import { FakeDelivery, testNode } from './test/fake-delivery.ts'
import type { TestNode } from './test/fake-delivery.ts'

let plain: FakeMx
let secure: FakeMx
let toPlain: TestNode
let toSecure: TestNode

before(async () => {
  plain = await FakeMx.start()
  const folder = await temporaryFolder('delivery')
  const authority = await TlsAuthority.create(folder.path)
  secure = await FakeMx.start({ tls: await authority.issue(['mx.test']) })
  await folder.remove()
  toPlain = await testNode({ 'route.smarthosts': [`127.0.0.1:${plain.port}`] })
  toSecure = await testNode({ 'route.smarthosts': [`127.0.0.1:${secure.port}`] })
})

after(async () => {
  await toPlain[Symbol.asyncDispose]()
  await toSecure[Symbol.asyncDispose]()
  await plain.close()
  await secure.close()
})

/** What the other side must get: the content, with the CRLF that a last line without one gets. */
function expected(content: Buffer): Buffer {
  return content.subarray(-2).toString('latin1') === '\r\n' ? content : Buffer.concat([content, Buffer.from('\r\n')])
}

const line = fc
  .tuple(fc.constantFrom('', '.', '..', '. ', 'a.', '\u00e4'), fc.string({ maxLength: 60 }))
  .map(([start, rest]) => (start + rest).replace(/[\r\n]/g, ''))
const content = fc
  .tuple(fc.array(line, { maxLength: 12 }), fc.integer({ min: 1, max: 600 }), fc.boolean())
  .map(([lines, times, ends]) => {
    const body = `${lines.join('\r\n')}\r\n`.repeat(times)
    return Buffer.from(`Subject: x\r\n\r\n${ends ? body : body.slice(0, -2)}`)
  })

for (const way of ['plain', 'TLS'] as const)
  test(`any content arrives byte for byte, over ${way}, whole or in chunks of any size`, async () => {
    const [node, mx] = way === 'plain' ? [toPlain, plain] : [toSecure, secure]
    await fc.assert(
      fc.asyncProperty(content, fc.integer({ min: 0, max: 5000 }), async (bytes, chunk) => {
        const chunks: Buffer[] = []
        if (chunk > 0)
          for (let at = 0; at < bytes.length; at += Math.max(chunk, bytes.length / 50)) {
            const size = Math.max(chunk, bytes.length / 50)
            chunks.push(bytes.subarray(at, at + size))
          }
        const delivery = new FakeDelivery({
          to: ['b@example.com'],
          content: bytes,
          ...(chunk > 0 ? { chunks } : undefined),
        })
        await node.deliver(delivery)
        assert.equal(delivery.how(), 'delivered', delivery.reply())
        const message = mx.messages.pop()
        assert.ok(message?.content.equals(expected(bytes)), 'altered')
        assert.equal(message?.tls, way === 'TLS')
      }),
      { numRuns: 60 },
    )
  })

test('contents around every size at which the way of writing changes arrive whole', async () => {
  for (const size of [0, 1, 2, 3, 16 * 1024 - 1, 16 * 1024, 16 * 1024 + 1, 64 * 1024, 5 * 1024 * 1024]) {
    const bytes = Buffer.alloc(size, 'x'.repeat(70) + '\r\n')
    for (const [node, mx] of [
      [toPlain, plain],
      [toSecure, secure],
    ] as const) {
      const delivery = await node.deliver(new FakeDelivery({ to: ['b@example.com'], content: bytes }))
      assert.equal(delivery.how(), 'delivered', delivery.reply())
      assert.ok(mx.messages.pop()?.content.equals(expected(bytes)), `${size} bytes`)
    }
  }
})

test('the log says how a message went', async () => {
  const [a, b] = [new FakeDelivery({ to: ['b@example.com'] }), new FakeDelivery({ to: ['b@example.com'] })]
  await toPlain.deliver(a)
  await toSecure.deliver(b)
  const find = (node: TestNode, id: string) => node.log.find((entry) => entry['id'] === id)
  const { reply, host, tls, to, msg } = find(toSecure, b.envelope.id) ?? {}
  assert.deepEqual(
    { reply: String(reply).slice(0, 9), host, to, msg },
    { reply: '250 2.0.0', host: `127.0.0.1[127.0.0.1]:${secure.port}`, to: 'b@example.com', msg: 'delivered' },
  )
  assert.match(String(tls), /^TLSv1\.[23] /)
  assert.equal(find(toPlain, a.envelope.id)?.['tls'], undefined)
})
