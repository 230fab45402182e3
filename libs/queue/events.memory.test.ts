import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventBatch } from './event-feed.ts'
import { eventsContract } from './events.contract.ts'
import { LogEventFeed } from './log-event-feed.ts'
import { SILENT } from './log.ts'
import { MemoryServer } from './memory/memory-server.ts'
import { memoryQueue } from './test/memory-queue.ts'

eventsContract('memory', async () => {
  const server = new MemoryServer({ partitions: 2 })
  return { ...memoryQueue(server), feed: async () => new LogEventFeed(server.connect('reader'), SILENT) }
})

test('who comes back after entries were removed for their age is told so', async () => {
  const server = new MemoryServer({ partitions: 1 })
  const store = server.connect('owner')
  const lease = {
    id: 'l1',
    node: 'n',
    name: 'n',
    time: 10_000,
    floor: 1,
    floorTime: 0,
    r: 1,
    trimmed: 40,
    mayBegin: { mail: 0, due: 0 },
    suspects: { mail: 0, log: 0, due: 0 },
    backlog: { ready: 0, later: 0, bytes: 0 },
    released: false,
  }
  await store.writeLease(0, lease, 0)
  const feed = new LogEventFeed(store, SILENT)
  const gaps = async (from: number): Promise<EventBatch['gap'][]> => {
    const batches: EventBatch[] = []
    const { signal } = new AbortController()
    await feed.read([from], { follow: false, signal }, (batch) => void batches.push(batch))
    return batches.flatMap(({ gap }) => (gap === undefined ? [] : [gap]))
  }
  assert.deepEqual(await gaps(7), [{ partition: 0, after: 7, first: 40 }])
  assert.deepEqual(await gaps(39), [])
  // Who has seen nothing misses nothing.
  assert.deepEqual(await gaps(0), [])
})
