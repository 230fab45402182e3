import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PublishAnswer } from './answer.ts'
import { Committer, COMMITTER_DEFAULTS, type CommitterSettings, type Effect } from './committer.ts'
import type { Lease } from './lease.ts'

const SETTINGS: CommitterSettings = { ...COMMITTER_DEFAULTS, partitions: 3, maxRecords: 4, maxBytes: 1000 }
const NO_LEADER: PublishAnswer = { is: 'refused', why: 'no-leader' }
const FULL: PublishAnswer = { is: 'refused', why: 'full' }
const LOST: PublishAnswer = { is: 'unanswered' }
const stored = (seq: number): PublishAnswer => ({ is: 'stored', seq, duplicate: false })

type Publish = Extract<Effect<string>, { do: 'publish' }>

class Edge {
  now = 0
  readonly committer: Committer<string>
  readonly published: Publish[] = []
  readonly done: string[] = []
  readonly nudged: string[] = []

  constructor(settings: Partial<CommitterSettings> = {}, random = () => 0) {
    let ids = 0
    this.committer = new Committer({ ...SETTINGS, ...settings }, random, () => `b${++ids}`)
  }
  offer(items: string, size = 10, bound?: number): void {
    for (const item of items.split(' ')) {
      const refused = this.committer.offer(item, size, this.now, bound)
      if (refused !== undefined) this.done.push(`${item} ${refused.is} ${'why' in refused ? refused.why : ''}`.trim())
    }
    this.pump()
  }
  answer(publish: Publish | undefined, answer: PublishAnswer): void {
    assert(publish !== undefined)
    this.committer.answered(publish.batch, publish.number, answer, this.now)
    this.pump()
  }
  pump(connected = true): void {
    this.committer.pump(this.now, connected)
    for (const effect of this.committer.take()) {
      if (effect.do === 'publish') this.published.push(effect)
      if (effect.do === 'nudge') this.nudged.push(`${effect.partition}:${effect.seq}`)
      if (effect.do === 'done') {
        const { fate } = effect
        for (const item of effect.items) this.done.push(`${item} ${fate.is} ${'why' in fate ? fate.why : ''}`.trim())
      }
    }
  }
  /** Goes to the next time the machine asks for, at most `until`. */
  sleep(ms: number, connected = true): void {
    const until = this.now + ms
    for (;;) {
      const at = this.committer.wakeAt(this.now)
      if (at > until) break
      assert(at > this.now, 'the machine asks to be woken in the past')
      this.now = at
      this.pump(connected)
    }
    this.now = until
    this.pump(connected)
  }
  get last(): Publish {
    return this.published.at(-1) as Publish
  }
  get lastItems(): string {
    return this.last.batch.items.join(' ')
  }
}

function lease(ready = 0, released = false): Lease {
  return {
    id: 'l',
    node: 'n',
    name: 'n',
    time: 10_000,
    floor: 0,
    floorTime: 0,
    r: 0,
    mayBegin: { mail: 0, due: 0 },
    suspects: { mail: 0, log: 0, due: 0 },
    backlog: { ready, later: 0, bytes: 0 },
    released,
  }
}

