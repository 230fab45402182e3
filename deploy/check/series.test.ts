import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commonMetrics, MOST_SERIES, MOST_SERIES_OF_A_PARTITION, NODE_SERIES } from '@posthouse/runtime/metrics/common'
import { mostSeries, mostSeriesOf, type MetricRow } from '@posthouse/runtime/metrics/table'
import { metricsTables } from './generate.ts'

/** Of each partition; 0: the row has none of partitions. */
function ofAPartition(row: MetricRow): number {
  const { partition } = row.labels ?? {}
  return typeof partition === 'object' && 'below' in partition ? mostSeries(row) / partition.below : 0
}

test('no service can have more series than the docs say, whatever it meets', async () => {
  const common = NODE_SERIES + mostSeriesOf(commonMetrics)
  for (const [service, table] of await metricsTables()) {
    const rows: MetricRow[] = Object.values(table)
    const most = rows.reduce((sum, row) => sum + (ofAPartition(row) === 0 ? mostSeries(row) : 0), common)
    assert.ok(most <= MOST_SERIES, `${service}: up to ${most} series`)
    const each = rows.reduce((sum, row) => sum + ofAPartition(row), 0)
    const allowed = service === 'admin' ? MOST_SERIES_OF_A_PARTITION : 0
    assert.ok(each <= allowed, `${service}: up to ${each} series for each partition`)
  }
})
