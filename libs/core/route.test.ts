import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planAddresses, planRoute, shuffle, withoutAddresses } from './route.ts'
import type { AddressAnswer, MxAnswer, MxRecord } from './route.ts'

const isOwn = (host: string): boolean => host === 'relay.example'
const never = (): number => 0.999
const mx = (...records: [number, string][]): MxAnswer => ({
  is: 'found',
  records: records.map(([priority, exchange]): MxRecord => ({ priority, exchange })),
})

test('the hosts of a domain, row by row', () => {
  const rows: [what: string, answer: MxAnswer, expected: readonly string[] | string][] = [
    [
      'by preference',
      mx([20, 'b.example'], [10, 'a.example'], [30, 'c.example']),
      ['a.example', 'b.example', 'c.example'],
    ],
    ['lower case, without the final dot', mx([10, 'MX.Example.']), ['mx.example']],
    ['each host once', mx([10, 'a.example'], [20, 'A.example']), ['a.example']],
    ['no MX: the domain itself', { is: 'none' }, ['example.org']],
    ['null MX', mx([0, '']), '5.1.10'],
    ['null MX as a dot', mx([0, '.']), '5.1.10'],
    ['a null MX beside another is ignored', mx([0, ''], [10, 'a.example']), ['a.example']],
    ['no such domain', { is: 'no such name' }, '5.1.2'],
    ['no answer', { is: 'failed', reason: 'SERVFAIL' }, '4.4.3'],
    ['ourselves: only better hosts', mx([10, 'a.example'], [20, 'relay.example'], [30, 'c.example']), ['a.example']],
    [
      'ourselves shared: not the equals either',
      mx([10, 'a.example'], [20, 'b.example'], [20, 'relay.example']),
      ['a.example'],
    ],
    ['ourselves best: a loop', mx([10, 'relay.example'], [20, 'b.example']), '5.4.6'],
  ]
  for (const [what, answer, expected] of rows) {
    const route = planRoute('example.org', answer, isOwn, never)
    if (typeof expected === 'string') assert.equal(route.is === 'hosts' ? 'hosts' : route.status, expected, what)
    else assert.deepEqual(route, { is: 'hosts', hosts: expected }, what)
  }
})

test('a domain without MX that is our own name is a loop', () => {
  const route = planRoute('relay.example', { is: 'none' }, isOwn, never)
  assert.equal(route.is, 'unroutable')
})

test('only an answer of the DNS makes mail undeliverable', () => {
  assert.equal(planRoute('example.org', { is: 'failed', reason: 'timeout' }, isOwn, never).is, 'unknown')
  assert.equal(planRoute('example.org', { is: 'no such name' }, isOwn, never).is, 'unroutable')
})

test('hosts of the same preference take turns by chance, and never pass a better one', () => {
  const answer = mx([10, 'a.example'], [20, 'b.example'], [20, 'c.example'], [20, 'd.example'])
  const firsts = new Set<string>()
  let seed = 1
  const chance = (): number => (seed = (seed * 16807) % 2147483647) / 2147483647
  for (let i = 0; i < 60; i += 1) {
    const route = planRoute('example.org', answer, isOwn, chance)
    assert.ok(route.is === 'hosts' && route.hosts[0] === 'a.example')
    firsts.add(route.hosts[1] ?? '')
  }
  assert.deepEqual([...firsts].toSorted(), ['b.example', 'c.example', 'd.example'])
})

test('the addresses of a host, row by row', () => {
  const found = (...addresses: string[]): AddressAnswer => ({ is: 'found', addresses })
  const none: AddressAnswer = { is: 'none' }
  const missing: AddressAnswer = { is: 'no such name' }
  const failed: AddressAnswer = { is: 'failed', reason: 'SERVFAIL' }
  const own = (address: string): boolean => address.startsWith('127.')
  const rows: [v4: AddressAnswer, v6: AddressAnswer, expected: string][] = [
    [found('192.0.2.1'), none, '192.0.2.1'],
    [found('192.0.2.1'), failed, '192.0.2.1'],
    [found('192.0.2.1', '192.0.2.2'), found('2001:db8::1'), '2001:db8::1 192.0.2.1 192.0.2.2'],
    [none, none, 'none'],
    [missing, missing, 'none'],
    [failed, none, 'unknown'],
    [none, failed, 'unknown'],
    [found('192.0.2.1', '127.0.0.1'), none, 'own'],
  ]
  for (const [v4, v6, expected] of rows) {
    const plan = planAddresses('mx.example', v4, v6, own, never)
    assert.equal(plan.is === 'addresses' ? plan.addresses.join(' ') : plan.is, expected)
  }
})

test('a domain none of whose hosts has an address is returned only if that is known of all of them', () => {
  const none = { unknown: false, reason: 'the host mx1 has no address' }
  const unknown = { unknown: true, reason: 'address of mx2: SERVFAIL' }
  assert.equal(withoutAddresses('example.org', [none]).status, '5.4.4')
  assert.equal(withoutAddresses('example.org', [none, unknown]).status, '4.4.3')
})

test('shuffling loses nothing and changes nothing in place', () => {
  const list = [1, 2, 3, 4]
  assert.deepEqual(
    shuffle(list, () => 0),
    [2, 3, 4, 1],
  )
  assert.deepEqual(list, [1, 2, 3, 4])
})
