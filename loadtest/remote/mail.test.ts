import assert from 'node:assert/strict'
import { test } from 'node:test'
import { corpusOf } from '../corpus.ts'
import { messageOf } from '../message.ts'
import { seededRandom } from '../random.ts'
import { Deferrals } from './deferrals.ts'
import { mailOf } from './mail.ts'

const MIB = 1024 * 1024

function draw(seed: number, count: number, largest = 4 * MIB) {
  const random = seededRandom(seed)
  const next = mailOf({
    prefix: 'm',
    random,
    corpus: corpusOf(random),
    sender: 'a@b.example',
    domain: 'c.example',
    largest,
  })
  return Array.from({ length: count }, () => {
    const { id, recipients, size, digest } = next() // the contents of all of them would take a lot of room
    return { id, recipients, size, digest }
  })
}

test('the mix has small and large mail, to one and to fifty, and all of that early', () => {
  const all = draw(1, 500)
  const sizes = all.map(({ size }) => size)
  const counts = all.map(({ recipients }) => recipients.length)
  assert.ok(Math.min(...sizes) >= 1024 && Math.max(...sizes) <= 4 * MIB)
  assert.ok(sizes.some((size) => size > 100 * 1024 && size < MIB))
  assert.deepEqual([Math.min(...counts), Math.max(...counts)], [1, 50])
  assert.ok(sizes.slice(0, 16).some((size) => size >= MIB))
  assert.ok(counts.slice(0, 16).includes(50))
  const recipients = all.flatMap((one) => one.recipients)
  assert.equal(new Set(recipients).size, recipients.length)
  assert.ok(all.every(({ id, recipients: [first = ''] }) => messageOf(first) === id))
})

test('the largest message is as large as was allowed', () => {
  assert.ok(draw(2, 100, 64 * 1024).every(({ size }) => size <= 64 * 1024))
})

test('the same seed draws the same sizes and recipients', () => {
  const drawn = (seed: number) => draw(seed, 60).map(({ size, recipients }) => [size, recipients.length])
  assert.deepEqual(drawn(3), drawn(3))
  assert.notDeepEqual(drawn(3), drawn(4))
})

test('of many addresses about one in so many is deferred, each once, whatever the order', () => {
  const addresses = draw(5, 400).flatMap(({ recipients }) => recipients)
  const deferred = (order: readonly string[]) => {
    const deferrals = new Deferrals(10)
    const first = order.filter((address) => deferrals.defers(address))
    assert.ok(order.every((address) => !deferrals.defers(address)))
    assert.ok(first.every((address) => deferrals.wasDeferred(address)))
    return first.toSorted()
  }
  const some = deferred(addresses)
  assert.ok(some.length > addresses.length / 20 && some.length < addresses.length / 5, String(some.length))
  assert.deepEqual(deferred(addresses.toReversed()), some)
  const none = new Deferrals(0)
  assert.ok(addresses.every((address) => !none.defers(address) && !none.wasDeferred(address)))
})
