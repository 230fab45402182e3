import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MailEvent } from '@posthouse/core/event'
import { eventSamples, olderEvent } from '@posthouse/core/golden/event-samples'
import type { Story, TraceAnswer, TraceQuestion } from '@posthouse/queue/trace-port'
import { posthouse, type Said } from './test/fake-world.ts'

const environment = { POSTHOUSE_NATS_SERVERS: '127.0.0.1:4222' }
const { accepted, delivered, parked, deferred, bounced, expired, discarded } = eventSamples
const ID = accepted.message
const REPORT = discarded.message

function ask(args: readonly string[], answer: Partial<TraceAnswer>, asked: TraceQuestion[] = []): Promise<Said> {
  return posthouse(['trace', ...args], {
    environment,
    trace: (question) => {
      asked.push(question)
      return Promise.resolve({ stories: [], more: false, node: 'admin-1', lagMs: 120, ...answer })
    },
  })
}

const story = (events: readonly MailEvent[], more: Partial<Story> = {}): Story => ({
  message: events[0]?.message ?? ID,
  events,
  ...more,
})

test('a message is told from its client to the end of each recipient', async () => {
  const stories = [story([accepted, delivered, parked, deferred, bounced])]
  const said = await ask([ID], { stories })
  assert.deepEqual([said.status, said.errors], [0, ''])
  assert.deepEqual(said.output.split('\n'), [
    'id          SF9QQAHP00003',
    'from        <alice@example.org>',
    'to          <bob@example.net>, <carol@example.com>, <dave@example.com>',
    'accepted    2026-11-01T12:00:00.000Z by edge-1, listener submission',
    'client      192.0.2.7, HELO client.example.org, TLSv1.3',
    'user        alice',
    'size        2.0 KiB',
    'Message-ID  <1@example.org>',
    'trace id    4bf92f3577b34da6a3ce929d0e0e4736',
    '',
    '<bob@example.net>',
    '  time                      node        what',
    '  2026-11-01T12:00:00.050Z  delivery-1  attempt 1: delivered, in 31 ms by mx.example.net[192.0.2.9]:25 ' +
      '(TLSv1.3 TLS_AES_256_GCM_SHA384): 250 2.0.0 Ok: queued as 1A2B',
    '',
    '<carol@example.com>',
    '  time                      node        what',
    '  2026-11-01T12:00:03.000Z  delivery-1  parked, no room at its destination, next at 2026-11-01T12:00:33.000Z',
    '  2026-11-01T12:00:33.200Z  delivery-2  attempt 1: deferred, in 170 ms by mx1.example.com[192.0.2.1]:25 (no TLS): ' +
      '450 4.2.1 try later, next at 2026-11-01T12:05:33.200Z',
    '',
    '<dave@example.com>',
    '  time                      node        what',
    '  2026-11-01T12:00:03.000Z  delivery-1  parked, no room at its destination, next at 2026-11-01T12:00:33.000Z',
    '  2026-11-01T12:00:33.210Z  delivery-2  attempt 1: bounced, in 180 ms by mx1.example.com[192.0.2.1]:25 ' +
      '(TLSv1.3 TLS_AES_256_GCM_SHA384): 550 5.1.1 no such user, report V1M2K3QX0000B (posthouse trace V1M2K3QX0000B tells)',
    '',
    'still in the queue: <carol@example.com>',
    '',
    'answered by admin-1, whose index is less than 1 s behind at most',
    '',
  ])
})

test('when every recipient has its end, it says which', async () => {
  const said = await ask([ID], { stories: [story([accepted, delivered, deferred, bounced, expired])] })
  assert.match(said.output, /\n\nall recipients have their end: 1 delivered, 1 expired, 1 bounced\n/)
  assert.match(
    said.output,
    /try later, possible duplicate, report V1M2K3QX0000C \(posthouse trace V1M2K3QX0000C tells\)\n/,
  )
})

test('a report follows the message that it is on, whatever came later', async () => {
  const other = story([{ ...accepted, message: 'SF9QQAHP00009' }])
  const said = await ask(['alice@example.org'], { stories: [story([discarded]), other, story([accepted, bounced])] })
  const heads = [...said.output.matchAll(/^id +(\S+)$/gm)].map(([, id]) => id)
  assert.deepEqual(heads, ['SF9QQAHP00009', ID, REPORT])
  assert.match(said.output, /report V1M2K3QX0000B \(below\)/)
  assert.match(said.output, /\nfrom {8}<>\nto {10}<alice@example.org>\nreport on {3}SF9QQAHP00003\n/)
})

test('a report whose message is not there is told all the same', async () => {
  const said = await ask([REPORT], { stories: [story([discarded])] })
  assert.match(said.output, /\nreport on {3}SF9QQAHP00003\n/)
})

test('recipients with the same events are told together', async () => {
  const recipients = Array.from({ length: 7 }, (_, index) => ({ index, address: `u${index}@example.net` }))
  const said = await ask([ID], {
    stories: [
      story([
        { ...accepted, recipients },
        { ...delivered, recipients: recipients.slice(2) },
      ]),
    ],
  })
  assert.match(said.output, /\n<u2@example.net>, <u3@example.net>, <u4@example.net> and 2 more\n {2}time/)
  assert.match(said.output, /\nstill in the queue: <u0@example.net>, <u1@example.net>\n/)
})

