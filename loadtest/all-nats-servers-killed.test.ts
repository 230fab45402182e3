import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLUSTER_TEST, trial } from './trial.ts'

test(
  'all NATS servers killed at once and started again: every accepted message is delivered',
  CLUSTER_TEST,
  async (t) => {
    const result = await trial(t, { fault: 'kill-all-nats' })
    assert.ok(result.delivered >= result.accepted)
  },
)
