import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLUSTER_TEST, trial } from './trial.ts'

test(
  'a load on a healthy cluster arrives whole and once, and what the next host refuses is bounced',
  CLUSTER_TEST,
  async (t) => {
    const result = await trial(t, { messages: 300, recipients: 2, refuseEvery: 10, rate: 0 })
    const { accepted, delivered, bounced, refused, duplicates, possibleDuplicates } = result
    assert.deepEqual(
      { accepted, delivered, bounced, refused },
      { accepted: 600, delivered: 540, bounced: 60, refused: 0 },
    )
    assert.deepEqual([duplicates, possibleDuplicates], [0, 0])
  },
)
