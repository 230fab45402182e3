/** What every implementation of the event feed keeps (event-feed.ts, docs/events.md), as tests. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { MailEvent } from '@posthouse/core/event'
import type { MailRecord } from '@posthouse/core/record'
import type { EventCursor, EventFeed } from './event-feed.ts'
import { accept, DELIVERED, mail, RecordingEngine, type QueueUnderTest } from './queue.contract.ts'

export interface EventsUnderTest extends QueueUnderTest {
  feed(): Promise<EventFeed>
}

const HOUR = 3_600_000
/** Of one run, as contracts share servers. */
let run = 0

/** A message as an edge makes it. */
export function acceptedMail(id: string, recipients = 1): MailRecord {
  const { envelope, content } = mail(id, recipients)
  const accepted = { node: 'edge-1', client: '192.0.2.7', role: 'relay', messageId: `<${id}@a.example>` }
  return { envelope: { ...envelope, accepted, helo: 'client.example' }, content }
}

/** Reads until the events are all there; where to go on from. */
async function until(
  feed: EventFeed,
  from: EventCursor,
  isAll: (events: readonly MailEvent[]) => boolean,
): Promise<{ readonly events: readonly MailEvent[]; readonly cursor: EventCursor }> {
  const events: MailEvent[] = []
  const enough = new AbortController()
  let cursor = from
  await feed.read(from, { follow: true, signal: enough.signal }, (batch) => {
    events.push(...batch.events)
    cursor = batch.cursor
    if (isAll(events)) enough.abort()
  })
  return { events, cursor }
}

/** All that lies in the logs now. */
async function all(feed: EventFeed, from: EventCursor = []): Promise<MailEvent[]> {
  const events: MailEvent[] = []
  const { signal } = new AbortController()
  await feed.read(from, { follow: false, signal }, (batch) => void events.push(...batch.events))
  return events
}

const of = (events: readonly MailEvent[], id: string) => events.filter(({ message }) => message === id)
const types = (events: readonly MailEvent[], id: string) => of(events, id).map(({ type }) => type)

