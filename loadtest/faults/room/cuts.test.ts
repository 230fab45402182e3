import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cuts } from './cuts.ts'

const ADDRESSES: Readonly<Record<string, string>> = {
  'edge-1': '10.77.3.1',
  'nats-1': '10.77.2.1',
  balancer: '10.77.1.1',
}

function cuts(): Cuts {
  return new Cuts((name) => {
    const address = ADDRESSES[name]
    if (address === undefined) throw new Error(`no node is called ${name}`)
    return address
  })
}

test('a one-way cut is a rule at the receiver, and at nobody else', () => {
  const links = cuts()
  links.set('edge-1', 'nats-1', 1)
  assert.deepEqual(links.rulesAt('nats-1'), ['-A INPUT -s 10.77.3.1 -d 10.77.2.1 -j DROP'])
  assert.deepEqual(links.rulesAt('edge-1'), [])
  assert.deepEqual(links.receivers, new Set(['nats-1']))
})

test('a later word on the same link replaces the one before, and a share of none takes it away', () => {
  const links = cuts()
  links.set('edge-1', 'nats-1', 1)
  links.set('edge-1', 'nats-1', 0.25)
  assert.deepEqual(links.rulesAt('nats-1'), [
    '-A INPUT -s 10.77.3.1 -d 10.77.2.1 -m statistic --mode random --probability 0.250000 -j DROP',
  ])
  links.set('edge-1', 'nats-1', 0)
  assert.deepEqual(links.rulesAt('nats-1'), [])
})

test('of the clients only mail is cut, in either direction: the harness asks for health from the same address', () => {
  const links = cuts()
  links.set('clients', 'balancer', 1)
  links.set('balancer', 'clients', 1)
  const [inward] = links.rulesAt('balancer')
  const [outward] = links.rulesAt('clients')
  assert.equal(inward, '-A INPUT -s 10.77.0.1 -d 10.77.1.1 -p tcp -m multiport --dports 25,587,465 -j DROP')
  assert.equal(outward, '-A INPUT -s 10.77.1.1 -d 10.77.0.1 -p tcp -m multiport --sports 25,587,465 -j DROP')
})

test('all outside parties receive in one place', () => {
  const links = cuts()
  links.set('edge-1', 'dns', 1)
  links.set('edge-1', 'sites', 1)
  assert.equal(links.rulesAt('dns').length, 2)
  assert.deepEqual(links.rulesAt('dns'), links.rulesAt('sites'))
})

test('a node that is gone has no links, and who had rules against it is known', () => {
  const links = cuts()
  links.set('edge-1', 'nats-1', 1)
  links.set('nats-1', 'edge-1', 1)
  links.set('balancer', 'nats-1', 1)
  assert.deepEqual(links.forget('edge-1'), new Set(['nats-1']))
  assert.deepEqual(links.rulesAt('nats-1'), ['-A INPUT -s 10.77.1.1 -d 10.77.2.1 -j DROP'])
  assert.deepEqual(links.rulesAt('edge-1'), [])
})

const wrong: readonly [why: string, from: string, to: string, share: number][] = [
  ['a name that is no party', 'edge-1', 'edge-9', 1],
  ['two outside parties', 'sites', 'dns', 1],
  ['a node with itself', 'edge-1', 'edge-1', 1],
  ['more than everything', 'edge-1', 'nats-1', 1.5],
]

for (const [why, from, to, share] of wrong) {
  test(`${why}: refused`, () => {
    const links = cuts()
    assert.throws(() => links.set(from, to, share))
    assert.deepEqual(links.receivers, new Set())
  })
}
