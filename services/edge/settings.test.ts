import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stringify } from 'yaml'
import { loadSettings } from '@posthouse/runtime/settings/load'
import type { ClusterNetwork } from './cluster-networks.ts'
import { settingsRules } from './settings-rules.ts'
import { settingsTable } from './settings.ts'

function load(file: Record<string, unknown>, own: readonly ClusterNetwork[] = []) {
  const common = { name: 'edge-1', hostname: 'edge.example', http: { port: 0 } }
  const text = stringify({ ...common, ...file })
  return loadSettings(
    settingsTable,
    { file: { name: 'edge.yaml', text }, environment: {}, readFile: () => '' },
    (settings) => settingsRules(settings, own),
  )
}
const relay = { role: 'relay', port: 25, networks: ['10.0.0.0/8'] }

test('a relay for listed networks needs no certificate and no users', () => {
  const loaded = load({ listeners: [relay] })
  assert.ok(loaded.ok, JSON.stringify(loaded))
  assert.equal(loaded.settings.limits.messageSize, 64 * 1024 * 1024)
  assert.equal(loaded.settings.listeners[0]?.bareNewlines, 'reject')
})

test('what a listener lacks is told, each with its place', () => {
  const loaded = load({
    listeners: [relay, { role: 'submission', port: 587 }, { role: 'relay', port: 26 }],
    tls: { certFile: '/x' },
  })
  assert.ok(!loaded.ok)
  assert.deepEqual(loaded.errors, [
    'tls.certFile: goes with tls.keyFile',
    'listeners[1].role: submission needs usersFile',
    'listeners[2].networks: a relay listener needs the networks it serves',
  ])
})

test('three mistakes in the table are three lines', () => {
  const loaded = load({ listeners: [{ role: 'relais', port: 25 }], limits: { messageSize: 5, recipients: 3 } })
  assert.ok(!loaded.ok)
  assert.deepEqual(
    loaded.errors.map((error) => error.split(':', 1)[0]),
    ['listeners[0].role', 'limits.messageSize', 'limits.recipients'],
  )
})

test('load balancers may lie in the networks served, but nothing served lies among the load balancers', () => {
  const proxyFrom = ['10.0.0.5', '10.0.7.0/24', 'fd00::/8']
  assert.ok(load({ listeners: [{ ...relay, proxyFrom }] }).ok)
  const dead = load({ listeners: [relay, { ...relay, networks: ['10.0.0.0/8', '10.0.7.9', 'fd00::/16'], proxyFrom }] })
  assert.ok(!dead.ok)
  assert.deepEqual(dead.errors, [
    'listeners[1].networks: 10.0.7.9 lies in proxyFrom, whose own addresses are never served',
    'listeners[1].networks: fd00::/16 lies in proxyFrom, whose own addresses are never served',
  ])
})

test('not everybody can be a load balancer', () => {
  for (const everybody of ['0.0.0.0/0', '::/0']) {
    const loaded = load({ listeners: [{ ...relay, proxyFrom: ['192.0.2.1', everybody] }] })
    assert.ok(!loaded.ok)
    assert.deepEqual(loaded.errors, [
      'listeners[0].proxyFrom: everybody could claim any address; name the load balancers',
    ])
  }
})

const pod = [{ network: '10.244.1.7/24', whose: 'eth0 of this pod' }]
const refused: readonly (readonly [
  what: string,
  listener: Record<string, unknown>,
  cluster: Record<string, unknown>,
  own: readonly ClusterNetwork[],
  wrong: readonly string[],
])[] = [
  ['nothing is known of a cluster', {}, {}, [], []],
  ['the pod lies in a network', {}, {}, pod, ['10.0.0.0/8 overlaps 10.244.1.7/24 (eth0 of this pod)']],
  [
    'a network lies in that of the pod',
    { networks: ['10.244.1.128/25'] },
    {},
    pod,
    ['10.244.1.128/25 overlaps 10.244'],
  ],
  [
    'the node lies in a network',
    {},
    { nodeAddresses: ['10.98.0.11'] },
    [],
    ['10.0.0.0/8 overlaps 10.98.0.11 (cluster.nodeA'],
  ],
  [
    'each network that is wrong has its line',
    { networks: ['10.0.0.0/8', '192.0.2.0/24', 'fd00::/8', '10.96.0.9'] },
    { networks: ['10.96.0.0/12', 'fd00:1::/48'] },
    [],
    [
      '10.0.0.0/8 overlaps 10.96.0.0/12 (cluster.networks)',
      'fd00::/8 overlaps fd00:1::/48',
      '10.96.0.9 overlaps 10.96',
    ],
  ],
  [
    'everybody',
    { networks: ['0.0.0.0/0', '::/0'] },
    {},
    pod,
    ['0.0.0.0/0 overlaps 10.244.1.7/24', '::/0 is everybody'],
  ],
  ['the machine itself is no stranger', { networks: ['127.0.0.0/8', '::1'] }, { networks: ['0.0.0.0/0'] }, pod, []],
  ['others than the cluster', { networks: ['192.0.2.0/24'] }, { networks: ['10.244.0.0/16'] }, pod, []],
  ['a load balancer names the clients', { proxyFrom: ['198.51.100.7'] }, { nodeAddresses: ['10.98.0.11'] }, pod, []],
  ['the operator says so', { allowClusterNetworks: true }, { nodeAddresses: ['10.98.0.11'] }, pod, []],
]
for (const [what, listener, cluster, own, wrong] of refused) {
  test(`strangers behind the cluster: ${what}`, () => {
    const loaded = load({ listeners: [{ ...relay, ...listener }], cluster }, own)
    const errors = loaded.ok ? [] : loaded.errors
    assert.equal(errors.length, wrong.length, errors.join('\n'))
    for (const [index, error] of errors.entries()) {
      assert.ok(error.startsWith(`listeners[0].networks: ${wrong[index]}`), error)
      for (const way of ['SNAT', 'proxyFrom', 'allowClusterNetworks']) assert.ok(error.includes(way), way)
      assert.ok(!error.includes('\n'))
    }
  })
}

test('the networks of the cluster are networks, and only a relay is allowed to serve them', () => {
  const submission = { role: 'submission', port: 587, allowClusterNetworks: true }
  const loaded = load({
    listeners: [submission],
    cluster: { networks: ['::ffff:10.0.0.0/90'] },
    local: true,
    usersFile: 'users.yaml',
  })
  assert.ok(!loaded.ok)
  assert.deepEqual(loaded.errors, [
    'cluster.networks: not all are networks',
    'listeners[0].allowClusterNetworks: only a relay listener has networks',
  ])
})

test('a stop that says "not ready" until its deadline would finish nothing', () => {
  const stop = (notReadyFor: string, deadline: string) => load({ listeners: [relay], stop: { notReadyFor, deadline } })
  assert.ok(stop('24s', '25s').ok)
  const loaded = stop('25s', '25s')
  assert.ok(!loaded.ok)
  assert.deepEqual(loaded.errors, [
    'stop.notReadyFor: must be shorter than stop.deadline, which counts from the same moment',
  ])
})
