import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { takeProxyHeader } from './proxy-header-reader.ts'
import type { ProxyHeaderResult } from './proxy-header-reader.ts'

/** A connection on which nothing has come; `push` is what the balancer sends. */
function connection(): Duplex {
  return new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
}
function take(socket: Duplex, patience = 60_000): Promise<ProxyHeaderResult> {
  return new Promise((resolve) => takeProxyHeader(socket, patience, resolve))
}

const line = Buffer.from('PROXY TCP4 192.0.2.7 10.0.0.1 33333 25\r\n')
const binary = Buffer.from('0d0a0d0a000d0a515549540a2111000fc00002070a00000182350019ea0000', 'hex')
const client = { is: 'client', address: '192.0.2.7', port: 33333 }

for (const [version, header] of [line, binary].entries()) {
  const rest = '\u0016\u0003\u0001 what the client began with\r\n'
  for (const size of [1, 7, header.length - 1, header.length, header.length + 1, header.length + rest.length]) {
    test(`version ${version + 1}, ${size} bytes at a time: nothing of what follows is lost`, async () => {
      const socket = connection()
      const taken = take(socket)
      const bytes = Buffer.concat([header, Buffer.from(rest)])
      for (let at = 0; at < bytes.length; at += size) {
        socket.push(bytes.subarray(at, at + size))
        await new Promise((resolve) => setImmediate(resolve))
      }
      socket.push(null)
      const { length, ...result } = (await taken) as ProxyHeaderResult & { length: number }
      assert.equal(length, header.length)
      assert.deepEqual(result, client)
      assert.equal(await text(socket), rest)
    })
  }
}

test('header, content and end in one piece: the reader that comes next hears them all', async () => {
  const socket = connection()
  socket.push(Buffer.concat([line, Buffer.from('QUIT\r\n')]))
  socket.push(null)
  assert.equal((await take(socket)).is, 'client')
  assert.equal(await text(socket), 'QUIT\r\n')
})

test('what is no header is told at once, whatever is still to come', async () => {
  const socket = connection()
  socket.push('EHLO client.example\r\n')
  assert.deepEqual(await take(socket), { is: 'invalid', why: 'no header' })
})

test('a header that is not whole in time', async () => {
  const socket = connection()
  socket.push(line.subarray(0, 20))
  assert.deepEqual(await take(socket, 1), { is: 'late' })
})

const endings: readonly (readonly [what: string, end: (socket: Duplex) => void])[] = [
  ['ended', (socket) => socket.push(null)],
  ['closed', (socket) => socket.destroy()],
  ['reset', (socket) => socket.destroy(new Error('reset'))],
]
for (const [what, end] of endings) {
  for (const sent of [0, 20]) {
    test(`a connection that is ${what} after ${sent} bytes`, async () => {
      const socket = connection()
      const taken = take(socket)
      if (sent > 0) socket.push(line.subarray(0, sent))
      end(socket)
      assert.deepEqual(await taken, { is: 'closed' })
      if (!socket.destroyed) {
        socket.destroy()
        await once(socket, 'close')
      }
    })
  }
}
