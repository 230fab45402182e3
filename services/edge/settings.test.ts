import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stringify } from 'yaml'
import { loadSettings } from '@posthouse/runtime/settings/load'
import { settingsRules } from './settings-rules.ts'
import { settingsTable } from './settings.ts'

function load(file: Record<string, unknown>) {
  const common = { name: 'edge-1', hostname: 'edge.example', http: { port: 0 } }
  const text = stringify({ ...common, ...file })
  return loadSettings(
    settingsTable,
    { file: { name: 'edge.yaml', text }, environment: {}, readFile: () => '' },
    settingsRules,
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
