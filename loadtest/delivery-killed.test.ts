import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLUSTER_TEST, trial } from './trial.ts'

test(
  'a delivery killed under load: its mail goes out from the other, and what may arrive twice is counted',
  CLUSTER_TEST,
  async (t) => {
    const result = await trial(t, { fault: 'kill-delivery' })
    assert.equal(result.delivered, result.accepted + result.duplicates)
  },
)
