import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import type { MailEvent } from '@posthouse/core/event'
import { eventSamples, olderEvent } from '@posthouse/core/golden/event-samples'
import type { EventBatch } from '@posthouse/queue/event-feed'
import { FakeFeed } from './test/fake-feed.ts'
import { posthouse, type FakeWorld, type Said } from './test/fake-world.ts'

const environment = { POSTHOUSE_NATS_SERVERS: '127.0.0.1:4222' }
const { accepted, delivered, parked, deferred, bounced, attempted, expired, discarded } = eventSamples

const first: EventBatch = { events: [accepted, delivered], cursor: [0, 0, 1043] }
const second: EventBatch = { events: [parked, deferred, bounced], cursor: [0, 0, 1051] }
const END = 'posthouse: go on with --from v1.0.0.1051\n'

function ask(args: readonly string[], feed: FakeFeed, world: FakeWorld = {}): Promise<Said> {
  return posthouse(['events', ...args], { environment, events: () => Promise.resolve(feed), ...world })
}

function parsed(output: string): (MailEvent & { cursor: string })[] {
  return output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as MailEvent & { cursor: string })
}

test('under --json each event is a line as it is, with the cursor to go on from after it', async () => {
  const feed = new FakeFeed([first, second])
  const said = await ask(['--json'], feed)
  assert.deepEqual([said.status, said.errors], [0, END])
  assert.deepEqual(parsed(said.output), [
    { ...accepted, cursor: 'v1.0.0.1042' },
    { ...delivered, cursor: 'v1.0.0.1043' },
    { ...parked, cursor: 'v1.0.0.1049' },
    { ...deferred, cursor: 'v1.0.0.1049' },
    { ...bounced, cursor: 'v1.0.0.1051' },
  ])
  assert.deepEqual([feed.from, feed.closed], [[], true])
})

test('people read when, which message, whose mail, what happened, and where', async () => {
  const events = [accepted, delivered, parked, deferred, bounced, attempted, expired, discarded, olderEvent]
  const said = await ask([], new FakeFeed([{ events, cursor: [0, 0, 2078] }]))
  assert.deepEqual(said.output.trimEnd().split('\n'), [
    '2026-11-01T12:00:00.000Z  SF9QQAHP00003  <alice@example.org> to <bob@example.net>, <carol@example.com>, ' +
      '<dave@example.com>: accepted, 2.0 KiB from 192.0.2.7, HELO client.example.org, TLSv1.3, user alice, ' +
      'listener submission (edge-1)',
    '2026-11-01T12:00:00.050Z  SF9QQAHP00003  <bob@example.net>: attempt 1: delivered, in 31 ms by ' +
      'mx.example.net[192.0.2.9]:25 (TLSv1.3 TLS_AES_256_GCM_SHA384): 250 2.0.0 Ok: queued as 1A2B (delivery-1)',
    '2026-11-01T12:00:03.000Z  SF9QQAHP00003  <carol@example.com>, <dave@example.com>: parked, no room at its ' +
      'destination, next at 2026-11-01T12:00:33.000Z (delivery-1)',
    '2026-11-01T12:00:33.200Z  SF9QQAHP00003  <carol@example.com>: attempt 1: deferred, in 170 ms by ' +
      'mx1.example.com[192.0.2.1]:25 (no TLS): 450 4.2.1 try later, next at 2026-11-01T12:05:33.200Z (delivery-2)',
    '2026-11-01T12:00:33.210Z  SF9QQAHP00003  <dave@example.com>: attempt 1: bounced, in 180 ms by ' +
      'mx1.example.com[192.0.2.1]:25 (TLSv1.3 TLS_AES_256_GCM_SHA384): 550 5.1.1 no such user, ' +
      'report V1M2K3QX0000B (delivery-2)',
    '2026-11-01T12:05:33.400Z  SF9QQAHP00003  <carol@example.com>: attempt 2 of a node that had lost the partition, ' +
      'counts for nothing, in 12 s by mx1.example.com[192.0.2.1]:25 (TLSv1.3 TLS_AES_256_GCM_SHA384): 250 2.0.0 Ok ' +
      '(delivery-2)',
    '2026-11-06T12:00:01.000Z  SF9QQAHP00003  <carol@example.com>: attempt 30: expired, in 90 ms by ' +
      'mx1.example.com[192.0.2.1]:25 (no TLS): 450 4.2.1 try later, possible duplicate, report V1M2K3QX0000C (delivery-1)',
    '2026-11-06T12:00:02.000Z  V1M2K3QX0000B  <alice@example.org>: attempt 1: discarded, discarded by an operator ' +
      '(delivery-1)',
    '2026-10-01T12:00:00.000Z  SF9QQAHP00001  recipient 0: attempt 1: delivered (delivery-1/9f3c)',
  ])
})

