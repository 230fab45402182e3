/** Connections from the addresses of the settings. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { StartError } from '@posthouse/runtime/start-error'
import { DnsZone } from '@posthouse/testkit/dns-zone'
import { unusableAddress } from './source-addresses.ts'
import { FakeDelivery, testNode } from './test/fake-delivery.ts'

const mail = (): FakeDelivery => new FakeDelivery({ to: ['b@example.com'] })

/** A host that takes everything, and whence its connections came. */
async function host(): Promise<{ port: number; sources: string[] } & AsyncDisposable> {
  const sources: string[] = []
  const server = createServer((socket) => {
    sources.push(socket.remoteAddress ?? '')
    socket.on('error', () => socket.destroy())
    socket.write('220 mx.test\r\n')
    let inContent = false
    socket.on('data', (chunk) => {
      for (const line of chunk.toString('latin1').split('\r\n').slice(0, -1)) {
        if (inContent && line !== '.') continue
        inContent = line === 'DATA'
        socket.write(inContent ? '354 go\r\n' : '250 ok\r\n')
        if (line === 'QUIT') socket.end()
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async (): Promise<void> => {
    server.close()
    await once(server, 'close')
  }
  return { port: (server.address() as AddressInfo).port, sources, [Symbol.asyncDispose]: close }
}

test('connections come from the addresses in turn', async () => {
  await using mx = await host()
  await using node = await testNode({
    'route.smarthosts': [`127.0.0.1:${mx.port}`],
    'egress.addresses': ['127.0.0.5', '127.0.0.6', '127.0.0.7'],
    'limits.messagesPerConnection': 1,
  })
  for (let i = 0; i < 6; i += 1) assert.equal((await node.deliver(mail())).how(), 'delivered')
  assert.deepEqual(mx.sources, ['127.0.0.5', '127.0.0.6', '127.0.0.7', '127.0.0.5', '127.0.0.6', '127.0.0.7'])
})

test('hosts of a family that has no address are passed over', async () => {
  await using mx = await host()
  await using zone = await DnsZone.start({ 'example.com': { a: ['127.0.0.1'], aaaa: ['2001:db8::1', '2001:db8::2'] } })
  await using node = await testNode({
    'dns.servers': [zone.server],
    'route.port': mx.port,
    'egress.addresses': ['127.0.0.5'],
    'timeouts.connect': '1s',
  })
  const delivery = await node.deliver(mail())
  assert.equal(delivery.how(), 'delivered', delivery.reply())
  assert.deepEqual(mx.sources, ['127.0.0.5'])
})

test('a domain of the other family alone is told why it gets nothing, and is not given up', async () => {
  await using zone = await DnsZone.start({ 'example.com': { aaaa: ['2001:db8::1'] } })
  await using node = await testNode({ 'dns.servers': [zone.server], 'egress.addresses': ['127.0.0.5'] })
  const delivery = await node.deliver(mail())
  assert.equal(delivery.how(), 'deferred')
  assert.equal(delivery.reply(), '4.4.0 egress.addresses has none of the family of 2001:db8::1')
})

test('an address that is not of this machine is told at the start', async () => {
  const starting = testNode({ 'egress.addresses': ['127.0.0.5', '192.0.2.77'] })
  await assert.rejects(starting, (error) => {
    assert.ok(error instanceof StartError)
    assert.equal(error.setting, 'egress.addresses')
    assert.equal(error.message, '192.0.2.77: this machine has no such address')
    return true
  })
  assert.equal(await unusableAddress(['127.0.0.1', '127.0.0.9']), undefined)
  assert.equal((await unusableAddress(['127.0.0.1', '2001:db8::77']))?.address, '2001:db8::77')
})
