import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chosen } from './choice.ts'

const NODE = 'namespace=~"$namespace",job=~"$job",pod=~"$pod",instance=~"$instance"'

test('what is chosen above a dashboard comes into each metric, before what the query asks itself', () => {
  for (const [query, expected] of [
    ['posthouse_edge_sessions', `posthouse_edge_sessions{${NODE}}`],
    ['posthouse_x{state!="usable"} > 0', `posthouse_x{${NODE},state!="usable"} > 0`],
    [
      'rate(process_cpu_seconds_total[$__rate_interval]) and on (namespace, job) nodejs_x',
      `rate(process_cpu_seconds_total{${NODE}}[$__rate_interval]) and on (namespace, job) nodejs_x{${NODE}}`,
    ],
    ['count(up == 0) or vector(0)', `count(up{${NODE}} == 0) or vector(0)`],
  ] as const)
    assert.equal(chosen(query), expected)
})

test('to choose a node hides no figure of the whole cluster and no alert', () => {
  assert.equal(
    chosen('max by (partition) (posthouse_queue_bytes) + posthouse_nats_stream_bytes{kind="mail"}'),
    'max by (partition) (posthouse_queue_bytes{namespace=~"$namespace"}) + posthouse_nats_stream_bytes{namespace=~"$namespace",kind="mail"}',
  )
  assert.equal(chosen('ALERTS{alertstate="firing"}'), 'ALERTS{namespace=~"$namespace",alertstate="firing"}')
  assert.equal(chosen('posthouse_nats_connected'), `posthouse_nats_connected{${NODE}}`)
  assert.equal(chosen('posthouse_edge_queue_used_ratio'), `posthouse_edge_queue_used_ratio{${NODE}}`)
})