describe('group commit', () => {
  it('sends a lonely record at once', () => {
    const edge = new Edge()
    edge.offer('a')
    assert.equal(edge.lastItems, 'a')
    edge.answer(edge.last, stored(5))
    assert.deepEqual(edge.done, ['a stored'])
    assert.deepEqual(edge.nudged, ['0:5'])
    assert.equal(edge.committer.items, 0)
    assert.equal(edge.committer.heldBytes, 0)
    assert.equal(edge.committer.wakeAt(edge.now), Infinity)
  })

  it('makes one batch of what arrives while one is on its way', () => {
    const edge = new Edge()
    edge.offer('a')
    edge.offer('b')
    edge.offer('c')
    assert.equal(edge.published.length, 1)
    edge.answer(edge.last, stored(1))
    assert.equal(edge.lastItems, 'b c')
    edge.answer(edge.last, stored(2))
    assert.deepEqual(edge.done, ['a stored', 'b stored', 'c stored'])
  })

  it('keeps to the limits of a batch and opens another partition for what is over', () => {
    const edge = new Edge()
    edge.offer('a b c d e f g h i')
    assert.deepEqual(
      edge.published.map(({ batch }) => batch.items.join('')),
      ['abcd', 'efgh'],
    )
    assert.notEqual(edge.published[0]?.batch.partition, edge.published[1]?.batch.partition)
    edge.answer(edge.published[1], stored(1))
    assert.equal(edge.published.length, 2, 'less than a full batch waits for the first partition')
    edge.answer(edge.published[0], stored(1))
    edge.sleep(SETTINGS.gatherMs)
    assert.equal(edge.lastItems, 'i')
  })

  it('waits a little for those whom a batch of several answered, and no longer than until they are back', () => {
    const edge = new Edge()
    edge.offer('a')
    edge.answer(edge.last, stored(1))
    edge.offer('b')
    assert.equal(edge.lastItems, 'b', 'nobody is waited for who was alone')
    edge.offer('c')
    edge.offer('d')
    edge.answer(edge.last, stored(2))
    assert.equal(edge.lastItems, 'c d')
    edge.offer('e')
    edge.answer(edge.last, stored(3))
    assert.equal(edge.lastItems, 'c d', 'two were answered: they may come back')
    edge.offer('f')
    assert.equal(edge.lastItems, 'c d')
    edge.offer('g')
    assert.equal(edge.lastItems, 'e f g', 'as many wait as were on the way')
    edge.offer('h')
    edge.answer(edge.last, stored(4))
    edge.sleep(SETTINGS.gatherMs - 1)
    assert.equal(edge.lastItems, 'e f g')
    edge.sleep(1)
    assert.equal(edge.lastItems, 'h', 'who does not come back holds nobody up for long')
  })

  it('closes a batch before it grows over the byte limit', () => {
    const edge = new Edge({ partitions: 1 })
    edge.offer('a b c', 400)
    assert.equal(edge.lastItems, 'a b')
  })

  it('takes a record larger than a batch alone', () => {
    const edge = new Edge({ partitions: 1 })
    edge.offer('a b', 2000)
    assert.equal(edge.lastItems, 'a')
  })

  it('stays with a partition for about a second', () => {
    const edge = new Edge({}, () => 0.5)
    const used = new Set<number>()
    for (let n = 0; n < 90; n++) {
      edge.offer(`m${n}`)
      used.add(edge.last.batch.partition)
      edge.answer(edge.last, stored(n))
      edge.now += 10
    }
    assert.equal(used.size, 1)
  })

  it('refuses what is over the memory it may hold, and takes it again afterwards', () => {
    const edge = new Edge({ maxHeldBytes: 25 })
    edge.offer('a b c')
    assert.deepEqual(edge.done, ['c refused unavailable'])
    edge.answer(edge.last, stored(1))
    edge.offer('d')
    assert.equal(edge.done.includes('d refused unavailable'), false)
  })
})

describe('a batch in doubt', () => {
  it('is repeated unchanged, to the same partition, under the same id', () => {
    const edge = new Edge()
    edge.offer('a b')
    edge.sleep(3000)
    assert(edge.published.length >= 3)
    for (const [number, publish] of edge.published.entries()) {
      assert.equal(publish.batch, edge.published[0]?.batch)
      assert.equal(publish.number, number)
    }
    edge.answer(edge.published[1], { is: 'stored', seq: 9, duplicate: true })
    assert.deepEqual(edge.done, ['a stored', 'b stored'])
  })

  it('is repeated quickly once when an answer was lost', () => {
    const edge = new Edge()
    edge.offer('a')
    edge.answer(edge.last, LOST)
    edge.sleep(50)
    assert.equal(edge.published.length, 2)
    assert.equal(edge.last.number, 1)
  })

  it('is not refused by a refusal of a repeat', () => {
    const edge = new Edge()
    edge.offer('a')
    edge.answer(edge.last, LOST)
    edge.sleep(100)
    edge.answer(edge.last, NO_LEADER)
    edge.sleep(10_000)
    assert.deepEqual(edge.done, [])
    edge.answer(edge.last, stored(3))
    assert.deepEqual(edge.done, ['a stored'])
  })

  it('is unknown after the give-up time, and not published again then', () => {
    const edge = new Edge()
    edge.offer('a')
    for (let n = 0; n < 400; n++) {
      edge.sleep(1000)
      edge.answer(edge.last, LOST)
    }
    assert.deepEqual(edge.done, ['a unknown'])
    assert.equal(edge.committer.wakeAt(edge.now), Infinity)
    const tries = edge.published.length
    edge.answer(edge.published[0], stored(1))
    assert.equal(edge.published.length, tries)
    assert.deepEqual(edge.done, ['a unknown'])
  })

  it('gives up after a freeze without another try', () => {
    const edge = new Edge()
    edge.offer('a')
    edge.now += 400_000
    edge.pump()
    assert.equal(edge.published.length, 1)
    assert.deepEqual(edge.done, ['a unknown'])
  })

  it('has at most four silent tries out', () => {
    const edge = new Edge()
    edge.offer('a')
    edge.sleep(60_000)
    assert.equal(edge.published.length, 4)
  })
})