export function eventsContract(name: string, open: () => Promise<EventsUnderTest>): void {
  describe(`the event feed: ${name}`, () => {
    const within = (
      title: string,
      body: (queue: EventsUnderTest, id: (name: string) => string) => Promise<void>,
    ): void =>
      void test(title, async () => {
        const queue = await open()
        const number = ++run
        try {
          await body(queue, (one) => `${one}-${number}`)
        } finally {
          await queue.close()
        }
      })

    within('a message that is delivered at once is told once, with how it came and how it went', async (queue, id) => {
      const feed = await queue.feed()
      const from = await feed.ends()
      const engine = new RecordingEngine()
      const node = await queue.node('one')
      await node.start(engine)
      assert.equal((await accept(await queue.edge(), acceptedMail(id('m'), 2))).is, 'stored')
      await engine.count(1)
      const [delivery] = engine.given
      assert.ok(delivery!.begin())
      delivery!.close([0], DELIVERED)
      delivery!.close([1], {
        how: 'deferred',
        facts: { reply: '450 4.2.1 later' },
        due: Date.now() + HOUR,
        destination: 'b.example',
      })
      const { events } = await until(feed, from, (seen) => types(seen, id('m')).length >= 3)
      const told = of(events, id('m'))
      assert.deepEqual(types(events, id('m')).toSorted(), ['accepted', 'deferred', 'delivered'])
      const accepted = told.find(({ type }) => type === 'accepted')
      assert.equal(accepted?.id, `${id('m')}.accepted`)
      assert.deepEqual(
        accepted?.recipients.map(({ address }) => address),
        ['r0@b.example', 'r1@b.example'],
      )
      const { acceptedAt, size, ...facts } = accepted.acceptance!
      assert.deepEqual(facts, {
        node: 'edge-1',
        client: '192.0.2.7',
        role: 'relay',
        messageId: `<${id('m')}@a.example>`,
        helo: 'client.example',
        recipients: 2,
      })
      assert.ok(size > 0 && acceptedAt.endsWith('Z'))
      const delivered = told.find(({ type }) => type === 'delivered')
      assert.deepEqual(delivered?.recipients, [{ index: 0, address: 'r0@b.example' }])
      assert.deepEqual(delivered?.attempt, { number: 1, reply: '250 2.0.0 Ok', host: 'sink', ms: 1 })
      assert.equal(delivered?.sender, 'sender@a.example')
      assert.equal(delivered?.node, 'one')
      const deferred = told.find(({ type }) => type === 'deferred')
      assert.equal(deferred?.attempt?.reply, '450 4.2.1 later')
      assert.ok(Date.parse(deferred.next!) > Date.now() + HOUR / 2)
    })

    within('who reads later hears of deferrals and bounces of which nothing waits any more', async (queue, id) => {
      const feed = await queue.feed()
      const from = await feed.ends()
      const { later: others } = await queue.left()
      const engine = new RecordingEngine()
      const node = await queue.node('one')
      await node.start(engine)
      assert.equal((await accept(await queue.edge(), acceptedMail(id('m')))).is, 'stored')
      await engine.count(1)
      assert.ok(engine.given[0]!.begin())
      engine.given[0]!.close([0], {
        how: 'deferred',
        facts: { reply: '450 4.2.1 later' },
        due: Date.now(),
        destination: 'b.example',
      })
      await engine.count(2)
      assert.ok(engine.given[1]!.begin())
      const record = { ...mail(id('report')), content: Buffer.from('Subject: failed\r\n\r\n') }
      const report = {
        ...record,
        envelope: { ...record.envelope, from: '', report: { record: id('m'), recipients: [0] } },
      }
      const bounce = { record: report, destination: 'a.example' }
      engine.given[1]!.close([0], { how: 'bounced', facts: { reply: '550 5.1.1 nobody' }, bounce })
      await engine.count(3)
      assert.ok(engine.given[2]!.begin())
      engine.given[2]!.close([0], DELIVERED)
      // The entries that carried them are deleted before anybody reads.
      while ((await queue.left()).later > others) await new Promise((resolve) => setTimeout(resolve, 50))
      const events = await all(feed, from)
      const seenOnce = events.filter(({ id: one }, at) => events.findIndex((other) => other.id === one) === at)
      assert.deepEqual(types(seenOnce, id('m')), ['accepted', 'deferred', 'bounced'])
      const bounced = of(seenOnce, id('m')).at(-1)
      assert.equal(bounced?.report, id('report'))
      assert.equal(bounced?.attempt?.number, 2)
      assert.equal(bounced?.next, undefined)
      const [delivered, ...more] = of(events, id('report'))
      assert.equal(more.length, 0)
      assert.equal(delivered?.type, 'delivered')
      assert.deepEqual(delivered?.reports, { message: id('m'), recipients: [0] })
      assert.deepEqual(await all(feed, from), events, 'whoever reads again gets the same')
    })

    within(
      'a message that nobody delivers is told of by its edge, and not twice with another id',
      async (queue, id) => {
        const feed = await queue.feed()
        const from = await feed.ends()
        const edge = await queue.edge()
        assert.equal((await accept(edge, acceptedMail(id('waits')))).is, 'stored')
        const { events, cursor } = await until(feed, from, (seen) => types(seen, id('waits')).length >= 1)
        const [accepted] = of(events, id('waits'))
        assert.equal(accepted?.type, 'accepted')
        const engine = new RecordingEngine()
        const node = await queue.node('one')
        await node.start(engine)
        await engine.count(1)
        assert.ok(engine.given[0]!.begin())
        engine.given[0]!.close([0], DELIVERED)
        const later = await until(feed, cursor, (seen) => types(seen, id('waits')).includes('delivered'))
        const again = of(later.events, id('waits')).find(({ type }) => type === 'accepted')
        const { sequence: _, ...told } = accepted
        const { sequence: __, ...repeated } = again!
        assert.deepEqual(repeated, told)
      },
    )

    within('from a cursor on only what came after it is read, and nothing is missing', async (queue, id) => {
      const feed = await queue.feed()
      const from = await feed.ends()
      const engine = new RecordingEngine()
      const node = await queue.node('one')
      await node.start(engine)
      const edge = await queue.edge()
      const send = async (one: string) => {
        const given = engine.given.length
        assert.equal((await accept(edge, acceptedMail(id(one)))).is, 'stored')
        await engine.count(given + 1)
        assert.ok(engine.given[given]!.begin())
        engine.given[given]!.close([0], DELIVERED)
      }
      for (const one of ['a', 'b', 'c']) await send(one)
      const first = await until(feed, from, (seen) => ['a', 'b', 'c'].every((one) => types(seen, id(one)).length === 2))
      for (const one of ['d', 'e']) await send(one)
      const second = await until(feed, first.cursor, (seen) =>
        ['d', 'e'].every((one) => types(seen, id(one)).length === 2),
      )
      assert.deepEqual(new Set(second.events.map(({ message }) => message)), new Set(['d', 'e'].map(id)))
      const ids = (await all(feed, from)).map((event) => event.id)
      assert.deepEqual(ids.toSorted(), [...first.events, ...second.events].map((event) => event.id).toSorted())
      assert.equal(new Set(ids).size, ids.length)
    })

    within('a reader that is slow gets everything, batch by batch', async (queue, id) => {
      const feed = await queue.feed()
      const from = await feed.ends()
      const engine = new RecordingEngine()
      const node = await queue.node('one')
      await node.start(engine)
      const edge = await queue.edge()
      const names = Array.from({ length: 600 }, (_, n) => id(`many${n}`))
      const given = engine.count(names.length)
      assert.ok(
        (await Promise.all(names.map((one) => accept(edge, acceptedMail(one))))).every(({ is }) => is === 'stored'),
      )
      await given
      for (const delivery of engine.given) {
        assert.ok(delivery.begin())
        delivery.close([0], DELIVERED)
      }
      const seen = new Set<string>()
      let reading = false
      const enough = new AbortController()
      await feed.read(from, { follow: true, signal: enough.signal }, async ({ events }) => {
        assert.ok(!reading, 'one batch at a time')
        reading = true
        await new Promise((resolve) => setImmediate(resolve))
        for (const { message, type } of events) if (type === 'delivered') seen.add(message)
        reading = false
        if (names.every((one) => seen.has(one))) enough.abort()
      })
      assert.equal(seen.size, names.length)
    })
  })
}