test('where no host replied nothing is said of TLS that nobody knows', async () => {
  const attempt = { number: 1, host: 'mx.example.net', reply: '4.4.1 connect ECONNREFUSED' }
  const said = await ask([], new FakeFeed([{ events: [{ ...deferred, attempt }], cursor: [] }]))
  assert.match(said.output, /: attempt 1: deferred, at mx\.example\.net: 4\.4\.1 connect ECONNREFUSED, next at /)
})

test('a foreign reply cannot move the cursor of the screen', async () => {
  const event = { ...delivered, attempt: { number: 1, reply: '250 \x1b[2J' } }
  const said = await ask([], new FakeFeed([{ events: [event], cursor: [] }]))
  assert.match(said.output, /250 \ufffd\[2J/)
})

test('only the types and the message that were asked for are printed; the cursor passes the others too', async () => {
  const feed = () => new FakeFeed([first, second])
  const some = await ask(['--json', '--type', 'delivered', '--type', 'bounced'], feed())
  assert.deepEqual(
    parsed(some.output).map(({ type }) => type),
    ['delivered', 'bounced'],
  )
  assert.equal(some.errors, END)
  const none = await ask(['--message', 'NOSUCH'], feed())
  assert.deepEqual([none.status, none.output, none.errors], [0, '', END])
  const own = await ask(['--json', '--message', accepted.message], feed())
  assert.equal(parsed(own.output).length, 5)
})

test('an acceptance that the log tells twice is printed once', async () => {
  const again = { events: [{ ...accepted, sequence: 1060 }, attempted], cursor: [0, 0, 1060] }
  const said = await ask(['--json'], new FakeFeed([first, again]))
  assert.deepEqual(
    parsed(said.output).map(({ type }) => type),
    ['accepted', 'delivered', 'attempted'],
  )
})

const beginnings: readonly [args: string, from: readonly number[]][] = [
  ['', []],
  ['--from start', []],
  ['--from now', [9, 9, 2000]],
  ['--from v1.4.5.6', [4, 5, 6]],
  ['--from v1.4', [4]],
]

for (const [args, from] of beginnings) {
  test(`"events ${args}" begins at ${JSON.stringify(from)}`, async () => {
    const feed = new FakeFeed([])
    const said = await ask(args === '' ? [] : args.split(' '), feed)
    assert.deepEqual([said.status, feed.from], [0, from])
    assert.equal(said.errors, `posthouse: go on with --from ${['v1', ...from].join('.')}\n`)
  })
}

test('with --follow it begins now unless told otherwise, and goes on until it is stopped', async () => {
  const stop = new AbortController()
  const feed = new FakeFeed([{ ...second, cursor: [9, 9, 1051] }], [9, 9, 1043])
  let printed = ''
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      printed += chunk.toString()
      done()
      if (printed.trimEnd().split('\n').length === 3) stop.abort()
    },
  })
  const said = await ask(['--follow'], feed, { stop: stop.signal, output })
  assert.deepEqual([said.status, feed.from, feed.closed], [0, [9, 9, 1043], true])
  assert.equal(said.errors, 'posthouse: go on with --from v1.9.9.1051\n')
})

