import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodeBatch } from '@posthouse/core/batch-codec'
import type { Closing, EntryHeader, Later } from '@posthouse/core/entry'
import type { Lease } from '@posthouse/core/lease'
import type { MailRecord } from '@posthouse/core/record'
import { mailRecord } from '@posthouse/testkit/mail-record'
import { MemoryServer } from './memory/memory-server.ts'
import type { MemoryStore } from './memory/memory-store.ts'
import { StoreQueueView } from './queue-view.ts'

const NO_BYTES = new Uint8Array(0)

function lease(floor: number, r: number, released = false): Lease {
  return {
    id: `lease-${floor}-${r}-${released}`,
    node: 'node',
    name: 'delivery-1',
    time: 10_000,
    floor,
    floorTime: 0,
    r,
    mayBegin: { mail: 0, due: 0 },
    suspects: { mail: 0, log: 0, due: 0 },
    backlog: { ready: 0, later: 0, bytes: 0 },
    released,
  }
}

let ids = 0

/** One partition with an owner that writes what the test says. */
class Partition {
  readonly store: MemoryStore
  readonly #partition: number
  #lease = 0

  constructor(server: MemoryServer, partition: number) {
    this.store = server.connect()
    this.#partition = partition
  }
  async mail(...records: MailRecord[]): Promise<number> {
    const answer = await this.store.appendMail(this.#partition, `mail-${++ids}`, records.length, encodeBatch(records))
    assert(answer.is === 'stored')
    return answer.seq
  }
  async own(floor: number, r: number, released = false): Promise<void> {
    const answer = await this.store.writeLease(this.#partition, lease(floor, r, released), this.#lease)
    assert(answer.is === 'stored')
    this.#lease = answer.seq
  }
  async close(closes: Closing[], later?: Later, records: MailRecord[] = []): Promise<number> {
    const header: EntryHeader = { node: 'node', lease: this.#lease, closes, ...(later && { later }) }
    const payload = records.length > 0 ? encodeBatch(records) : NO_BYTES
    const kind = later ? 'later' : 'outcome'
    const answer = await this.store.writeEntry(this.#partition, `entry-${++ids}`, kind, header, payload)
    assert(answer.is === 'stored')
    return answer.seq
  }
}

function closing(stream: 'mail' | 'later', seq: number, index: number, positions: number[], id: string): Closing {
  return {
    stream,
    seq,
    record: index,
    positions,
    id,
    indexes: positions,
    origin: 1,
    batch: 'b',
    how: 'delivered',
    attempt: 1,
    facts: {},
  }
}
const later = (state: Later['state'], ...records: { id: string; recipients: number }[]): Later => ({
  due: 5000,
  destination: 'example.net',
  state,
  records: records.map((head) => ({ ...head, origin: 1, batch: 'b' })),
})

function setUp(partitions = 2) {
  const server = new MemoryServer({ partitions })
  const of = (partition: number) => new Partition(server, partition)
  return { server, of, view: new StoreQueueView(server.connect('view')) }
}

describe('the view of the queue', () => {
  it('is empty at first', async () => {
    const { view } = setUp()
    const empty = { owner: undefined, ready: 0, later: 0, bytes: 0 }
    assert.deepEqual(await view.count(), {
      ready: 0,
      later: 0,
      bytes: 0,
      oldestAgeMs: 0,
      partitions: [
        { partition: 0, ...empty },
        { partition: 1, ...empty },
      ],
    })
    assert.deepEqual(await view.list(10), [])
  })

  it('counts accepted mail without any owner', async () => {
    const { of, view } = setUp()
    await of(0).mail(mailRecord('a', { acceptedAt: 1, recipients: 2 }), mailRecord('b', { acceptedAt: 2 }))
    await of(1).mail(mailRecord('c', { acceptedAt: 3 }))
    const { ready, later, bytes, partitions } = await view.count()
    assert.deepEqual([ready, later, partitions.map((count) => count.ready)], [4, 0, [3, 1]])
    assert(bytes > 0)
  })

  it('leaves out what entries have closed, recipient by recipient', async () => {
    const { of, view } = setUp(1)
    const partition = of(0)
    const seq = await partition.mail(
      mailRecord('a', { acceptedAt: 1, recipients: 3 }),
      mailRecord('b', { acceptedAt: 2 }),
    )
    await partition.own(1, 1)
    await partition.close([closing('mail', seq, 0, [0, 2], 'a')])
    await partition.close([closing('mail', seq, 1, [0], 'b')])
    const [item, ...rest] = await view.list(10)
    assert.deepEqual(rest, [])
    assert.deepEqual([item?.envelope.id, item?.open, item?.state, item?.due], ['a', [1], 'ready', undefined])
    assert.equal(item?.envelope.origin, seq)
    const { ready, later, partitions } = await view.count()
    assert.deepEqual([ready, later, partitions[0]?.owner], [1, 0, 'delivery-1'])
  })

  it('shows what was deferred, parked or held with its due time, once', async () => {
    const { of, view } = setUp(1)
    const partition = of(0)
    const seq = await partition.mail(
      mailRecord('a', { acceptedAt: 1, recipients: 2 }),
      mailRecord('b', { acceptedAt: 2 }),
    )
    await partition.own(1, 1)
    const closes = [closing('mail', seq, 0, [0, 1], 'a'), closing('mail', seq, 1, [0], 'b')]
    const heads = [
      { id: 'a', recipients: 2 },
      { id: 'b', recipients: 1 },
    ]
    const first = await partition.close(closes, later('deferred', ...heads), [
      mailRecord('a', { acceptedAt: 1, recipients: 2 }),
      mailRecord('b', { acceptedAt: 2 }),
    ])
    await partition.close([closing('later', first, 0, [1], 'a')], later('held', { id: 'a', recipients: 1 }), [
      mailRecord('a', { acceptedAt: 1 }),
    ])
    await partition.own(seq + 1, 1)
    await partition.store.purgeMail(0, seq + 1)
    const items = await view.list(10)
    assert.deepEqual(
      items.map(({ envelope, open, state, due }) => `${envelope.id} ${open.join()} ${state} ${due}`).sort(),
      ['a 0 deferred 5000', 'a 0 held 5000', 'b 0 deferred 5000'],
    )
    const { ready, later: waiting } = await view.count()
    assert.deepEqual([ready, waiting], [0, 3])
  })

  it('finds a message by its queue id, wherever its recipients wait', async () => {
    const { of, view } = setUp(2)
    const partition = of(1)
    const seq = await partition.mail(
      mailRecord('a', { acceptedAt: 1, recipients: 2 }),
      mailRecord('b', { acceptedAt: 2 }),
    )
    await partition.own(1, 1)
    await partition.close([closing('mail', seq, 0, [1], 'a')], later('parked', { id: 'a', recipients: 1 }), [
      mailRecord('a', { acceptedAt: 1 }),
    ])
    const items = await view.show('a')
    assert.deepEqual(items.map(({ state, partition: its }) => `${state} ${its}`).sort(), ['parked 1', 'ready 1'])
    assert.deepEqual(await view.show('nobody'), [])
  })

  it('lists the newest first and no more than asked for', async () => {
    const { of, view } = setUp(2)
    for (let n = 0; n < 6; n++) await of(n % 2).mail(mailRecord(`m${n}`, { acceptedAt: n }))
    assert.deepEqual(
      (await view.list(3)).map(({ envelope }) => envelope.id),
      ['m5', 'm4', 'm3'],
    )
  })

  it('does not read a long backlog to the end: the rest is counted by mails', async () => {
    const { server, of } = setUp(1)
    for (let n = 0; n < 50; n++) {
      await of(0).mail(
        ...Array.from({ length: 4 }, (_, i) =>
          mailRecord(`m${n}-${i}`, { acceptedAt: n, content: Buffer.alloc(40_000) }),
        ),
      )
    }
    const { ready } = await new StoreQueueView(server.connect(), 1000).count()
    assert.equal(ready, 200)
  })

  it('asks again when a partition does not answer, and says so in the end', async () => {
    const { server, of, view } = setUp(1)
    await of(0).mail(mailRecord('a', { acceptedAt: 1 }))
    let lost = 3
    server.fault = () => (lost-- > 0 ? 'lost-answer' : 'none')
    assert.equal((await view.count()).ready, 1)
    server.fault = () => 'lost-answer'
    await assert.rejects(view.count(), /^Error: partition 0 of the queue does not answer$/)
  })
})
