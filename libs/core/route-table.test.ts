import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRouteDomain, RouteTable } from './route-table.ts'
import type { NextHop, RouteRow } from './route-table.ts'

const hops = (...names: string[]): NextHop[] => names.map((host) => ({ host, port: 25 }))
const row = (domain: string, ...hosts: string[]): RouteRow => ({ domain, hosts: hops(...hosts) })

const rows = [
  row('example.org', 'exact'),
  row('.example.org', 'below'),
  row('.deep.example.org', 'deep'),
  row('.ORG', 'org'),
  row('xn--bcher-kva.example', 'books'),
  row('.bücher.example', 'Books'),
]

test('the most specific row decides, row by row', () => {
  const cases: [address: string, without: string, withAll: string][] = [
    ['a@example.org', 'via exact:25', 'via exact:25'],
    ['a@EXAMPLE.Org', 'via exact:25', 'via exact:25'],
    ['a@mail.example.org', 'via below:25', 'via below:25'],
    ['a@a.b.example.org', 'via below:25', 'via below:25'],
    // Below deep.example.org, which is itself below example.org.
    ['a@deep.example.org', 'via below:25', 'via below:25'],
    ['a@x.deep.example.org', 'via deep:25', 'via deep:25'],
    ['a@another.org', 'via org:25', 'via org:25'],
    // Not a domain below example.org, though it ends alike.
    ['a@notexample.org', 'via org:25', 'via org:25'],
    ['a@org', 'org', 'via rest:25'],
    ['a@example.com', 'example.com', 'via rest:25'],
    ['a@bücher.example', 'via books:25', 'via books:25'],
    ['a@XN--BCHER-KVA.example', 'via books:25', 'via books:25'],
    ['a@www.bücher.example', 'via books:25', 'via books:25'],
    ['a@[192.0.2.1]', '[192.0.2.1]', 'via rest:25'],
    ['postmaster', '', 'via rest:25'],
  ]
  const without = new RouteTable(rows, [])
  const withAll = new RouteTable([...rows, row('*', 'rest')], [])
  for (const [address, domain, all] of cases) {
    assert.equal(without.destinationOf(address), domain, address)
    assert.equal(withAll.destinationOf(address), all, `${address} with *`)
  }
})

test('what no row is for goes to the smarthosts, if there are any', () => {
  const table = new RouteTable([row('example.org', 'gw')], hops('smart'))
  assert.equal(table.destinationOf('a@example.org'), 'via gw:25')
  assert.equal(table.destinationOf('a@example.com'), 'smarthost')
  assert.deepEqual(table.hostsOf('smarthost'), hops('smart'))
  assert.deepEqual(table.hostsOf('via gw:25'), hops('gw'))
})

test('rows that lead to the same hosts in the same order share a destination, others do not', () => {
  const table = new RouteTable(
    [row('a.example', 'x', 'y'), row('.b.example', 'X', 'y'), row('c.example', 'y', 'x')],
    [],
  )
  assert.equal(table.destinationOf('1@a.example'), 'via x:25 y:25')
  assert.equal(table.destinationOf('1@sub.b.example'), 'via x:25 y:25')
  assert.equal(table.destinationOf('1@c.example'), 'via y:25 x:25')
  assert.equal(
    new RouteTable([row('a.example', '2001:DB8::1')], []).destinationOf('1@a.example'),
    'via [2001:db8::1]:25',
  )
})

test('without rows the smarthosts take all, and without them nothing has hosts of the settings', () => {
  const smart = new RouteTable([], hops('smart'))
  assert.equal(smart.destinationOf('a@example.com'), 'smarthost')
  assert.equal(smart.isOneWay, true)
  const plain = new RouteTable([], [])
  assert.equal(plain.destinationOf('a@smarthost'), 'smarthost')
  assert.equal(plain.hostsOf('smarthost'), undefined)
  assert.equal(plain.isOneWay, false)
})

