import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AdminQueue } from './admin-queue.ts'
import { SILENT } from './log.ts'
import { MemoryServer } from './memory/memory-server.ts'
import { MemoryStore } from './memory/memory-store.ts'

function admin(server: MemoryServer, name: string): AdminQueue {
  return new AdminQueue({
    store: new MemoryStore(server, name),
    name,
    log: SILENT,
    view: () => assert.fail('not asked for'),
    answerTraces: () => assert.fail('not asked for'),
    answerDeadLetters: () => assert.fail('not asked for'),
    now: () => performance.now(),
    stop: () => undefined,
  })
}

test('admin nodes hear of each other, and what the others say, but not their own words', async () => {
  const server = new MemoryServer({ partitions: 1 })
  const [one, two] = [admin(server, 'admin-1'), admin(server, 'admin-2')]
  const heard: (readonly [by: string, from: string, words: string])[] = []
  const both = Promise.withResolvers<void>()
  for (const [name, queue] of [
    ['admin-1', one],
    ['admin-2', two],
  ] as const)
    queue.onWords((from, words) => {
      heard.push([name, from, words])
      if (heard.length === 2) both.resolve()
    })
  one.tell('so far\nso good')
  two.tell('')
  await both.promise
  assert.deepEqual(
    heard.toSorted(([one], [other]) => one.localeCompare(other)),
    [
      ['admin-1', 'admin-2', ''],
      ['admin-2', 'admin-1', 'so far\nso good'],
    ],
  )
  assert.deepEqual(
    [one.admins(), two.admins()],
    [
      ['admin-1', 'admin-2'],
      ['admin-1', 'admin-2'],
    ],
  )
  await one.close()
  await two.close()
})
