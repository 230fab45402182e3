import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OpenMetrics } from './open-metrics.ts'
import { createMetrics } from './registry.ts'
import { defineMetrics } from './table.ts'

const table = defineMetrics({
  done: { kind: 'counter', name: 'posthouse_test_done_total', help: 'Done.', labels: { how: ['well', 'badly'] } },
  seconds: { kind: 'histogram', name: 'posthouse_test_seconds', help: 'Seconds.', buckets: [0.1, 1] },
})
const open = 'application/openmetrics-text; version=1.0.0'
const traceId = '0af7651916cd43dd8448eb211c80319c'

function make() {
  return createMetrics(table, { service: 'test', version: '1' })
}

test('whoever asks for OpenMetrics gets it, everybody else the text of Prometheus', async () => {
  const registry = make()
  // What Prometheus 2.42, 2.53 and 3 ask with, a browser, and those who rule it out.
  for (const [accept, isOpen] of [
    [
      'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
      true,
    ],
    [
      'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
      true,
    ],
    [
      'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.4',
      true,
    ],
    [open, true],
    ['Application/OpenMetrics-Text', true],
    ['text/html,application/xhtml+xml,*/*;q=0.8', false],
    ['text/plain;version=0.0.4, application/openmetrics-text;version=1.0.0;q=0.5', false],
    ['application/openmetrics-text;version=1.0.0;q=0', false],
    ['application/openmetrics-text;version=0.0.1', false],
    ['*/*', false],
    ['', false],
    [undefined, false],
  ] as const) {
    assert.equal(OpenMetrics.isWanted(accept), isOpen, accept)
    const { contentType, text } = await registry.page(accept)
    assert.equal(
      contentType,
      isOpen
        ? 'application/openmetrics-text; version=1.0.0; charset=utf-8'
        : 'text/plain; version=0.0.4; charset=utf-8',
    )
    assert.equal(text.endsWith('# EOF\n'), isOpen)
  }
})

test('in OpenMetrics a counter is named without _total, its samples with it, once', async () => {
  const registry = make()
  registry.metrics.done.with({ how: 'well' }).inc(3)
  const before = await registry.text()
  // Twice: writing it must change nothing.
  await registry.page(open)
  const { text } = await registry.page(open)
  for (const line of [
    '# TYPE posthouse_test_done counter',
    'posthouse_test_done_total{how="well"} 3',
    'posthouse_test_done_total{how="badly"} 0',
    '# TYPE posthouse_log_suppressed counter',
    '# TYPE process_cpu_seconds counter',
    '# TYPE posthouse_test_seconds histogram',
    '# TYPE posthouse_ready gauge',
  ])
    assert.ok(text.includes(`\n${line}\n`), line)
  assert.match(text, /^process_cpu_seconds_total \d/m)
  assert.doesNotMatch(text, /_total_total|\n\n/)
  // Samples of one metric stand together, and each is there once.
  const names = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(' ')[0])
  assert.equal(new Set(names).size, names.length)
  const after = await registry.text()
  const typesOf = (page: string): string[] => page.split('\n').filter((line) => line.startsWith('# TYPE'))
  assert.deepEqual(typesOf(after), typesOf(before))
  assert.match(after, /^# TYPE posthouse_test_done_total counter$/m)
  assert.match(after, /^process_cpu_seconds_total \d/m)
})

test('a histogram keeps the last exemplar of each bucket, and only OpenMetrics shows it', async () => {
  const registry = make()
  const { seconds } = registry.metrics
  const other = traceId.replace('0', 'f')
  const before = Date.now() / 1000
  seconds.observe(0.05, traceId)
  seconds.observe(0.06)
  seconds.observe(7, traceId)
  seconds.observe(8, other)
  const { text } = await registry.page(open)
  const lines = text.split('\n').filter((line) => line.startsWith('posthouse_test_seconds'))
  const exemplars = lines.map((line) => / # \{trace_id="(\w+)"\} (\S+) (\S+)$/.exec(line)?.slice(1))
  assert.deepEqual(
    exemplars.map((found) => found?.slice(0, 2)),
    [[traceId, '0.05'], undefined, [other, '8'], undefined, undefined],
  )
  for (const found of exemplars)
    if (found !== undefined) {
      const at = Number(found[2])
      assert.ok(at >= before && at <= Date.now() / 1000, found[2])
    }
  assert.match(lines[2] ?? '', /^posthouse_test_seconds_bucket\{le="\+Inf"\} 4 # /)
  assert.doesNotMatch(await registry.text(), /trace_id| # /)
})