test('recipients whom no event names are not forgotten', async () => {
  const acceptance = { ...accepted.acceptance!, recipients: 500 }
  const said = await ask([ID], { stories: [story([{ ...accepted, acceptance }, delivered, bounced, expired])] })
  assert.match(said.output, /\nto {10}<bob@example.net>, <carol@example.com>, <dave@example.com> and 497 more\n/)
  assert.match(said.output, /\nstill in the queue: 497 that are not named\n/)
})

test('an event that the log tells twice is told once', async () => {
  const said = await ask([ID], { stories: [story([accepted, accepted, deferred, deferred])] })
  assert.equal(said.output.match(/deferred/g)?.length, 1)
})

test('where older events are left out nobody is said to be in the queue', async () => {
  const said = await ask([ID], { stories: [story([accepted, delivered], { left: 40 })] })
  assert.match(
    said.output,
    /\nno end is known of <carol@example.com>, <dave@example.com>; 40 older events are left out\n/,
  )
})

test('a message of an earlier version is told as far as it is known', async () => {
  const said = await ask([olderEvent.message], { stories: [story([olderEvent])] })
  assert.match(said.output, /^id +SF9QQAHP00001\nfrom +unknown\nto +recipient 0\naccepted +unknown\n/)
  assert.match(said.output, /\nall recipients have their end: 1 delivered\n/)
})

test('what came from elsewhere cannot move the cursor', async () => {
  const acceptance = { ...accepted.acceptance!, helo: '\x1b[2J', messageId: '<\x07>' }
  const attempt = { number: 1, host: '\x1b]0;x', reply: '550 \r\n\x1b[31mno' }
  const stories = [
    story([
      { ...accepted, acceptance, sender: '\x1b@x' },
      { ...bounced, attempt, report: '\x1b' },
    ]),
  ]
  const said = await ask(['\x1b'], { stories, node: '\x1b' })
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  assert.doesNotMatch(said.output, /[\x00-\x09\x0b-\x1f]/)
})

test('a long reply is shortened for people and whole under --json', async () => {
  const reply = `550 ${'no '.repeat(60)}`
  const stories = [story([accepted, { ...bounced, attempt: { number: 1, reply } }])]
  assert.ok(!(await ask([ID], { stories })).output.includes(reply))
  const said = await ask([ID, '--json'], { stories, more: true })
  assert.equal(said.output.trimEnd().split('\n').length, 1)
  assert.deepEqual(JSON.parse(said.output), { query: ID, stories, more: true, node: 'admin-1', lagMs: 120 })
})

test('the question goes on as it is, with the limit', async () => {
  const asked: TraceQuestion[] = []
  const stories = [story([accepted])]
  await ask(['<1@example.org>'], { stories }, asked)
  await ask([' alice@example.org ', '--limit', '3'], { stories }, asked)
  assert.deepEqual(asked, [
    { query: '<1@example.org>', limit: 10 },
    { query: 'alice@example.org', limit: 3 },
  ])
})

test('more messages than the limit are said to be there', async () => {
  const said = await ask([ID, '--limit', '1'], { stories: [story([accepted])], more: true })
  assert.match(said.output, /\n\nthe newest 1; --limit shows more\nanswered by admin-1, /)
  const all = await ask([ID, '--limit', '100'], { stories: [story([accepted])], more: true })
  assert.match(all.output, /\nthe newest 1; there are more\n/)
})

test('how far the index lags is said, or that it is being built', async () => {
  const stories = [story([accepted])]
  assert.match(
    (await ask([ID], { stories, lagMs: 61_000 })).output,
    /\nanswered by \S+ whose index is 1 min 1 s behind/,
  )
  const { lagMs: _, ...built } = { stories, more: false, node: 'admin-2', lagMs: 0 }
  const said = await posthouse(['trace', ID], { environment, trace: () => Promise.resolve(built) })
  assert.match(said.output, /\nanswered by admin-2, whose index is still being built: something may be missing\n$/)
})

test('a message of which nothing is known is status 1, and one line says what the reason may be', async () => {
  const said = await ask(['NOSUCH'], {})
  assert.deepEqual([said.status, said.output], [1, ''])
  assert.match(
    said.errors,
    /^posthouse: NOSUCH: nothing is known of it: it never came, or is older than admin-1 keeps.*\n$/,
  )
  const building = await posthouse(['trace', 'NOSUCH', '--json'], {
    environment,
    trace: () => Promise.resolve({ stories: [], more: false, node: 'admin-1' }),
  })
  assert.equal(building.status, 1)
  assert.match(building.errors, /^posthouse: NOSUCH: nothing is known of it: the index of admin-1 is still being built/)
  assert.deepEqual(Object.keys(JSON.parse(building.output) as object), ['errors'])
})

test('without an admin node the status is 69', async () => {
  const trace = () => Promise.reject(new Error('no admin node answers'))
  const said = await posthouse(['trace', ID], { environment, trace })
  assert.deepEqual([said.status, said.errors], [69, 'posthouse: no admin node answers (from POSTHOUSE_NATS_SERVERS)\n'])
})

test('an empty question is a wrong command line', async () => {
  assert.equal((await ask([' '], {})).status, 64)
})
