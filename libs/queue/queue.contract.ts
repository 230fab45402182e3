/**
 * What every implementation of the queue port keeps (port.ts, points 1 to 4), as tests. A cluster is opened per test: any
 * number of edges and delivery nodes on the same streams.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Outcome } from '@posthouse/core/outcome'
import type { BodyReference, MailRecord } from '@posthouse/core/record'
import type { AcceptQueue } from './accept-queue.ts'
import type { ChunkedBodyWriter } from './body-writer.ts'
import type { DeliverQueue, DeliverQueueOptions } from './deliver-queue.ts'
import type { BodyWriter, Delivery, DeliveryEngine, Fate } from './port.ts'

export interface Left {
  readonly mail: number
  readonly later: number
  /** Chunks. */
  readonly bodies: number
}

export interface QueueUnderTest {
  edge(): Promise<AcceptQueue>
  node(name: string, options?: Omit<DeliverQueueOptions, 'name'>): Promise<DeliverQueue>
  /** What is still in the streams. */
  left(): Promise<Left>
  close(): Promise<void>
}

/** An engine that lets the test run what it is given, in the order of arrival. */
export class RecordingEngine implements DeliveryEngine {
  readonly given: Delivery[] = []
  readonly revoked: number[] = []
  room = true
  #waiting: { count: number; resolve: () => void }[] = []

  give(delivery: Delivery): void {
    this.given.push(delivery)
    this.#waiting = this.#waiting.filter(({ count, resolve }) => {
      if (this.given.length < count) return true
      resolve()
      return false
    })
  }
  hasRoom(): boolean {
    return this.room
  }
  revoke(partition: number): void {
    this.revoked.push(partition)
  }
  /** Resolves when this many deliveries were given in all. */
  count(count: number): Promise<void> {
    if (this.given.length >= count) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ count, resolve }))
  }
}

export const DELIVERED: Outcome = { how: 'delivered', facts: { reply: '250 2.0.0 Ok', host: 'sink', ms: 1 } }

export function mail(id: string, recipients = 1, content = `Subject: ${id}\r\n\r\nhello\r\n`): MailRecord {
  const bytes = Buffer.from(content)
  return {
    envelope: {
      id,
      from: 'sender@a.example',
      recipients: Array.from({ length: recipients }, (_, index) => ({ address: `r${index}@b.example`, index })),
      acceptedAt: Date.now(),
      storedAt: 0,
      origin: 0,
      attempts: { count: 0 },
      facts: {
        size: bytes.length,
        eightBit: false,
        eightBitHeader: false,
        dotLines: false,
        longestLine: 40,
        endsWithCrlf: true,
      },
    },
    content: bytes,
  }
}

export function accept(edge: AcceptQueue, record: MailRecord): Promise<Fate> {
  return new Promise((resolve) => edge.accept(record, resolve))
}

/** Two chunks. */
const LARGE = Buffer.alloc(600_000, 'large content\r\n')

async function write(writer: BodyWriter): Promise<BodyReference> {
  await writer.write(LARGE)
  return writer.finish()
}

async function acceptLarge(edge: AcceptQueue, id: string, writer = edge.openBody()): Promise<void> {
  const body = await write(writer)
  const { envelope } = mail(id)
  const fate = await new Promise<Fate>((resolve) =>
    edge.accept({ envelope: { ...envelope, body }, content: new Uint8Array(0) }, resolve, writer),
  )
  assert.equal(fate.is, 'stored')
}

async function readWhole(delivery: Delivery): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of delivery.body()) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Writers of bodies in one and the same partition. */
function writersTogether(edge: AcceptQueue, count: number): BodyWriter[] {
  const writers: BodyWriter[] = []
  for (;;) {
    const writer = edge.openBody()
    writers.push(writer)
    const { partition } = writer as ChunkedBodyWriter
    const together = writers.filter((other) => (other as ChunkedBodyWriter).partition === partition)
    if (together.length === count) return together
  }
}

