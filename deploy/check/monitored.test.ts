import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineMetrics } from '@posthouse/runtime/metrics/table'
import { metricsTables, root } from './generate.ts'
import { monitoredExpressions, unknownNames } from './monitored.ts'

const table = defineMetrics({
  done: {
    kind: 'counter',
    name: 'posthouse_test_done_total',
    help: 'Done.',
    labels: { outcome: ['delivered', 'bounced'] },
  },
  open: { kind: 'gauge', name: 'posthouse_test_open', help: 'Open.' },
  backlog: { kind: 'gauge', name: 'posthouse_test_backlog', help: 'Backlog.', labels: { partition: { below: 64 } } },
  busiest: { kind: 'gauge', name: 'posthouse_test_busiest', help: 'B.', labels: { destination: { top: 20 } } },
  seconds: { kind: 'histogram', name: 'posthouse_test_seconds', help: 'Seconds.', buckets: [1] },
})

async function complaints(text: string): Promise<string[]> {
  return (await unknownNames([{ where: 'here', text }], [table])).map((line) => line.replace(/^here: /, ''))
}

test('what the processes have is taken, with the labels that Prometheus gives', async () => {
  for (const text of [
    'sum by (namespace, outcome) (rate(posthouse_test_done_total{outcome=~"delivered|bounced",pod="a"}[5m])) > 0.5',
    'sum(rate(posthouse_test_done_total{outcome!="bounced"}[$__rate_interval])) or on () vector(0)',
    'histogram_quantile(0.99, sum by (le) (rate(posthouse_test_seconds_bucket{namespace=~"$namespace"}[5m])))',
    'posthouse_test_seconds_sum / posthouse_test_seconds_count # posthouse_test_not',
    'topk by (partition) (3, posthouse_test_backlog{partition="63"} offset 5m)',
    'count(posthouse_test_done_total{outcome=~"$outcome"})',
    'process_resident_memory_bytes * on (job, instance) group_left (version) posthouse_build_info{service="edge"}',
    'nodejs_eventloop_lag_p99_seconds unless up == 0',
    'label_replace(posthouse_test_open, "to", "$1", "from", "posthouse_test_not{a=\\"b\\"}")',
    'ALERTS{alertstate="firing"}',
    'topk(5, sum by (destination) (posthouse_test_busiest{destination=~"example[.]org|.*[.]net"}))',
    'min by (instance) (posthouse_ready) == 0 and on (instance) rate(posthouse_log_suppressed_total[5m]) > 0',
  ])
    assert.deepEqual(await complaints(text), [], text)
})

test('a metric, a label or a value that no process has is found', async () => {
  const wrong: readonly (readonly [text: string, ...complaint: string[]])[] = [
    ['rate(posthouse_test_dome_total[5m])', 'no metric posthouse_test_dome_total'],
    ['posthouse_test_open > posthuse_test_open', 'no metric posthuse_test_open'],
    ['sum(posthouse_test_seconds)', 'no metric posthouse_test_seconds'],
    ['posthouse_test_open_sum', 'no metric posthouse_test_open_sum'],
    ['process_memory_bytes', 'no metric process_memory_bytes'],
    ['{job="edge"}', 'no metric is named'],
    ['vector(1)', 'speaks of no metric'],
    ['posthouse_test_open{role="relay"}', 'posthouse_test_open has no label role'],
    ['posthouse_test_seconds_count{le="1"}', 'posthouse_test_seconds_count has no label le'],
    ['posthouse_test_done_total{outcome="expired"}', 'posthouse_test_done_total has no outcome="expired"'],
    ['posthouse_test_done_total{outcome=~"bounced|expired"}', 'posthouse_test_done_total has no outcome="expired"'],
    ['posthouse_test_done_total{outcome!~"later.*"}', 'posthouse_test_done_total has no outcome="later.*"'],
    ['posthouse_test_busiest{partition="1"}', 'posthouse_test_busiest has no label partition'],
    ['sum by (reason) (posthouse_test_done_total)', 'no label reason there to group by'],
    ['posthouse_test_open and on (node) posthouse_test_backlog', 'no label node there to group by'],
  ]
  for (const [text, ...expected] of wrong) assert.deepEqual(await complaints(text), expected, text)
})

test('the alerts and dashboards speak of what the processes have, and of nothing else', async () => {
  const expressions = monitoredExpressions(root)
  const tables = await metricsTables()
  assert.deepEqual(await unknownNames(expressions, tables.values()), [])
  // Without a service's table what is asked of it is unknown: all of it is really looked at.
  const asked = {
    edge: ['overview', 'edge', 'nats'],
    delivery: ['overview', 'delivery', 'queue', 'nats'],
    admin: ['overview', 'queue', 'nats'],
  }
  for (const [service, dashboards] of Object.entries(asked)) {
    const others = [...tables].filter(([name]) => name !== service).map(([, table]) => table)
    const lines = (await unknownNames(expressions, others)).join('\n')
    const files = dashboards.map((name) => `deploy/grafana/${name}.json`)
    for (const file of service === 'admin' ? files : ['deploy/prometheus/alerts.yaml', ...files])
      assert.match(
        lines,
        new RegExp(`^${file}: .*no metric posthouse_${service === 'admin' ? '(queue|nats)' : service}_`, 'm'),
      )
  }
})
