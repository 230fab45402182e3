import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientKey, clientNetwork, parseNetworks } from './network.ts'

const table: readonly (readonly [entry: string, inside: readonly string[], outside: readonly string[]])[] = [
  ['10.0.0.0/8', ['10.1.2.3', '::ffff:10.1.2.3'], ['11.0.0.1', '::1']],
  ['192.0.2.7', ['192.0.2.7'], ['192.0.2.8']],
  ['192.0.2.0/31', ['192.0.2.0', '192.0.2.1'], ['192.0.2.2']],
  ['0.0.0.0/0', ['1.2.3.4'], ['2001:db8::1']],
  ['2001:db8::/32', ['2001:db8:ffff::1'], ['2001:db9::1', '32.1.13.184']],
  ['::1', ['::1', '0:0:0:0:0:0:0:1'], ['::2', '127.0.0.1']],
  ['::ffff:10.0.0.0/104', ['10.9.9.9'], ['11.0.0.0']],
  ['fe80::/10', ['fe80::1%eth0'], ['fec0::1']],
]
for (const [entry, inside, outside] of table) {
  test(`${entry} has ${inside.join(', ')} and not ${outside.join(', ')}`, () => {
    const list = parseNetworks(['198.51.100.0/24', entry])
    assert.ok('has' in list)
    for (const address of inside) assert.equal(list.has(address), true, address)
    for (const address of outside) assert.equal(list.has(address), false, address)
    assert.equal(list.has('nonsense'), false)
  })
}

test('every entry that is no network is named', () => {
  const wrong = ['10.0.0.0/33', '10.0.0/8', '010.0.0.1', '1.2.3.256', ':::1', '1::2::3', '2001:db8::/129', 'host', '']
  assert.deepEqual(parseNetworks([...wrong, '10.0.0.0/8']), { invalid: wrong })
})

test('clients are counted by address, IPv6 ones by their /64', () => {
  assert.equal(clientKey('::ffff:192.0.2.1'), clientKey('192.0.2.1'))
  assert.notEqual(clientKey('192.0.2.1'), clientKey('192.0.2.2'))
  assert.equal(clientKey('2001:db8::1'), clientKey('2001:db8::ffff:1:2:3'))
  assert.notEqual(clientKey('2001:db8::1'), clientKey('2001:db8:0:1::1'))
  assert.equal(clientNetwork('192.0.2.1'), clientNetwork('192.0.2.200'))
})
