import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asciiDomain, byDestination, destinationOf } from './destination.ts'

test('a destination is the domain, ignoring case and the way it is written', () => {
  const rows: [address: string, destination: string][] = [
    ['a@Example.ORG', 'example.org'],
    ['a@bücher.example', 'xn--bcher-kva.example'],
    ['a@XN--BCHER-KVA.example', 'xn--bcher-kva.example'],
    ['a@[192.0.2.1]', '[192.0.2.1]'],
    ['"a@b"@example.org', 'example.org'],
    ['postmaster', ''],
  ]
  for (const [address, destination] of rows) assert.equal(destinationOf(address, false), destination, address)
})

test('with smarthosts all mail has one destination', () => {
  assert.equal(destinationOf('a@example.org', true), 'smarthost')
  assert.equal(destinationOf('postmaster', true), 'smarthost')
})

test('recipients are grouped by destination in their order, and a group has no more than its limit', () => {
  const addresses = ['1@a.example', '2@b.example', '3@A.example', '4@a.example', '5@b.example', '6@a.example']
  const groups = byDestination(addresses, (address) => address, false, 3)
  assert.deepEqual(groups, [
    { destination: 'a.example', items: ['1@a.example', '3@A.example', '4@a.example'] },
    { destination: 'b.example', items: ['2@b.example', '5@b.example'] },
    { destination: 'a.example', items: ['6@a.example'] },
  ])
  assert.equal(byDestination(addresses, (address) => address, true, 100).length, 1)
  assert.deepEqual(
    byDestination([], () => '', true, 100),
    [],
  )
})

test('what cannot be written in ASCII has no ASCII domain', () => {
  assert.equal(asciiDomain('plain.example'), 'plain.example')
  assert.equal(asciiDomain('a\u{fffd}b.example'), '')
})
