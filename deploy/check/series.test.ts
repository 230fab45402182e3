import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commonMetrics, MOST_SERIES, NODE_SERIES } from '@posthouse/runtime/metrics/common'
import { mostSeriesOf } from '@posthouse/runtime/metrics/table'
import { metricsTables } from './generate.ts'

test('no service can have more series than the docs say, whatever it meets', async () => {
  const common = NODE_SERIES + mostSeriesOf(commonMetrics)
  for (const [service, table] of await metricsTables()) {
    const most = common + mostSeriesOf(table)
    assert.ok(most <= MOST_SERIES, `${service}: up to ${most} series`)
  }
})