test('all mail goes one way when every row and the rest lead to the same hosts', () => {
  const cases: [what: string, table: RouteTable, isOneWay: boolean][] = [
    ['only *', new RouteTable([row('*', 'x')], []), true],
    ['a row beside an equal *', new RouteTable([row('*', 'x'), row('a.example', 'x')], []), true],
    ['a row beside another *', new RouteTable([row('*', 'x'), row('a.example', 'y')], []), false],
    ['a row beside smarthosts', new RouteTable([row('a.example', 'y')], hops('x')), false],
    ['a row, and the DNS for the rest', new RouteTable([row('a.example', 'y')], []), false],
  ]
  for (const [what, table, isOneWay] of cases) assert.equal(table.isOneWay, isOneWay, what)
})

test('the recipients of one record part by destination in their order, and a group has no more than its limit', () => {
  const table = new RouteTable([row('a.example', 'gw'), row('.b.example', 'gw'), row('c.example', 'other')], [])
  const to = [
    '1@a.example',
    '2@d.example',
    '3@x.b.example',
    '4@c.example',
    '5@D.example',
    '6@y.b.example',
    '7@a.example',
  ]
  assert.deepEqual(
    table.split(to, (address) => address, 3),
    [
      { destination: 'via gw:25', items: ['1@a.example', '3@x.b.example', '6@y.b.example'] },
      { destination: 'via gw:25', items: ['7@a.example'] },
      { destination: 'd.example', items: ['2@d.example', '5@D.example'] },
      { destination: 'via other:25', items: ['4@c.example'] },
    ],
  )
  const without = new RouteTable([], [])
  assert.deepEqual(
    without.split(['1@a.example', '2@b.example', '3@A.example'], (address) => address, 100),
    [
      { destination: 'a.example', items: ['1@a.example', '3@A.example'] },
      { destination: 'b.example', items: ['2@b.example'] },
    ],
  )
  const smart = new RouteTable([], hops('smart'))
  assert.equal(smart.split(['1@a.example', '2@b.example'], (address) => address, 100).length, 1)
})

test('a destination of another time is read with the table of today', () => {
  const table = new RouteTable([row('example.org', 'new')], [])
  const cases: [stored: string, now: string][] = [
    ['example.org', 'via new:25'],
    ['example.com', 'example.com'],
    ['via new:25', 'via new:25'],
    // Nobody knows whose mail that was.
    ['via old:25', 'via old:25'],
    ['smarthost', 'smarthost'],
  ]
  for (const [stored, now] of cases) assert.equal(table.current(stored), now, stored)
  assert.equal(new RouteTable([], hops('smart')).current('example.org'), 'smarthost')
})

test('the domain of a row is a domain, those below one, or all', () => {
  assert.deepEqual(parseRouteDomain('*'), { is: 'all' })
  assert.deepEqual(parseRouteDomain('Example.ORG'), { is: 'exactly', domain: 'example.org' })
  assert.deepEqual(parseRouteDomain('.Example.ORG'), { is: 'below', domain: 'example.org' })
  assert.deepEqual(parseRouteDomain('.BÜCHER.example'), { is: 'below', domain: 'xn--bcher-kva.example' })
  assert.deepEqual(parseRouteDomain('localhost'), { is: 'exactly', domain: 'localhost' })
  const wrong = [
    '',
    '.',
    '..example.org',
    'example..org',
    'example.org.',
    '*.example.org',
    '@example.org',
    'a b.example',
  ]
  for (const text of [...wrong, '-a.example', '192.0.2.1', '.1', '[192.0.2.1]', 'a\u{fffd}b.example', 'a.'.repeat(127)])
    assert.deepEqual(parseRouteDomain(text), { is: 'invalid' }, text)
  assert.throws(() => new RouteTable([row('a b', 'x')], []), /no domain/)
  assert.throws(() => new RouteTable([row('a.example', 'x'), row('A.example', 'y')], []), /twice/)
})
