// What Prometheus would get from an admin node, with made-up values: all of the table of metrics that the real one has.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createMetrics } from '@posthouse/runtime/metrics/registry'
import type { Counter, Gauge, Histogram } from '@posthouse/runtime/metrics/series'
import type { MetricRow } from '@posthouse/runtime/metrics/table'
import type { Top } from '@posthouse/runtime/metrics/top'
import { metricsTable } from '../../../services/admin/metrics.ts'

const HOST = '127.0.0.1'
const PARTITIONS = 3

/** Resolves with the address of its metrics, which grow each time they are asked for, and how to end it. */
export async function startFakeAdmin(): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  const registry = createMetrics(metricsTable, { service: 'admin', version: '0.0.0' })
  registry.common.ready.set(1)
  const metrics = registry.metrics as unknown as Readonly<Record<string, unknown>>
  const rows = Object.entries(metricsTable as Readonly<Record<string, MetricRow>>)
  const server = createServer((_, response) => {
    for (const [key, row] of rows) grow(row, metrics[key])
    void registry.text().then((text) => response.end(text))
  })
  await once(server.listen(0, HOST), 'listening')
  const url = `http://${HOST}:${(server.address() as AddressInfo).port}/metrics`
  const stop = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { url, stop }
}

function grow(row: MetricRow, metric: unknown): void {
  if (metric !== null && typeof metric === 'object' && 'from' in metric && row.labels !== undefined) {
    return (metric as Top).from(() => [
      ['one', 1],
      ['two', 1],
    ])
  }
  for (const labels of setsOf(row)) {
    const series = row.labels === undefined ? metric : (metric as { with(labels: object): unknown }).with(labels)
    if (row.kind === 'counter') (series as Counter).inc()
    else if (row.kind === 'gauge') (series as Gauge).set(1)
    else (series as Histogram).observe(0.01)
  }
}

function setsOf({ labels = {} }: MetricRow): object[] {
  let sets: object[] = [{}]
  for (const [name, values] of Object.entries(labels)) {
    const all = Array.isArray(values) ? values : Array.from({ length: PARTITIONS }, (_, index) => index)
    sets = sets.flatMap((set) => all.map((value: unknown) => ({ ...set, [name]: value })))
  }
  return sets
}
