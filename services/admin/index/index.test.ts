import assert from 'node:assert/strict'
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { DatabaseSync } from 'node:sqlite'
import type { MailEvent } from '@posthouse/core/event'
import type { EventBatch } from '@posthouse/queue/event-feed'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { accepted, event, NOON, queueId } from '../test/events.ts'
import { isBusy } from './database.ts'
import { EventIndex } from './event-index.ts'
import type { IndexOptions } from './event-index.ts'

const DAY = 86_400_000

function open(options: Partial<IndexOptions> = {}): EventIndex & { rebuilt: string[]; [Symbol.dispose](): void } {
  const rebuilt: string[] = []
  const index = new EventIndex({
    file: undefined,
    keep: DAY,
    room: 1 << 30,
    wall: () => NOON + 1000,
    onRebuilt: (reason) => rebuilt.push(reason),
    ...options,
  })
  return Object.assign(index, { rebuilt, [Symbol.dispose]: () => index.close() })
}

function write(
  index: EventIndex,
  events: readonly MailEvent[],
  cursor?: readonly number[],
): { types: string[]; repeated: number; old: number } {
  const total = { types: [] as string[], repeated: 0, old: 0 }
  const batch: EventBatch = { events, cursor: cursor ?? [events.at(-1)?.sequence ?? 0] }
  for (const { types, repeated, old } of index.write(batch)) {
    total.types.push(...types)
    total.repeated += repeated
    total.old += old
  }
  return total
}

const typesOf = (index: EventIndex, query: string): string[][] =>
  index.find({ query, limit: 10 }).stories.map(({ events }) => events.map(({ type }) => type))

test('a message is found by its queue id, its Message-ID, its sender and each recipient, and told from its acceptance on', () => {
  using index = open()
  const id = queueId(1)
  const recipients = [
    { index: 0, address: 'Bob@Example.COM' },
    { index: 1, address: 'zoë@bücher.example' },
  ]
  write(index, [accepted(1, id, { recipients }), event(2, id, { type: 'deferred' }), event(3, id)])
  for (const query of [
    id,
    id.toLowerCase(),
    ` ${id} `,
    `<${id.toLowerCase()}@example.org>`,
    `${id}@EXAMPLE.org`,
    'anna@example.org',
    'ANNA@EXAMPLE.ORG',
    'bob@example.com',
    '<Bob@Example.COM>',
    'zoë@bücher.example',
    'zoë@xn--bcher-kva.example',
  ])
    assert.deepEqual(typesOf(index, query), [['accepted', 'deferred', 'delivered']], query)
  for (const query of ['', '<>', 'bob', '@example.com', 'nobody@example.com', queueId(2), '%', "'"])
    assert.deepEqual(typesOf(index, query), [], query)
})

test('an event is written once, however often it comes, and in whatever order', () => {
  using index = open()
  const id = queueId(1)
  const first = accepted(5, id)
  assert.deepEqual(write(index, [event(2, id)]), { types: ['delivered'], repeated: 0, old: 0 })
  assert.deepEqual(write(index, [first, event(2, id)]), { types: ['accepted'], repeated: 1, old: 0 })
  assert.deepEqual(write(index, [first]), { types: [], repeated: 1, old: 0 })
  assert.deepEqual(typesOf(index, id), [['accepted', 'delivered']])
  assert.equal(index.messages, 1)
  assert.equal(index.lastEvent, 2)
})

test('the newest messages come first, and it is said that there are more', () => {
  using index = open()
  // Of two partitions, read one after the other.
  for (const partition of [0, 1])
    write(
      index,
      [1, 2, 3].map((n) => accepted(n * 2 + partition, queueId(n * 2 + partition), { partition })),
      [],
    )
  const { stories, more } = index.find({ query: 'anna@example.org', limit: 4 })
  assert.deepEqual(
    stories.map(({ message }) => message),
    [7, 6, 5, 4].map(queueId),
  )
  assert.equal(more, true)
  assert.equal(index.find({ query: 'anna@example.org', limit: 6 }).more, false)
})

test('many messages of one millisecond have numbers of their own', () => {
  using index = open()
  const time = new Date(NOON).toISOString()
  const events = Array.from({ length: 3000 }, (_, n) => event(n, queueId(n), { time }))
  write(index, events)
  assert.equal(index.messages, 3000)
  assert.deepEqual(typesOf(index, queueId(2999)), [['delivered']])
})

test('an answer stays below what NATS takes: the acceptance and the newest events are told, and how many are left out', () => {
  using index = open()
  const id = queueId(1)
  const reply = `450 ${'x'.repeat(4000)}`
  write(index, [
    accepted(1, id),
    ...Array.from({ length: 400 }, (_, n) => event(n + 2, id, { type: 'deferred', attempt: { number: n + 1, reply } })),
    accepted(500, queueId(2)),
  ])
  const { stories, more } = index.find({ query: 'anna@example.org', limit: 10 })
  assert.deepEqual(
    stories.map(({ message }) => message),
    [queueId(2), id],
  )
  assert.equal(more, false)
  const { events = [], left = 0 } = stories[1] ?? {}
  assert.equal(events.length + left, 401)
  assert.ok(left > 100)
  assert.equal(events[0]?.type, 'accepted')
  assert.equal(events.at(-1)?.attempt?.number, 400)
  assert.ok(Buffer.byteLength(JSON.stringify(stories)) < 1_000_000)
})

test('a long batch is written in parts that divide no entry, and its cursor with the last', () => {
  using index = open()
  const events = Array.from({ length: 1300 }, (_, n) => event(Math.ceil((n + 1) / 130), queueId(n)))
  const parts = index.write({ events, cursor: [10] })
  const sizes: number[] = []
  for (const { types } of parts) {
    sizes.push(types.length)
    assert.deepEqual(index.cursor, sizes.length === 3 ? [10] : [])
  }
  assert.deepEqual(sizes, [520, 520, 260])
})