describe('routing around trouble', () => {
  it('sends new records elsewhere when a partition is silent', () => {
    const edge = new Edge()
    edge.offer('a')
    edge.sleep(100)
    edge.offer('b')
    assert.equal(edge.published.length, 1)
    edge.sleep(SETTINGS.suspectAfterMs)
    const b = edge.published.find(({ batch }) => batch.items.includes('b'))
    assert.notEqual(b?.batch.partition, edge.published[0]?.batch.partition)
    edge.answer(b, stored(1))
    assert.deepEqual(edge.done, ['b stored'])
  })

  it('does not wait for the suspicion when an answer was lost', () => {
    const edge = new Edge()
    edge.offer('a')
    edge.offer('b')
    edge.answer(edge.last, LOST)
    assert.equal(edge.lastItems, 'b')
  })

  it('takes what was surely not stored to another partition, under a new id', () => {
    const edge = new Edge()
    edge.offer('a b')
    const first = edge.last
    edge.answer(first, NO_LEADER)
    assert.equal(edge.lastItems, 'a b')
    assert.notEqual(edge.last.batch.partition, first.batch.partition)
    assert.notEqual(edge.last.batch.id, first.batch.id)
    edge.answer(edge.last, stored(1))
    assert.deepEqual(edge.done, ['a stored', 'b stored'])
  })

  it('refuses what no partition took for two seconds', () => {
    const edge = new Edge()
    edge.offer('a')
    for (let n = 0; n < 100 && edge.done.length === 0; n++) {
      edge.answer(edge.last, NO_LEADER)
      edge.sleep(50)
    }
    assert.deepEqual(edge.done, ['a refused unavailable'])
    assert(edge.now >= SETTINGS.patienceMs && edge.now < SETTINGS.patienceMs + 500, `${edge.now}`)
  })

  it('refuses what waits behind silence, never what is in doubt', () => {
    const edge = new Edge({ partitions: 1 })
    edge.offer('a')
    edge.offer('b')
    edge.sleep(10_000)
    assert.deepEqual(edge.done, ['b refused unavailable'])
  })

  it('does not refuse what waits while others are stored, before the longest wait', () => {
    const edge = new Edge({ partitions: 1, maxRecords: 1 })
    edge.offer('a b c d')
    for (let n = 0; n < 4; n++) {
      edge.sleep(1900)
      edge.answer(edge.last, stored(n))
    }
    assert.deepEqual(edge.done, ['a stored', 'b stored', 'c stored', 'd stored'])
  })

  it('publishes nothing while not connected', () => {
    const edge = new Edge()
    edge.committer.offer('a', 1, 0)
    edge.sleep(5000, false)
    assert.equal(edge.published.length, 0)
    assert.deepEqual(edge.done, ['a refused unavailable'])
  })

  it('goes to a partition with room, and refuses at once when there is none', () => {
    const edge = new Edge()
    edge.offer('a')
    edge.answer(edge.last, FULL)
    edge.answer(edge.last, FULL)
    assert.equal(edge.published.length, 3)
    edge.answer(edge.last, FULL)
    edge.offer('b')
    assert.deepEqual(edge.done, ['a refused full', 'b refused full'])
  })

  it('takes no new mail at 80 % and again below 75 %', () => {
    const edge = new Edge({ partitions: 1 })
    const hint = (used: number) => edge.committer.hint(0, { leader: true, used }, edge.now)
    hint(0.79)
    edge.offer('a')
    edge.answer(edge.last, stored(1))
    hint(0.8)
    edge.offer('b')
    hint(0.76)
    edge.offer('c')
    hint(0.74)
    edge.offer('d')
    edge.answer(edge.last, stored(2))
    assert.deepEqual(edge.done, ['a stored', 'b refused full', 'c refused full', 'd stored'])
  })

  it('does not go round for ever with what every partition refuses for an odd reason', () => {
    const edge = new Edge()
    edge.offer('a')
    for (let n = 0; n < 3; n++) {
      edge.answer(edge.last, { is: 'refused', why: 'other', text: 'message size exceeds maximum allowed' })
    }
    assert.deepEqual(edge.done, ['a refused unavailable'])
  })

  it('prefers a live owner, then any leader, then a probe', () => {
    const edge = new Edge()
    edge.committer.lease(2, lease(), edge.now)
    edge.offer('a')
    assert.equal(edge.last.batch.partition, 2)
    edge.committer.lease(2, lease(0, true), edge.now)
    edge.answer(edge.last, stored(1))
    edge.now += 5000
    edge.committer.hint(0, { leader: false, used: 0 }, edge.now)
    edge.committer.hint(2, { leader: false, used: 0 }, edge.now)
    edge.offer('b')
    assert.equal(edge.last.batch.partition, 1)
    edge.answer(edge.last, NO_LEADER)
    assert.notEqual(edge.last.batch.partition, 1)
  })

  it('believes an answer rather than a poll that may be older', () => {
    const edge = new Edge({ partitions: 1 })
    edge.offer('a')
    edge.answer(edge.last, stored(1))
    edge.committer.hint(0, { leader: false, used: 0 }, edge.now + 1000)
    assert.equal(edge.committer.choice.rank(0, edge.now + 1000), 1)
    edge.committer.hint(0, { leader: false, used: 0 }, edge.now + 2000)
    assert.equal(edge.committer.choice.rank(0, edge.now + 2000), 2)
  })

  it('forgets an owner that was not heard for half the lease time', () => {
    const edge = new Edge()
    edge.committer.lease(2, lease(), edge.now)
    edge.now += 5001
    edge.committer.lease(1, lease(), edge.now)
    edge.offer('a')
    assert.equal(edge.last.batch.partition, 1)
  })

  it('takes the less loaded of two', () => {
    const edge = new Edge({ partitions: 2 })
    edge.committer.lease(0, lease(1000), edge.now)
    edge.committer.lease(1, lease(10), edge.now)
    edge.offer('a')
    assert.equal(edge.last.batch.partition, 1)
  })

  it('keeps off the server that leads what another edge uses', () => {
    for (let seed = 0; seed < 20; seed++) {
      const edge = new Edge({ partitions: 4 }, chance(seed))
      for (const [partition, server] of ['x', 'x', 'y', 'y'].entries()) {
        edge.committer.hint(partition, { leader: true, used: 0, server }, edge.now)
      }
      edge.committer.usedByOther('other', 2, edge.now)
      edge.offer('a')
      assert([0, 1].includes(edge.last.batch.partition))
    }
  })

  it('parts from another edge that turns up at the same server, unless there is no better one', () => {
    const edge = new Edge({ partitions: 4 }, () => 0)
    for (const [partition, server] of ['x', 'x', 'y', 'y'].entries()) {
      edge.committer.hint(partition, { leader: true, used: 0, server }, edge.now)
    }
    const next = () => {
      edge.offer('a')
      const { partition } = edge.last.batch
      edge.answer(edge.last, stored(1))
      return partition
    }
    assert.equal(next(), 0)
    edge.committer.usedByOther('other', 1, edge.now)
    assert.equal(next(), 2)
    edge.committer.usedByOther('third', 3, edge.now)
    assert.equal(next(), 2)
    edge.committer.usedByOther('other', 3, edge.now)
    assert.equal(next(), 0)
  })

  it('alone uses two partitions led by different servers in turn', () => {
    const edge = new Edge({ partitions: 4 })
    for (const [partition, server] of ['x', 'x', 'y', 'y'].entries()) {
      edge.committer.hint(partition, { leader: true, used: 0, server }, edge.now)
    }
    edge.offer('a')
    edge.offer('b')
    edge.offer('c')
    assert.deepEqual(
      edge.published.map(({ batch }) => `${batch.partition} ${batch.items.join('')}`),
      ['0 a', '2 b'],
    )
    edge.answer(edge.published[1], stored(1))
    assert.equal(edge.lastItems, 'c')
    assert.equal(edge.last.batch.partition, 2)
  })

  it('uses one partition as long as another edge takes mail', () => {
    const edge = new Edge({ partitions: 4 })
    for (const [partition, server] of ['x', 'x', 'y', 'y'].entries()) {
      edge.committer.hint(partition, { leader: true, used: 0, server }, edge.now)
    }
    edge.committer.usedByOther('other', 3, edge.now)
    edge.offer('a')
    edge.offer('b')
    assert.equal(edge.published.length, 1)
  })

  it('keeps a record with the partition of its body', () => {
    const edge = new Edge()
    edge.offer('x', 10, 2)
    assert.equal(edge.last.batch.partition, 2)
    edge.answer(edge.last, NO_LEADER)
    edge.sleep(400)
    assert.equal(
      edge.published.every(({ batch }) => batch.partition === 2),
      true,
    )
    edge.answer(edge.last, stored(1))
    assert.deepEqual(edge.done, ['x stored'])
  })

  it('places a body where something answers, and nowhere when all is full', () => {
    const edge = new Edge({ partitions: 2 })
    edge.offer('a')
    const silent = edge.last.batch.partition
    edge.sleep(400)
    assert.equal(edge.committer.placeBody(edge.now), 1 - silent)
    for (const partition of [0, 1]) edge.committer.hint(partition, { leader: true, used: 0.9 }, edge.now)
    assert.equal(edge.committer.placeBody(edge.now), undefined)
  })
})

function chance(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return (state >>> 0) / 2 ** 32
  }
}
