import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { test } from 'node:test'
import { createSecureContext, TLSSocket } from 'node:tls'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { TlsAuthority } from '@posthouse/testkit/tls-authority'
import { SmtpClient } from './smtp-client.ts'
import { InnerConnection } from './smtp-connection.ts'

const timeouts = { connect: 5000, greeting: 5000, command: 5000, data: 5000, block: 5000, final: 5000 }

test('the installed nodemailer has the inner parts that are built upon', () => {
  const connection = new InnerConnection({ host: '127.0.0.1', port: 1 })
  assert.equal((connection as unknown as { version: string }).version, '10.6.0')
  for (const name of ['_onData', '_onConnect', '_sendCommand', '_upgradeConnection', '_actionGreeting'] as const)
    assert.equal(typeof connection[name], 'function', name)
  assert.deepEqual(connection._supportedExtensions, [])
  assert.equal(connection._maxAllowedSize, 0)
  assert.equal(connection._destroyed, false)
})

for (const way of ['plain', 'TLS'] as const)
  test(`what the kernel does not take at once is never sent after the connection was dropped, ${way}`, async () => {
    await using folder = await temporaryFolder('delivery')
    const certificate = way === 'TLS' ? await (await TlsAuthority.create(folder.path)).issue(['mx.test']) : undefined
    const received: Buffer[] = []
    let peer: Socket | undefined
    const server = createServer({ pauseOnConnect: false }, (socket) => {
      peer = socket
      socket.on('error', () => {})
      socket.write('220 mx.test\r\n')
      let secured = false
      const hear = (chunk: Buffer): void => {
        const text = chunk.toString('latin1')
        if (text.startsWith('EHLO'))
          peer?.write(certificate !== undefined && !secured ? '250-mx.test\r\n250 STARTTLS\r\n' : '250 mx.test\r\n')
        else if (text.startsWith('STARTTLS')) {
          socket.removeListener('data', hear)
          socket.write('220 go\r\n')
          secured = true
          peer = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext(certificate ?? {}) })
          peer.on('error', () => {})
          peer.on('data', hear)
        } else received.push(chunk)
      }
      socket.on('data', hear)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const client = new SmtpClient({
      host: 'mx.test',
      address: '127.0.0.1',
      port,
      hostname: 'relay.test',
      useTls: true,
      timeouts,
      now: () => performance.now(),
    })
    client.connect()
    await once(client, 'connect')
    client.ready()
    assert.equal(client.isEncrypted, way === 'TLS')

    // Taken at once while the host reads…
    assert.equal(client.writeAtOnce(Buffer.from('first')), true)
    while (received.length === 0) await new Promise((resolve) => setImmediate(resolve))
    // …and not when it does not and everything in between is full.
    peer?.pause()
    await new Promise((resolve) => setImmediate(resolve))
    const block = Buffer.alloc(1024 * 1024, 'x')
    let taken = 0
    for (let i = 0; i < 64; i += 1) client.write(block, () => (taken += 1))
    await new Promise((resolve) => setTimeout(resolve, 300))
    assert.ok(taken < 64, 'the buffers hold more than the test writes')
    assert.ok(client.unwritten > 0)
    assert.equal(client.writeAtOnce(Buffer.from('\r\n.\r\n')), false)
    client.drop()
    assert.equal(client.isGone, true)

    const closed = peer === undefined ? undefined : once(peer, 'close')
    peer?.resume()
    await closed
    assert.ok(!Buffer.concat(received).includes('\r\n.\r\n'))
    server.close()
  })
