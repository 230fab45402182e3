import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NextHop } from '@posthouse/core/route-table'
import { createLog } from '@posthouse/runtime/log'
import { Egress, exitName } from './egress.ts'

const [a, b, c] = ['a', 'b', 'c'].map((host): NextHop => ({ host, port: 1080 })) as [NextHop, NextHop, NextHop]

/** An egress, its clock, and what it logs. */
async function egressOf(ways: {
  readonly proxies?: readonly NextHop[]
  readonly addresses?: readonly string[]
}): Promise<{ egress: Egress; clock: { now: number }; told: string[]; order(to?: string): string[] }> {
  const told: string[] = []
  const destination = {
    write(line: string) {
      const { msg, exit } = JSON.parse(line) as { msg: string; exit: string }
      told.push(`${exit}: ${msg}`)
    },
  }
  const log = await createLog({ level: 'info', format: 'json', base: {}, destination })
  const clock = { now: 0 }
  const egress = new Egress({
    addresses: [],
    proxies: [],
    login: undefined,
    resolve: () => Promise.resolve({ is: 'none' }),
    log,
    now: () => clock.now,
    ...ways,
  })
  const order = (to = '192.0.2.1'): string[] =>
    egress.exits(to).map((exit) => (exit.is === 'proxy' ? exit.proxy.host : exit.is === 'address' ? exit.address : ''))
  return { egress, clock, told, order }
}

test('proxies are tried in their order, those that failed last, for longer each time', async () => {
  const { egress, clock, told, order } = await egressOf({ proxies: [a, b, c] })
  const fail = (proxy: NextHop): void => egress.fails({ is: 'proxy', proxy }, true, 'dead')
  assert.deepEqual(order(), ['a', 'b', 'c'])
  fail(a)
  // What was under way when it failed is no second failure.
  fail(a)
  assert.deepEqual(order(), ['b', 'c', 'a'])
  clock.now = 5001
  assert.deepEqual(order(), ['a', 'b', 'c'])
  fail(a)
  clock.now += 9999
  assert.deepEqual(order(), ['b', 'c', 'a'])
  for (const proxy of [b, c]) fail(proxy)
  assert.deepEqual(order(), ['a', 'b', 'c'])
  egress.works({ is: 'proxy', proxy: a })
  egress.works({ is: 'proxy', proxy: a })
  assert.deepEqual(order(), ['a', 'b', 'c'])
  assert.deepEqual(
    told.map((line) => line.replace(/^the proxy (.):1080: a way out (.).*$/, '$1 $2')),
    ['a f', 'a f', 'b f', 'c f', 'a w'],
  )
})

test('a proxy is believed that it is the hosts, until it has opened nothing five times in a row', async () => {
  const { egress, told, order } = await egressOf({ proxies: [a, b] })
  const exit = { is: 'proxy', proxy: a } as const
  const doubt = (times: number): void => {
    for (let i = 0; i < times; i += 1) egress.fails(exit, false, 'host unreachable')
  }
  doubt(4)
  egress.works(exit)
  doubt(4)
  assert.deepEqual(order(), ['a', 'b'])
  assert.deepEqual(told, [])
  doubt(1)
  assert.deepEqual(order(), ['b', 'a'])
  assert.deepEqual(told, [`${exitName(exit)}: a way out fails`])
})

test('source addresses take turns in their family, and one that fails comes last', async () => {
  const { egress, order } = await egressOf({ addresses: ['192.0.2.10', '2001:db8::10', '192.0.2.11'] })
  assert.deepEqual(order(), ['192.0.2.10', '192.0.2.11'])
  assert.deepEqual(order(), ['192.0.2.11', '192.0.2.10'])
  assert.deepEqual(order('2001:db8::1'), ['2001:db8::10'])
  assert.deepEqual(order(), ['192.0.2.10', '192.0.2.11'])
  egress.fails({ is: 'address', address: '192.0.2.10' }, true, 'bind EADDRNOTAVAIL')
  for (const _ of [1, 2]) assert.deepEqual(order(), ['192.0.2.11', '192.0.2.10'])
  assert.equal(egress.canReach('2001:db8::1'), true)
})

test('without an address of a family nothing of it can be reached', async () => {
  const { egress, order } = await egressOf({ addresses: ['192.0.2.10'] })
  assert.equal(egress.canReach('192.0.2.1'), true)
  assert.equal(egress.canReach('2001:db8::1'), false)
  assert.deepEqual(order('2001:db8::1'), [])
  const { egress: plain, order: ways } = await egressOf({})
  assert.equal(plain.canReach('2001:db8::1'), true)
  assert.deepEqual(ways('2001:db8::1'), [''])
})
