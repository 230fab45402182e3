// A real Prometheus reads a process in both formats, and finds the same series under the same names in each; from OpenMetrics
// it keeps the exemplars, too.
import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { Health, startHealthServer } from '@posthouse/runtime/health'
import { createMetrics } from '@posthouse/runtime/metrics/registry'
import { defineMetrics } from '@posthouse/runtime/metrics/table'
import { debianProgram } from '@posthouse/testkit/debian-program'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { PrometheusServer, until } from './test/prometheus-server.ts'

const table = defineMetrics({
  done: {
    kind: 'counter',
    name: 'posthouse_test_done_total',
    help: 'Done | "so".',
    labels: { how: ['well', 'badly'] },
  },
  busiest: { kind: 'gauge', name: 'posthouse_test_busiest', help: 'Busiest.', labels: { destination: { top: 2 } } },
  seconds: { kind: 'histogram', name: 'posthouse_test_seconds', help: 'Seconds.', buckets: [0.1, 1] },
})
const traceId = '0af7651916cd43dd8448eb211c80319c'

test('Prometheus reads both formats alike, and exemplars from OpenMetrics', { timeout: 300_000 }, async (t) => {
  const program = await debianProgram('prometheus', 'prometheus', (line) => t.diagnostic(line))
  const folder = await temporaryFolder('formats')
  t.after(() => folder.remove())
  const registry = createMetrics(table, { service: 'test', version: '1' })
  const { metrics } = registry
  metrics.done.with({ how: 'well' }).inc(3)
  metrics.seconds.observe(0.05, traceId)
  metrics.busiest.from(() => [
    ['a"b\\c', 5],
    ['d', 4],
    ['e', 3],
  ])
  const accepted: (string | undefined)[] = []
  const page = (accept: string | undefined): ReturnType<typeof registry.page> => {
    accepted.push(accept)
    return registry.page(accept)
  }
  const open = await startHealthServer({ host: '127.0.0.1', port: 0, health: new Health(), metrics: { page } })
  t.after(() => open.close())
  // What an older Prometheus, or another program, is answered.
  const plain = createServer((_, response) => {
    void registry.page('text/plain').then(({ contentType, text }) => {
      response.setHeader('content-type', contentType).end(text)
    })
  }).listen(0, '127.0.0.1')
  await once(plain, 'listening')
  t.after(() => plain.close().closeAllConnections())
  const home = join(folder.path, 'prometheus')
  await mkdir(home)
  const target = (job: string, port: number) => ({
    job_name: job,
    static_configs: [{ targets: [`127.0.0.1:${port}`] }],
  })
  const prometheus = await PrometheusServer.start({
    program,
    folder: home,
    ruleFiles: [],
    scrapeConfigs: [target('open', open.port), target('plain', (plain.address() as AddressInfo).port)],
    arguments: ['--enable-feature=exemplar-storage'],
  })
  t.after(() => prometheus.stop())
  await until(t.signal, async (see) => {
    const up = await prometheus.query('up == 1')
    see(up)
    return up.length === 2 || undefined
  })
  assert.match(accepted[0] ?? '', /application\/openmetrics-text/)
  const seen = async (job: string): Promise<string[]> => {
    const samples = await prometheus.query(`{__name__=~"(posthouse|process|nodejs)_.+",job="${job}"}`)
    return samples
      .map(({ metric: { job: _job, instance: _instance, ...metric } }) => JSON.stringify(metric))
      .filter((series) => !/nodejs_(?:gc|active)/.test(series))
      .toSorted()
  }
  const [fromOpen, fromPlain] = [await seen('open'), await seen('plain')]
  assert.ok(fromOpen.length > 50)
  assert.deepEqual(fromOpen, fromPlain)
  const done = await prometheus.query('posthouse_test_done_total{how="well"} == 3')
  assert.equal(done.length, 2)
  const busiest = await prometheus.query('sort_desc(posthouse_test_busiest{job="open"})')
  assert.deepEqual(
    busiest.map(({ metric, value }) => [metric['destination'], value[1]]),
    [
      ['a"b\\c', '5'],
      ['d', '4'],
    ],
  )
  const exemplars = await prometheus.exemplars('posthouse_test_seconds_bucket')
  assert.deepEqual(
    exemplars.map(({ seriesLabels, exemplars: found }) => [
      seriesLabels['job'],
      seriesLabels['le'],
      found.map(({ labels, value }) => [labels['trace_id'], Number(value)]),
    ]),
    [['open', '0.1', [[traceId, 0.05]]]],
  )
})
