import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { NetworkInterfaceInfo } from 'node:os'
import { test } from 'node:test'
import { ownNetworks, whyHidden } from './cluster-networks.ts'
import { Client } from './test/client.ts'
import { startTestEdge } from './test/test-edge.ts'
import type { TestEdge } from './test/test-edge.ts'

const good = 'Subject: x\r\n\r\nbody\r\n.\r\n'
const denied = '550 5.7.1 Relaying denied: the client is not in a listed network'

function address(cidr: string, internal = false): NetworkInterfaceInfo {
  const [ip = ''] = cidr.split('/')
  const common = { address: ip, netmask: '', mac: '00:00:00:00:00:00', internal, cidr }
  return ip.includes(':') ? { ...common, family: 'IPv6', scopeid: 0 } : { ...common, family: 'IPv4' }
}

const interfaces = {
  lo: [address('127.0.0.1/8', true), address('::1/128', true)],
  eth0: [address('10.244.1.7/24'), address('fd00:10:244::7/64'), address('fe80::7/64')],
  net1: [{ ...address('192.0.2.7/32'), cidr: null }],
}

test('a process in Kubernetes knows the networks of its pod, and one elsewhere none', () => {
  assert.deepEqual(ownNetworks({}, interfaces), [])
  const environment = { KUBERNETES_SERVICE_HOST: '10.96.0.1' }
  assert.deepEqual(ownNetworks(environment, interfaces), [
    { network: '10.244.1.7/24', whose: 'eth0 of this pod' },
    { network: 'fd00:10:244::7/64', whose: 'eth0 of this pod' },
    { network: 'fe80::7/64', whose: 'eth0 of this pod' },
    { network: '192.0.2.7', whose: 'net1 of this pod' },
  ])
  assert.deepEqual(ownNetworks(environment, {}), [])
})

const cluster = [
  { network: '10.244.0.0/16', whose: 'cluster.networks' },
  { network: '10.98.0.11', whose: 'cluster.nodeAddresses' },
  { network: 'fd00:10:244::7/64', whose: 'eth0 of this pod' },
]
const hiding: readonly (readonly [entry: string, overlaps: string | undefined])[] = [
  ['10.244.0.0/16', '10.244.0.0/16'],
  ['10.0.0.0/8', '10.244.0.0/16'],
  ['10.244.3.0/24', '10.244.0.0/16'],
  ['10.244.3.9', '10.244.0.0/16'],
  ['::ffff:10.244.3.0/120', '10.244.0.0/16'],
  ['10.98.0.0/24', '10.98.0.11'],
  ['10.98.0.11', '10.98.0.11'],
  ['0.0.0.0/0', '10.244.0.0/16'],
  ['::ffff:0:0/96', '10.244.0.0/16'],
  ['0.0.0.0/1', '10.244.0.0/16'],
  ['128.0.0.0/1', undefined],
  ['::/0', 'fd00:10:244::7/64'],
  ['fd00::/8', 'fd00:10:244::7/64'],
  ['fd00:10:244::/128', 'fd00:10:244::7/64'],
  ['fd00:10:245::/64', undefined],
  ['10.243.0.0/16', undefined],
  ['10.98.0.12', undefined],
  ['192.0.2.0/24', undefined],
  ['127.0.0.0/8', undefined],
  ['127.0.0.1', undefined],
  ['::1', undefined],
  ['::ffff:127.0.0.1', undefined],
]
for (const [entry, found] of hiding) {
  test(`strangers may come from ${entry}: ${found === undefined ? 'no' : `as it overlaps ${found}`}`, () => {
    const why = whyHidden(entry, cluster)
    if (found === undefined) assert.equal(why, undefined)
    else assert.ok(why?.startsWith(`overlaps ${found} (`), why)
  })
}

test('everybody of a family of which nothing is known is too many as well, but only in a cluster', () => {
  const four = [{ network: '10.244.1.7/24', whose: 'eth0 of this pod' }]
  assert.match(whyHidden('::/0', four) ?? '', /everybody/)
  assert.equal(whyHidden('2000::/3', four), undefined)
  for (const entry of ['::/0', '0.0.0.0/0', '10.0.0.0/8']) assert.equal(whyHidden(entry, []), undefined)
})

// Addresses of 127.0.0.0/8 stand for those of a cluster here; they are exempt as networks, and so `networks` is wider.
const networks = ['126.0.0.0/7', '192.0.2.0/24']
const own = [{ network: '127.0.3.0/24', whose: 'eth0 of this pod' }]
const balancer = '127.0.9.9'

/** The reply to MAIL of a client that comes from this address and perhaps says who it is before. */
async function mailFrom(edge: TestEdge, localAddress: string, header = ''): Promise<string> {
  const socket = connect({ port: edge.ports.relay, host: '127.0.0.1', localAddress })
  await once(socket, 'connect')
  socket.write(header)
  const client = Client.over(socket)
  await client.reply()
  await client.command('EHLO client.example')
  const reply = await client.mail('a@b.example', 'c@d.example', good)
  client.close()
  return reply
}

test('who comes round the load balancer is not served for an address of the cluster, who is named by it is', async () => {
  await using edge = await startTestEdge({ networks, own, proxyFrom: [balancer] })
  const header = (client: string): string => `PROXY TCP4 ${client} 127.0.0.1 4711 25\r\n`
  for (const client of ['127.0.3.4', '127.0.0.2', '192.0.2.7']) {
    assert.match(await mailFrom(edge, balancer, header(client)), /^250 /, client)
  }
  // The second is another node's: nothing is known of it but that it is in one network with what is known.
  for (const client of ['127.0.3.4', '127.0.0.2']) assert.equal(await mailFrom(edge, client), denied, client)
  const told = edge.lines().filter((line) => line['level'] === 'warn' && line['networks'] !== undefined)
  assert.deepEqual(
    told.map((line) => [line['msg'], line['networks']]),
    [['networks of the cluster are served only when a load balancer names the client', ['126.0.0.0/7']]],
  )
})

test('networks that have nothing to do with the cluster are served round the load balancer too', async () => {
  await using edge = await startTestEdge({ networks: ['127.0.0.0/30'], own, proxyFrom: [balancer] })
  assert.match(await mailFrom(edge, '127.0.0.2'), /^250 /)
  assert.equal(await mailFrom(edge, '127.0.3.4'), denied)
})

test('with the explicit permission everybody of the networks is served, and the log says so', async () => {
  const listener = {
    role: 'relay',
    host: '127.0.0.1',
    port: 0,
    networks,
    proxyFrom: [balancer],
    allowClusterNetworks: true,
  }
  await using edge = await startTestEdge({ own, settings: { listeners: [listener] } })
  const relay = { ...edge, ports: { ...edge.ports, relay: edge.ports.submission } }
  assert.match(await mailFrom(relay, '127.0.3.4'), /^250 /)
  assert.ok(
    edge.lines().some((line) => line['level'] === 'warn' && String(line['msg']).startsWith('relays for networks')),
  )
})

test('load balancers among the strangers are told of', async () => {
  const proxyFrom = ['10.244.0.0/16', '198.51.100.0/24']
  await using edge = await startTestEdge({ networks: ['192.0.2.0/24'], own: cluster, proxyFrom })
  const told = edge.lines().filter((line) => String(line['msg']).startsWith('load balancers in the cluster'))
  assert.deepEqual(
    told.map((line) => line['proxyFrom']),
    [['10.244.0.0/16']],
  )
})
