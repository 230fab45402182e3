import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MOST_SERIES, NODE_SERIES } from './common.ts'
import { metricsMarkdown } from './markdown.ts'
import { createMetrics } from './registry.ts'
import { defineMetrics, mostSeries } from './table.ts'

const table = defineMetrics({
  accepted: {
    kind: 'counter',
    name: 'posthouse_test_accepted_total',
    help: 'Accepted. Act when flat.',
    labels: { role: ['submission', 'relay'], tls: ['yes', 'no'] },
  },
  bytes: { kind: 'counter', name: 'posthouse_test_bytes_total', help: 'Bytes.' },
  open: { kind: 'gauge', name: 'posthouse_test_open', help: 'Open.' },
  backlog: { kind: 'gauge', name: 'posthouse_test_backlog', help: 'Backlog.', labels: { partition: { below: 64 } } },
  seconds: {
    kind: 'histogram',
    name: 'posthouse_test_seconds',
    help: 'Seconds.',
    buckets: [0.1, 1],
    labels: { to: ['a'] },
  },
})

const build = { service: 'test', version: '1.2.3' }

async function series(registry: { text(): Promise<string> }): Promise<string[]> {
  return (await registry.text()).split('\n').filter((line) => line.startsWith('posthouse_'))
}

test('every series of closed labels is there from the start, as a zero, with build information', async () => {
  assert.deepEqual(await series(createMetrics(table, build)), [
    'posthouse_test_accepted_total{role="submission",tls="yes"} 0',
    'posthouse_test_accepted_total{role="submission",tls="no"} 0',
    'posthouse_test_accepted_total{role="relay",tls="yes"} 0',
    'posthouse_test_accepted_total{role="relay",tls="no"} 0',
    'posthouse_test_bytes_total 0',
    'posthouse_test_open 0',
    'posthouse_test_seconds_bucket{to="a",le="0.1"} 0',
    'posthouse_test_seconds_bucket{to="a",le="1"} 0',
    'posthouse_test_seconds_bucket{to="a",le="+Inf"} 0',
    'posthouse_test_seconds_sum{to="a"} 0',
    'posthouse_test_seconds_count{to="a"} 0',
    `posthouse_build_info{service="test",version="1.2.3",node="${process.version}"} 1`,
    'posthouse_ready 0',
    'posthouse_log_suppressed_total 0',
  ])
})

test('what is counted, set and observed is what Prometheus reads', async () => {
  const registry = createMetrics(table, build)
  const { accepted, bytes, open, backlog, seconds } = registry.metrics
  const relay = accepted.with({ role: 'relay', tls: 'no' })
  assert.equal(relay, accepted.with({ tls: 'no', role: 'relay' }))
  relay.inc()
  relay.inc(4)
  bytes.inc(4096)
  open.inc()
  open.inc()
  open.dec()
  backlog.with({ partition: 5 }).from(() => 17)
  for (const value of [0.05, 0.1, 0.5, 3]) seconds.with({ to: 'a' }).observe(value)
  const lines = await series(registry)
  for (const line of [
    'posthouse_test_accepted_total{role="relay",tls="no"} 5',
    'posthouse_test_bytes_total 4096',
    'posthouse_test_open 1',
    'posthouse_test_backlog{partition="5"} 17',
    'posthouse_test_seconds_bucket{to="a",le="0.1"} 2',
    'posthouse_test_seconds_bucket{to="a",le="1"} 3',
    'posthouse_test_seconds_bucket{to="a",le="+Inf"} 4',
    'posthouse_test_seconds_sum{to="a"} 3.65',
    'posthouse_test_seconds_count{to="a"} 4',
  ])
    assert.ok(lines.includes(line), `${line}\nis not in\n${lines.join('\n')}`)
})

test('process metrics are there too, and are no more than is reckoned with', async () => {
  const text = await createMetrics(table, build).text()
  assert.ok(text.split('\n').filter((line) => /^(?:process|nodejs)_/.test(line)).length < NODE_SERIES)
  for (const name of ['process_cpu_seconds_total', 'nodejs_eventloop_lag_seconds', 'process_resident_memory_bytes'])
    assert.match(text, new RegExp(`^${name} `, 'm'))
})

test('a label value outside its set is a bug', () => {
  const { accepted, backlog } = createMetrics(table, build).metrics
  assert.throws(() => accepted.with({ role: 'else' as 'relay', tls: 'no' }), /role="else" is not one of its values/)
  assert.throws(() => backlog.with({ partition: 64 }), /partition=64 is not one/)
})

test('what is counted elsewhere is asked when Prometheus asks', async () => {
  const registry = createMetrics(table, build)
  registry.metrics.bytes.from(() => 12)
  registry.common.logSuppressed.from(() => 3)
  registry.common.ready.from(() => 1)
  const lines = await series(registry)
  for (const line of ['posthouse_test_bytes_total 12', 'posthouse_log_suppressed_total 3', 'posthouse_ready 1'])
    assert.ok(lines.includes(line), line)
})

test('a fixed label has one value', () => {
  const { common } = createMetrics(table, build)
  assert.throws(() => common.buildInfo.with({ service: 'test', version: '2', node: '3' }), /not one of its values/)
})

test('the number of series of a row is known before there are any', () => {
  assert.deepEqual(Object.values(table).map(mostSeries), [4, 1, 1, 64, 5])
  const labels = { destination: { top: 20 } }
  assert.equal(mostSeries({ kind: 'gauge', name: 'posthouse_a', help: 'x', labels }), 20)
})

test('a table that breaks the naming rules is a bug', () => {
  const help = 'x'
  assert.throws(() => defineMetrics({ a: { kind: 'counter', name: 'posthouse_a', help } }), /end in _total/)
  assert.throws(() => defineMetrics({ a: { kind: 'gauge', name: 'posthouse_a_total', help } }), /end in _total/)
  assert.throws(() => defineMetrics({ a: { kind: 'gauge', name: 'a', help } }), /posthouse_/)
  assert.throws(() => defineMetrics({ a: { kind: 'histogram', name: 'posthouse_a', help, buckets: [2, 1] } }), /ascend/)
  const row = { kind: 'gauge', name: 'posthouse_a', help } as const
  assert.throws(() => defineMetrics({ a: row, b: row }), /twice/)
  const top = { destination: { top: 20 } }
  assert.throws(() => defineMetrics({ a: { ...row, labels: { ...top, b: ['c'] } } }), /largest/)
  assert.throws(
    () => defineMetrics({ a: { ...row, kind: 'counter', name: 'posthouse_a_total', labels: top } }),
    /largest/,
  )
  assert.throws(() => defineMetrics({ a: { ...row, labels: { a: { below: 1001 } } } }), /1001 series/)
})

test('the docs say what each metric means and which labels it has', () => {
  const text = metricsMarkdown(new Map([['test', table]]))
  assert.match(
    text,
    /\| `posthouse_test_accepted_total` \| counter \| `role` = submission, relay; `tls` = yes, no \| Accepted\. Act when flat\. \|/,
  )
  assert.match(text, /\| `posthouse_test_backlog` \| gauge \| `partition` = 0 to 63 \|/)
  const labels = { destination: { top: 20 } }
  const tops = defineMetrics({ a: { kind: 'gauge', name: 'posthouse_a', help: 'x', labels } })
  assert.match(
    metricsMarkdown(new Map([['test', tops]])),
    /\| `posthouse_a` \| gauge \| `destination`: the 20 largest \|/,
  )
  assert.match(text, /## test\n\nAt most 75 series\./)
  assert.match(text, new RegExp(`never has more than ${MOST_SERIES} series`))
})