export function queueContract(name: string, open: () => Promise<QueueUnderTest>): void {
  describe(`the queue contract: ${name}`, () => {
    const within = (title: string, run: (queue: QueueUnderTest) => Promise<void>): void =>
      void test(title, async () => {
        const queue = await open()
        try {
          await run(queue)
        } finally {
          await queue.close()
        }
      })

    within(
      'a stored record is given once, with its content, and leaves the queue when it is delivered',
      async (queue) => {
        const engine = new RecordingEngine()
        const node = await queue.node('one')
        await node.start(engine)
        const edge = await queue.edge()
        const fates = await Promise.all(['a', 'b', 'c'].map((id) => accept(edge, mail(id, 2))))
        assert.deepEqual(
          fates.map(({ is }) => is),
          ['stored', 'stored', 'stored'],
        )
        await engine.count(3)
        assert.deepEqual(engine.given.map(({ envelope }) => envelope.id).sort(), ['a', 'b', 'c'])
        for (const delivery of engine.given) {
          assert.deepEqual(delivery.recipients, [0, 1])
          assert.match(Buffer.from(delivery.content!).toString(), new RegExp(`^Subject: ${delivery.envelope.id}\r\n`))
          assert.equal(delivery.begin(), true)
          assert.equal(delivery.mayFinish(), true)
          delivery.close([0], DELIVERED)
          delivery.close([1], DELIVERED)
        }
        await settled(queue, (left) => left.mail === 0)
        assert.equal(engine.given.length, 3)
      },
    )

    within('a deferred recipient comes again when it is due, alone, with what the attempt came to', async (queue) => {
      const engine = new RecordingEngine()
      await (await queue.node('one')).start(engine)
      const edge = await queue.edge()
      await accept(edge, mail('d', 3))
      await engine.count(1)
      const [first] = engine.given
      assert.ok(first!.begin())
      first!.close([0, 2], DELIVERED)
      const facts = { reply: '451 4.2.0 later', host: 'mx' }
      first!.close([1], { how: 'deferred', facts, due: Date.now() + 50, destination: 'b.example' })
      await engine.count(2)
      const again = engine.given[1]!
      assert.deepEqual(
        again.envelope.recipients.map(({ address, index }) => [address, index]),
        [['r1@b.example', 1]],
      )
      assert.deepEqual(again.envelope.attempts, { count: 1, lastReply: '451 4.2.0 later', lastHost: 'mx' })
      assert.equal(again.destination, 'b.example')
      assert.ok(again.envelope.storedAt > 0)
      assert.ok(again.begin())
      again.close([0], DELIVERED)
      await settled(queue, ({ mail, later }) => mail === 0 && later === 0)
    })

    within('a bounce is given as mail of its own, and names what it reports', async (queue) => {
      const engine = new RecordingEngine()
      await (await queue.node('one')).start(engine)
      const edge = await queue.edge()
      await accept(edge, mail('x'))
      await engine.count(1)
      const record = mail('bounce-of-x')
      const envelope = { ...record.envelope, from: '', report: { record: 'x', recipients: [0] } }
      assert.ok(engine.given[0]!.begin())
      engine.given[0]!.close([0], {
        how: 'bounced',
        facts: { reply: '550 5.1.1 no such user' },
        bounce: { record: { ...record, envelope }, destination: 'a.example' },
      })
      await engine.count(2)
      assert.deepEqual(engine.given[1]!.envelope.report, { record: 'x', recipients: [0] })
      assert.ok(engine.given[1]!.begin())
      engine.given[1]!.close([0], DELIVERED)
      await settled(queue, ({ mail, later }) => mail === 0 && later === 0)
    })

    within('a parked record waits while its destination has no room', async (queue) => {
      const engine = new RecordingEngine()
      await (await queue.node('one')).start(engine)
      const edge = await queue.edge()
      await accept(edge, mail('p'))
      await engine.count(1)
      engine.room = false
      engine.given[0]!.close([0], { how: 'parked', due: Date.now(), destination: 'b.example' })
      await settled(queue, ({ mail, later }) => mail === 0 && later === 1)
      assert.equal(engine.given.length, 1)
      engine.room = true
      await engine.count(2)
      assert.equal(engine.given[1]!.envelope.attempts.count, 0)
      assert.ok(engine.given[1]!.begin())
      engine.given[1]!.close([0], DELIVERED)
      await settled(queue, ({ mail, later }) => mail === 0 && later === 0)
    })

    within(
      'a large content is read back as it was written, also after a deferral, and goes with its record',
      async (queue) => {
        const engine = new RecordingEngine()
        await (await queue.node('one')).start(engine)
        const edge = await queue.edge()
        const writer = edge.openBody()
        const content = Buffer.alloc(1_300_000, 'large content\r\n')
        await writer.write(content.subarray(0, 700_000))
        await writer.write(content.subarray(700_000))
        const body = await writer.finish()
        const record = { ...mail('l'), content: new Uint8Array(0) }
        const fate = await new Promise<Fate>((resolve) =>
          edge.accept({ ...record, envelope: { ...record.envelope, body } }, resolve, writer),
        )
        assert.equal(fate.is, 'stored')
        await engine.count(1)
        assert.ok(engine.given[0]!.begin())
        engine.given[0]!.close([0], { how: 'deferred', facts: {}, due: Date.now(), destination: 'b.example' })
        await engine.count(2)
        const again = engine.given[1]!
        assert.equal(again.content, undefined)
        const chunks: Uint8Array[] = []
        for await (const chunk of again.body()) chunks.push(chunk)
        assert.ok(Buffer.concat(chunks).equals(content))
        assert.ok(again.begin())
        again.close([0], DELIVERED)
        await settled(queue, ({ mail, later, bodies }) => mail === 0 && later === 0 && bodies === 0)
      },
    )

    within(
      'a body that no record refers to is purged when it is old; what is open or waits keeps its own',
      async (queue) => {
        const edge = await queue.edge()
        await acceptLarge(edge, 'open')
        await acceptLarge(edge, 'waits')
        await write(edge.openBody())
        const engine = new RecordingEngine()
        engine.room = false
        await (await queue.node('one', { sweepBodiesAfter: 300 })).start(engine)
        await engine.count(2)
        const given = (id: string) => engine.given.findLast(({ envelope }) => envelope.id === id)!
        given('waits').close([0], { how: 'parked', due: Date.now(), destination: 'b.example' })
        await settled(queue, ({ later, bodies }) => later === 1 && bodies === 4)
        // Younger than all: when it is swept, all others have been looked at.
        await write(edge.openBody())
        await settled(queue, ({ bodies }) => bodies === 4)
        engine.room = true
        await engine.count(3)
        for (const id of ['open', 'waits']) {
          assert.ok((await readWhole(given(id))).equals(LARGE))
          assert.ok(given(id).begin())
          given(id).close([0], DELIVERED)
        }
        await settled(queue, ({ mail, later, bodies }) => mail === 0 && later === 0 && bodies === 0)
      },
    )

    within('a body whose message is refused after all is purged by the owner, at once', async (queue) => {
      const edge = await queue.edge()
      const engine = new RecordingEngine()
      await (await queue.node('one')).start(engine)
      const [kept, refused] = writersTogether(edge, 2)
      await write(refused!)
      await acceptLarge(edge, 'kept', kept)
      // What is given has an owner, and only an owner hears what is abandoned.
      await engine.count(1)
      await refused!.abandon()
      await settled(queue, ({ bodies }) => bodies === 2)
      assert.ok(engine.given[0]!.begin())
      engine.given[0]!.close([0], DELIVERED)
      await settled(queue, ({ mail, bodies }) => mail === 0 && bodies === 0)
    })

    within('no body is swept before the owner has read what may refer to it', async (queue) => {
      const edge = await queue.edge()
      const [first, second, nobodys] = writersTogether(edge, 3)
      await acceptLarge(edge, 'first', first)
      await acceptLarge(edge, 'second', second)
      await write(nobodys!)
      const engine = new RecordingEngine()
      // One open batch is all it takes.
      await (await queue.node('one', { sweepBodiesAfter: 300, openBytes: 1 })).start(engine)
      await engine.count(1)
      // The mark of the sweep lies behind the batch that is not read.
      await settled(queue, ({ mail }) => mail > 2)
      assert.equal((await queue.left()).bodies, 6)
      const close = async (delivery: Delivery) => {
        assert.ok((await readWhole(delivery)).equals(LARGE))
        assert.ok(delivery.begin())
        delivery.close([0], DELIVERED)
      }
      await close(engine.given[0]!)
      await engine.count(2)
      await settled(queue, ({ bodies }) => bodies === 4)
      await close(engine.given[1]!)
      await settled(queue, ({ mail, bodies }) => mail === 0 && bodies === 0)
    })

    within(
      'a node that stops stores what is in flight and hands its partitions over; nothing is given twice',
      async (queue) => {
        const engine = new RecordingEngine()
        const first = await queue.node('one')
        await first.start(engine)
        const edge = await queue.edge()
        await accept(edge, mail('s1'))
        await engine.count(1)
        assert.ok(engine.given[0]!.begin())
        const successor = new RecordingEngine()
        await (await queue.node('two')).start(successor)
        const stopping = first.stop(20_000)
        assert.equal(engine.given[0]!.mayFinish(), true)
        engine.given[0]!.close([0], DELIVERED)
        await stopping
        assert.equal(engine.given[0]!.mayFinish(), false)
        await accept(edge, mail('s2'))
        await successor.count(1)
        assert.deepEqual(
          successor.given.map(({ envelope, suspect }) => [envelope.id, suspect]),
          [['s2', false]],
        )
        assert.ok(successor.given[0]!.begin())
        successor.given[0]!.close([0], DELIVERED)
        await settled(queue, ({ mail }) => mail === 0)
      },
    )
  })
}

/** Polls the streams until they are as wanted; a queue that never gets there fails by the runner's time limit. */
async function settled(queue: QueueUnderTest, wanted: (left: Left) => boolean): Promise<void> {
  while (!wanted(await queue.left())) await new Promise((resolve) => setImmediate(resolve))
}
