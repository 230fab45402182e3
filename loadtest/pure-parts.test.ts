import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bouncedRecipients } from './bounce.ts'
import { composeMessage, digestOf, mixedSize } from './message.ts'
import { DotReader } from './dot-stuffing.ts'
import { samplesIn, sumOf } from './prometheus.ts'
import { countIn } from './queue-count.ts'
import { seededRandom } from './random.ts'
import { redeliveryAfter } from './run.ts'
import { ReplyReader } from './smtp-reply.ts'
import { longestGap, median, percentile } from './statistics.ts'
import { History } from './history.ts'

const composing = (seed: number) => ({
  random: seededRandom(seed),
  size: null,
  recipients: 2,
  sender: 'a@sender.example',
  domain: 'sink.example',
  date: new Date(0),
})

test('the same seed composes the same messages, another seed others', () => {
  const digests = (seed: number) => {
    const how = composing(seed)
    return Array.from({ length: 5 }, (_, index) => composeMessage(`m${index}`, how).digest)
  }
  assert.deepEqual(digests(1), digests(1))
  assert.notDeepEqual(digests(1), digests(2))
})

test('composed messages keep to RFC 5322 line lengths, have the size asked for, and their digest is of their content', () => {
  const how = { ...composing(3), size: 20_000 }
  for (let turn = 0; turn < 50; turn++) {
    const message = composeMessage(`m${turn}`, how)
    const read = new DotReader().push(message.wire)
    assert.ok(read.done)
    assert.equal(digestOf(read.content), message.digest)
    assert.equal(read.content.length, message.size)
    assert.ok(message.size >= 20_000 && message.size < 21_500, String(message.size))
    const lines = read.content.toString('latin1').split('\r\n')
    assert.ok(lines.every((line) => line.length <= 998 && !/[\r\n]/.test(line)))
    assert.equal(/[\x80-\xff]/.test(read.content.toString('latin1')), message.eightBit)
  }
})

test('the mix has lines that begin with a dot, 8-bit text, and earlier trace headers', () => {
  const how = composing(4)
  const all = Array.from({ length: 60 }, (_, turn) => composeMessage(`m${turn}`, how))
  assert.ok(all.some((message) => message.wire.includes('\r\n..')))
  assert.ok(all.some((message) => message.eightBit) && all.some((message) => !message.eightBit))
  assert.ok(all.some((message) => message.wire.subarray(0, 9).toString() === 'Received:'))
})

test('mixed sizes are mostly small', () => {
  const random = seededRandom(5)
  const sizes = Array.from({ length: 2000 }, () => mixedSize(random))
  assert.ok(Math.min(...sizes) >= 1024)
  assert.ok((median(sizes) ?? 0) < 10_000)
  assert.ok(Math.max(...sizes) > 300_000)
})

test('percentiles are the nearest rank, and there are none of nothing', () => {
  const values = [5, 1, 4, 2, 3]
  assert.deepEqual([percentile(values, 0), percentile(values, 0.5), percentile(values, 0.99)], [1, 3, 5])
  assert.equal(percentile([], 0.5), undefined)
  assert.deepEqual([median([1, 2, 3, 10]), median([7]), median([])], [2.5, 7, undefined])
})

test('the longest gap counts the silence at both ends', () => {
  assert.equal(longestGap([10, 20, 70], 0, 80), 50)
  assert.equal(longestGap([70, 71], 0, 80), 70)
  assert.equal(longestGap([1, 2], 0, 80), 78)
  assert.equal(longestGap([], 0, 80), 80)
})

test('replies are cut out of the stream whatever its chunks', () => {
  const wire = '220 hello\r\n250-one\r\n250-two\r\n250 three\r\n354\r\nnonsense\r\n'
  for (let cut = 1; cut < 8; cut++) {
    const reader = new ReplyReader()
    const replies = []
    for (let at = 0; at < wire.length; at += cut) replies.push(...reader.push(Buffer.from(wire.slice(at, at + cut))))
    assert.deepEqual(
      replies.map((reply) => reply.code),
      [220, 250, 354, 0],
    )
    assert.deepEqual(replies[1]?.lines, ['one', 'two', 'three'])
  }
})

test('a bounce names the recipients it reports, each once', () => {
  const report = [
    'Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n',
    'Original-Recipient: rfc822;a.1@sink.example\r\nFinal-Recipient: rfc822; other@sink.example\r\nAction: failed\r\n',
    'Final-Recipient: RFC822; b.2@sink.example\r\nAction: failed\r\n',
  ].join('\r\n')
  assert.deepEqual(bouncedRecipients(Buffer.from(report)), ['a.1@sink.example', 'b.2@sink.example'])
  assert.deepEqual(bouncedRecipients(Buffer.from('no report at all')), [''])
})

test('metrics are summed over labels and nodes', () => {
  const text =
    '# HELP x y\nposthouse_possible_duplicates_total{why="suspect"} 2\nposthouse_possible_duplicates_total{why="lost"} 3\nother 1\n'
  assert.equal(sumOf(samplesIn(text + text), /possible_duplicates_total$/), 10)
})

test('the answer of the queue count is a number or nothing is known', () => {
  assert.equal(countIn('{"count":3}\n'), 3)
  assert.equal(countIn('a warning\n{"count":0}'), 0)
  for (const answer of ['', 'error', '{}', '{"count":"x"}']) assert.equal(countIn(answer), null)
})

test('the time of redelivery runs to the last mail that was in flight at the fault', () => {
  const history = new History()
  const accepted = (recipient: string, endedAt: number) => {
    history.attempts.push({
      id: recipient,
      recipients: [recipient],
      digest: '',
      told: 'accepted',
      code: 250,
      startedAt: 0,
      endedAt,
    })
  }
  accepted('before', 1)
  accepted('inFlight', 5)
  accepted('later', 20)
  const first = new Map([
    ['before', 2],
    ['inFlight', 30],
    ['later', 50],
  ])
  assert.equal(redeliveryAfter(10, history, first), 20)
  first.delete('inFlight')
  assert.equal(redeliveryAfter(10, history, first), null)
})
