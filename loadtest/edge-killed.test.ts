import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLUSTER_TEST, trial } from './trial.ts'

test(
  'an edge killed under load: the other takes the mail, nothing is lost, nothing arrives twice',
  CLUSTER_TEST,
  async (t) => {
    const result = await trial(t, { fault: 'kill-edge' })
    assert.equal(result.duplicates, 0)
  },
)
