import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecentIds } from './recent-ids.ts'

test('an id is new once, until as many others have come', () => {
  const ids = new RecentIds(2)
  const seen = ['a', 'b', 'a', 'b', 'c', 'b', 'a'].map((id) => ids.add(id))
  assert.deepEqual(seen, [true, true, false, false, true, false, true])
})
