import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PublishAnswer } from '@posthouse/core/answer'
import { Random } from './random.ts'
import { NO_PARTS, Stream, type Message } from './stream.ts'
import { Timeline } from './timeline.ts'

const WINDOW = 60_000

function setUp(seed = 1) {
  const timeline = new Timeline()
  const stream = new Stream('LOG', WINDOW, timeline, new Random(seed), () => {})
  /** Publishes, and returns a function that tells the answer so far. */
  const publish = (message: Partial<Message> & { id: string }): (() => PublishAnswer | undefined) => {
    let answer: PublishAnswer | undefined
    const whole: Message = { ...NO_PARTS, subject: 'outcome', records: [], expected: undefined, ...message }
    stream.publish(whole, (given) => (answer = given))
    return () => answer
  }
  const settled = (message: Partial<Message> & { id: string }) => {
    const answer = publish(message)
    timeline.runTo(timeline.now + 10)
    return answer()
  }
  return { timeline, stream, publish, settled }
}

const refused = (why: string) => ({ is: 'refused', why })

test('a repeat is answered as a duplicate, before the check of the last lease', () => {
  const { settled } = setUp()
  assert.deepEqual(settled({ id: 'a', subject: 'lease', expected: 0 }), { is: 'stored', seq: 1, duplicate: false })
  assert.deepEqual(settled({ id: 'a', subject: 'lease', expected: 0 }), { is: 'stored', seq: 1, duplicate: true })
  assert.deepEqual(settled({ id: 'b', subject: 'lease', expected: 0 }), refused('wrong-last'))
  assert.deepEqual(settled({ id: 'c', expected: 1 }), { is: 'stored', seq: 2, duplicate: false })
})

test('limits are looked at before duplicates', () => {
  const { settled, stream } = setUp()
  settled({ id: 'a' })
  stream.full = 'all'
  assert.deepEqual(settled({ id: 'a' }), refused('full'))
})

test('a repeat of what is still under way is told so, and a checked publish meets another one', () => {
  const { publish } = setUp()
  publish({ id: 'a', expected: 0 })
  assert.deepEqual(publish({ id: 'a', expected: 0 })(), refused('in-flight'))
  const other = publish({ id: 'b', expected: 0 })() as { why: string }
  assert.ok(['busy', 'wrong-last'].includes(other.why))
})

test('an id is forgotten when its window is over', () => {
  const { settled, timeline } = setUp()
  settled({ id: 'a' })
  timeline.runTo(timeline.now + WINDOW + 1)
  assert.deepEqual(settled({ id: 'a' }), { is: 'stored', seq: 2, duplicate: false })
})

test('a leader that forgets knows the ids of what is still there', () => {
  const { settled, stream } = setUp()
  settled({ id: 'gone' })
  settled({ id: 'there' })
  stream.remove('exactly', 1)
  stream.changeLeader(0, true)
  assert.deepEqual(settled({ id: 'there' }), { is: 'stored', seq: 2, duplicate: true })
  assert.deepEqual(settled({ id: 'gone' }), { is: 'stored', seq: 3, duplicate: false })
})

test('what was under way when the leader changed is stored or not, and nobody hears of it', () => {
  const stored = [0, 0]
  for (let seed = 0; seed < 20; seed++) {
    const { publish, stream, timeline } = setUp(seed)
    const answer = publish({ id: 'a' })
    stream.changeLeader(0, false)
    timeline.runTo(10)
    assert.equal(answer(), undefined)
    stored[stream.messages.length]!++
  }
  assert.ok(stored[0]! > 0 && stored[1]! > 0)
})

test('a stream without a leader refuses at once; its readers still see what its replicas have', () => {
  const { settled, stream } = setUp()
  settled({ id: 'a' })
  stream.lead('leaderless')
  assert.deepEqual(settled({ id: 'b' }), refused('no-leader'))
  assert.equal(stream.readLease(), undefined)
  assert.ok(stream.isVisible(stream.messages[0]!, 0))
})

test('a replica that lags shows what has been removed, and not what is new', () => {
  const { settled, stream, timeline } = setUp()
  settled({ id: 'old' })
  timeline.runTo(1_000)
  settled({ id: 'new' })
  stream.remove('exactly', 1)
  timeline.runTo(1_100)
  const [old, young] = stream.messages
  assert.deepEqual([stream.isVisible(old!, 0), stream.isVisible(young!, 0)], [false, true])
  assert.deepEqual([stream.isVisible(old!, 500), stream.isVisible(young!, 500)], [true, false])
})