test('a slow reader is waited for, and when it is stopped meanwhile the cursor is that of what was printed', async () => {
  const stop = new AbortController()
  const reader = new SlowReader()
  const feed = new FakeFeed([first, second])
  const said = ask(['--json', '--follow', '--from', 'start'], feed, { stop: stop.signal, output: reader })
  await reader.waits()
  assert.equal(feed.taken, 0)
  reader.read()
  await reader.waits()
  reader.read()
  await reader.waits()
  assert.deepEqual([feed.taken, parsed(reader.text).length], [1, 3])
  stop.abort()
  reader.read()
  await reader.waits()
  reader.read()
  assert.deepEqual([(await said).status, (await said).errors], [0, 'posthouse: go on with --from v1.0.0.1049\n'])
  assert.equal(parsed(reader.text).length, 3)
})

/** Takes one line and then no more until it is told to. */
class SlowReader extends Writable {
  text = ''
  #done: (() => void) | undefined
  #onWait: () => void = () => {}

  constructor() {
    super({ highWaterMark: 1 })
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    this.#done = done
    this.#onWait()
  }

  async waits(): Promise<void> {
    if (this.#done === undefined) await new Promise<void>((resolve) => (this.#onWait = resolve))
  }

  read(): void {
    const done = this.#done
    this.#done = undefined
    done?.()
  }
}

test('a reader that has gone ends it without a word', async () => {
  const output = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) })
  const feed = new FakeFeed([first, second])
  const said = await ask(['--follow', '--from', 'start'], feed, { output })
  assert.deepEqual([said.status, said.errors, feed.closed], [0, '', true])
})

test('what is no longer kept is said', async () => {
  const gap = { partition: 2, after: 4, first: 1042 }
  const said = await ask([], new FakeFeed([{ ...first, gap }]))
  assert.equal(
    said.errors.split('\n')[0],
    'posthouse: partition 2: entries 5 to 1041 are no longer kept; their events are missing here',
  )
})

test('a cursor of more partitions than there are is of another queue', async () => {
  const feed = new FakeFeed([first])
  const said = await ask(['--from', 'v1.1.2.3.4'], feed)
  assert.deepEqual([said.status, said.output, feed.from, feed.closed], [1, '', undefined, true])
  assert.match(said.errors, /^posthouse: --from: v1\.1\.2\.3\.4 is a cursor of 4 partitions, and there are 3: /)
})

test('a cursor beyond an end gets a warning, since nothing might come for long', async () => {
  const said = await ask(['--from', 'v1.4.10'], new FakeFeed([]))
  assert.equal(said.status, 0)
  assert.match(said.errors, /^posthouse: partition 1 ends at entry 9, before the 10 of --from: is it a cursor of this/)
})

test('when the queue no longer answers the status is 69, and where to go on is said all the same', async () => {
  const feed = () => new FakeFeed([first], undefined, new Error('partition 2 does not answer'))
  const said = await ask(['--json', '--type', 'bounced'], feed())
  const trouble = 'partition 2 does not answer (from POSTHOUSE_NATS_SERVERS)'
  assert.deepEqual(
    [said.status, said.errors],
    [69, `posthouse: ${trouble}\nposthouse: go on with --from v1.0.0.1043\n`],
  )
  assert.deepEqual(JSON.parse(said.output), { errors: [trouble], cursor: 'v1.0.0.1043' })
})

test('a queue that cannot be reached is status 69', async () => {
  const said = await posthouse(['events'], { environment, events: () => Promise.reject(new Error('nobody is there')) })
  assert.deepEqual([said.status, said.errors], [69, 'posthouse: nobody is there (from POSTHOUSE_NATS_SERVERS)\n'])
})
