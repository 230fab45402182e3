import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalAddress, clientKey, clientNetwork, overlaps, parseNetworks } from './network.ts'

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

test('a network lies in another one of its family that is as large or larger', () => {
  const list = parseNetworks(['10.0.0.0/8', '2001:db8::/32'])
  assert.ok('covers' in list)
  for (const inner of ['10.0.0.0/8', '10.1.0.0/16', '10.1.2.3', '::ffff:10.1.2.0/120', '2001:db8:1::/48']) {
    assert.equal(list.covers(inner), true, inner)
  }
  for (const outer of ['0.0.0.0/0', '10.0.0.0/7', '11.0.0.0/8', '2001:db8::/31', '::/0', 'nonsense']) {
    assert.equal(list.covers(outer), false, outer)
  }
})

const pairs: readonly (readonly [one: string, other: string, overlap: boolean])[] = [
  ['10.0.0.0/8', '10.244.0.0/16', true],
  ['10.244.3.0/24', '10.244.0.0/16', true],
  ['10.244.3.0/24', '10.244.3.0/24', true],
  ['10.244.3.0/24', '10.244.4.0/24', false],
  ['0.0.0.0/0', '203.0.113.7', true],
  ['0.0.0.0/1', '128.0.0.0/1', false],
  ['::/0', '2001:db8::/32', true],
  ['::/0', '10.0.0.0/8', false],
  ['::ffff:10.0.0.0/104', '10.244.0.7', true],
  ['::ffff:0:0/96', '10.244.0.7', true],
  ['2001:db8::/32', '2001:db8:1::7/64', true],
  ['2001:db8::/32', '2001:db9::/32', false],
  ['nonsense', '0.0.0.0/0', false],
]
test('networks overlap when one lies in the other, whichever is asked first', () => {
  for (const [one, other, overlap] of pairs) {
    assert.equal(overlaps(one, other), overlap, `${one} ${other}`)
    assert.equal(overlaps(other, one), overlap, `${other} ${one}`)
  }
})

test('an address has one way to be written', () => {
  const table: readonly (readonly [written: string, canonical: string | undefined])[] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:C000:0201', '192.0.2.1'],
    ['2001:0DB8:0:0:1:0:0:0', '2001:db8:0:0:1::'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['10:0:0:1:0:0:0:1', '10:0:0:1::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['192.0.2.01', undefined],
    ['host', undefined],
  ]
  for (const [written, canonical] of table) assert.equal(canonicalAddress(written), canonical, written)
  const group = fc.oneof(
    fc.constant('0'),
    fc.nat(0xffff).map((value) => value.toString(16)),
  )
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      const written = groups.join(':')
      fc.pre(!/^(?:0:){5}ffff:/.test(written))
      assert.equal(canonicalAddress(written), new URL(`http://[${written}]`).hostname.slice(1, -1))
    }),
  )
})
