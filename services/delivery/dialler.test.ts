/** What the dialler makes of a way out that fails under it, which no settings can bring about at the start. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseNetworks } from '@posthouse/core/network'
import type { NetworkList } from '@posthouse/core/network'
import { RouteTable } from '@posthouse/core/route-table'
import { createLog } from '@posthouse/runtime/log'
import { FakeMx } from '@posthouse/testkit/fake-mx'
import { Dialler } from './dialler.ts'
import type { Dialled } from './dialler.ts'
import { createDns } from './dns.ts'
import { Egress } from './egress.ts'
import { HostHealth } from './host-health.ts'
import { NextHosts } from './next-hosts.ts'

const timeouts = { connect: 5000, greeting: 5000, command: 5000, data: 5000, block: 5000, final: 5000 }
const now = (): number => performance.now()
/** No machine has it: it is for documentation (RFC 5737). */
const LOST = '192.0.2.77'

async function diallerFrom(
  addresses: readonly string[],
  mx: FakeMx,
): Promise<{ dial: () => Promise<Dialled>; health: HostHealth; told: string[] }> {
  const routes = new RouteTable([{ domain: '*', hosts: [{ host: '127.0.0.1', port: mx.port }] }], [])
  const dns = createDns({ servers: [], timeout: 1000, cacheFor: 0, now })
  const told: string[] = []
  const destination = { write: (line: string) => void told.push(line) }
  const log = await createLog({ level: 'info', format: 'json', base: {}, destination })
  const health = new HostHealth(now)
  const dialler = new Dialler({
    hostname: 'relay.test',
    hosts: new NextHosts({
      routes,
      port: 25,
      isOwnName: () => false,
      ownAddresses: parseNetworks([]) as NetworkList,
      dns,
      chance: Math.random,
    }),
    egress: new Egress({ addresses, proxies: [], login: undefined, resolve: (host) => dns.machine(host), log, now }),
    isOwnName: () => false,
    useTls: true,
    timeouts,
    health,
    now,
    onClient: () => {},
  })
  return { dial: () => dialler.dial(routes.destinationOf('b@example.com')), health, told }
}

test('a source address that the machine has lost is passed over, and told', async () => {
  await using mx = await FakeMx.start()
  const { dial, told } = await diallerFrom([LOST, '127.0.0.5'], mx)
  for (let i = 0; i < 3; i += 1) {
    const dialled = await dial()
    assert.equal(dialled.is, 'open', JSON.stringify(dialled))
    if (dialled.is === 'open') dialled.client.drop()
  }
  assert.equal(told.length, 1)
  assert.match(told[0] ?? '', /a way out fails/)
  assert.match(told[0] ?? '', /192\.0\.2\.77/)
})

test('without a source address that the machine still has, we are cut off and the host is not to blame', async () => {
  await using mx = await FakeMx.start()
  const { dial, health } = await diallerFrom([LOST], mx)
  const dialled = await dial()
  assert.equal(dialled.is, 'cut off')
  assert.ok(dialled.is === 'cut off')
  assert.equal(dialled.status, '4.4.0')
  assert.match(dialled.diagnostic, /^the source address 192\.0\.2\.77: .*EADDRNOTAVAIL/)
  assert.equal(health.isWell(`127.0.0.1 ${mx.port}`), true)
})

test('a host that refuses is not taken for a source address that fails', async () => {
  const mx = await FakeMx.start()
  const { dial, health, told } = await diallerFrom(['127.0.0.5'], mx)
  const { port } = mx
  await mx.close()
  const dialled = await dial()
  assert.equal(dialled.is, 'unreachable')
  assert.equal(health.isWell(`127.0.0.1 ${port}`), false)
  assert.deepEqual(told, [])
})