test('the cursor of all partitions is there after a restart', async () => {
  await using folder = await temporaryFolder('index')
  const file = join(folder.path, 'a/index.sqlite')
  {
    using index = open({ file })
    write(index, [event(7, queueId(1)), event(9, queueId(2), { partition: 2 })], [7, 0, 9])
    write(index, [event(8, queueId(1))], [8, 0, 9])
  }
  using index = open({ file })
  assert.deepEqual(index.cursor, [8, 0, 9])
  assert.deepEqual([index.messages, index.lastEvent, index.rebuilt], [2, 3, []])
})

test('another version, a damaged file and what is no database are thrown away, and said', async () => {
  await using folder = await temporaryFolder('index')
  const spoil: Readonly<Record<string, (file: string) => void>> = {
    version: (file) => {
      const database = new DatabaseSync(file)
      database.exec('PRAGMA user_version = 99')
      database.close()
    },
    corrupt: (file) =>
      writeFileSync(file, 'this is no database, but a text that is long enough to look like one'.repeat(99)),
  }
  for (const [reason, how] of Object.entries(spoil)) {
    const file = join(folder.path, reason)
    {
      using index = open({ file })
      write(index, [event(7, queueId(1))])
    }
    how(file)
    using index = open({ file })
    assert.deepEqual(index.rebuilt, [reason])
    assert.deepEqual(index.cursor, [])
    assert.deepEqual(typesOf(index, queueId(1)), [])
  }
})

test('damage that shows only later begins a new index, from whose cursor all is read again', async () => {
  await using folder = await temporaryFolder('index')
  const file = join(folder.path, 'index')
  {
    using index = open({ file })
    for (let n = 1; n <= 20; n++)
      write(
        index,
        Array.from({ length: 100 }, (_, i) => event(n, queueId(n * 100 + i))),
      )
  }
  // Everything but the first pages, which have the schema.
  const descriptor = openSync(file, 'r+')
  writeSync(descriptor, Buffer.alloc(400_000, 0xff), 0, 400_000, 10 * 4096)
  closeSync(descriptor)
  using index = open({ file })
  assert.throws(() => {
    for (let n = 100; n < 2100; n++) index.find({ query: queueId(n), limit: 1 })
  }, /malformed/)
  assert.deepEqual([index.rebuilt, index.generation, index.cursor, index.messages], [['corrupt'], 1, [], 0])
  write(index, [event(1, queueId(1))])
  assert.deepEqual(typesOf(index, queueId(1)), [['delivered']])
})

test('a second process cannot have the same file', async () => {
  await using folder = await temporaryFolder('index')
  const file = join(folder.path, 'index')
  using _index = open({ file })
  assert.throws(() => open({ file }), isBusy)
})

test('messages are forgotten when their last event is too old, with all that leads to them', () => {
  let now = NOON + 1000
  using index = open({ wall: () => now })
  const [old, lasting, young] = [queueId(1), queueId(2), queueId(3)]
  const later = new Date(NOON + DAY).toISOString()
  write(index, [
    accepted(1, old),
    accepted(2, lasting),
    event(3, lasting, { time: later }),
    event(4, young, { time: later }),
  ])
  assert.deepEqual(index.forget(), { removed: 0, more: false })
  now = NOON + DAY + 60_000
  assert.deepEqual(index.forget(), { removed: 1, more: false })
  assert.deepEqual(
    [old, lasting, young].map((id) => typesOf(index, id)),
    [[], [['accepted', 'delivered']], [['delivered']]],
  )
  assert.equal(index.find({ query: 'anna@example.org', limit: 10 }).stories.length, 2)
  assert.equal(index.messages, 2)
  assert.deepEqual(write(index, [accepted(1, old)]), { types: [], repeated: 0, old: 1 })
})

test('long backlogs of old messages go in steps, and those that are passed over hinder none', () => {
  let now = NOON
  using index = open({ wall: () => now })
  const later = new Date(NOON + 2 * DAY).toISOString()
  const events = Array.from({ length: 350 }, (_, n) => event(0, queueId(n), { time: new Date(NOON + n).toISOString() }))
  write(index, [...events, ...Array.from({ length: 120 }, (_, n) => event(1, queueId(n), { time: later }))])
  now = NOON + 2 * DAY
  const removed: number[] = []
  for (let more = true; more;) {
    const step = index.forget()
    removed.push(step.removed)
    more = step.more
  }
  assert.deepEqual(removed, [0, 80, 100, 50])
  assert.equal(index.messages, 120)
})

test('when the room is used up the oldest messages go before their time', () => {
  using index = open({ room: 400_000, keep: 365 * DAY })
  for (let n = 1; n <= 20; n++)
    write(
      index,
      Array.from({ length: 100 }, (_, i) => event(n, queueId(n * 100 + i))),
    )
  assert.ok(index.bytes > 400_000)
  while (index.forget().more);
  assert.ok(index.bytes <= 400_000)
  assert.ok(index.messages > 0)
  assert.deepEqual(typesOf(index, queueId(100)), [])
  assert.deepEqual(typesOf(index, queueId(2099)), [['delivered']])
})

test('events of clocks that are out of their mind are kept all the same', () => {
  using index = open({ keep: 365 * 200 * DAY })
  const times = ['9999-01-01T00:00:00Z', '9999-01-01T00:00:00Z', '1971-01-01T00:00:00Z', '1971-01-01T00:00:00Z', 'noon']
  write(
    index,
    times.map((time, n) => event(n, queueId(n), { time })),
  )
  for (const n of times.keys()) assert.deepEqual(typesOf(index, queueId(n)), [['delivered']], times[n])
})
