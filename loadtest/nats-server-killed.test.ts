import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLUSTER_TEST, trial } from './trial.ts'

test('a NATS server killed under load: nothing is lost, nothing arrives twice', CLUSTER_TEST, async (t) => {
  const result = await trial(t, { fault: 'kill-nats' })
  assert.equal(result.duplicates, 0)
})
