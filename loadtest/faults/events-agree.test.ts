import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Arrival, Attempt } from '../history.ts'
import { agreement, type EventsQuestion, type LogAgreement } from './events-agree.ts'
import type { LogEvent } from './log-events.ts'

const attempt = (told: Attempt['told'], queueId: string | undefined, ...recipients: string[]): Attempt => ({
  id: 'message',
  recipients,
  digest: '',
  told,
  code: 250,
  ...(queueId === undefined ? {} : { queueId }),
  startedAt: 0,
  endedAt: 0,
})
const accepted = (queueId: string, ...recipients: string[]) => attempt('accepted', queueId, ...recipients)
const unknown = (...recipients: string[]) => attempt('unknown', undefined, ...recipients)
const refused = (...recipients: string[]) => attempt('refused', undefined, ...recipients)

const arrival = (
  kind: Arrival['kind'],
  queueId: string | undefined,
  recipient: string,
  unanswered = false,
): Arrival => ({
  kind,
  recipient,
  digest: '',
  at: 0,
  ...(queueId === undefined ? {} : { queueId }),
  ...(unanswered ? { unanswered } : {}),
})
const mail = (queueId: string | undefined, recipient: string) => arrival('mail', queueId, recipient)
const dropped = (queueId: string, recipient: string) => arrival('mail', queueId, recipient, true)
const bounce = (queueId: string, recipient: string) => arrival('bounce', queueId, recipient)

const event = (
  kind: LogEvent['kind'],
  how: LogEvent['how'],
  queueId: string,
  recipientIndex: number,
  report?: LogEvent['report'],
): LogEvent => ({
  partition: 0,
  seq: 1,
  at: 0,
  kind,
  how,
  queueId,
  recipientIndex,
  attempt: 1,
  ...(report === undefined ? {} : { report }),
})
const ended = (how: LogEvent['how'], queueId: string, index: number) => event('outcome', how, queueId, index)
const report = (how: LogEvent['how'], queueId: string, record: string, recipients: number[]) =>
  event('outcome', how, queueId, 0, { record, recipients })

interface Row extends Partial<EventsQuestion> {
  readonly name: string
  readonly is?: Partial<Omit<LogAgreement, 'examples'>>
}

const rows: Row[] = [
  { name: 'nothing happened' },
  {
    name: 'every recipient arrived and is logged as delivered once',
    attempts: [accepted('Q1', 'a', 'b')],
    arrivals: [mail('Q1', 'a'), mail('Q1', 'b')],
    events: [ended('delivered', 'Q1', 0), ended('delivered', 'Q1', 1)],
    is: { tasks: 2 },
  },
  {
    name: 'an accepted recipient has no final outcome in the log of an empty queue',
    attempts: [accepted('Q1', 'a', 'b')],
    arrivals: [mail('Q1', 'a'), mail('Q1', 'b')],
    events: [ended('delivered', 'Q1', 0)],
    is: { tasks: 2, missing: 1 },
  },
  {
    name: 'as many as are queued may be without an outcome',
    attempts: [accepted('Q1', 'a', 'b', 'c')],
    events: [],
    queued: 2,
    is: { tasks: 3, missing: 1 },
  },
  {
    name: 'two recipients that one queued report reports are not missing',
    attempts: [accepted('Q1', 'a', 'b')],
    events: [event('later', 'bounced', 'Q1', 0), event('later', 'bounced', 'Q1', 1)],
    queued: 1,
    is: { tasks: 2 },
  },
  {
    name: 'two recipients whose report was deferred are not missing',
    attempts: [accepted('Q1', 'a', 'b')],
    events: [event('later', 'deferred', 'R1', 0, { record: 'Q1', recipients: [0, 1] })],
    queued: 1,
    is: { tasks: 2 },
  },
  {
    name: 'a word on what waits is no outcome when the queue is empty',
    attempts: [accepted('Q1', 'a')],
    events: [event('later', 'deferred', 'Q1', 0)],
    is: { tasks: 1, missing: 1 },
  },
  {
    name: 'nothing is known to be missing when nobody could be asked what is queued',
    attempts: [accepted('Q1', 'a')],
    events: [],
    queued: null,
    is: { tasks: 1 },
  },
  {
    name: 'recipients whose report is delivered have ended',
    attempts: [accepted('Q1', 'a', 'b', 'c')],
    arrivals: [mail('Q1', 'b'), bounce('R1', 'a'), bounce('R1', 'c')],
    events: [ended('delivered', 'Q1', 1), report('delivered', 'R1', 'Q1', [0, 2])],
    is: { tasks: 3 },
  },
  {
    name: 'a recipient whose report nobody took has ended',
    attempts: [accepted('Q1', 'a')],
    events: [report('bounced', 'R1', 'Q1', [0])],
    is: { tasks: 1 },
  },
  {
    name: 'the word on a bounce beside the outcome of its report is no double',
    attempts: [accepted('Q1', 'a')],
    arrivals: [bounce('R1', 'a')],
    events: [event('later', 'bounced', 'Q1', 0), report('delivered', 'R1', 'Q1', [0])],
    is: { tasks: 1 },
  },
  {
    name: 'a late word closes nothing and is no double',
    attempts: [accepted('Q1', 'a')],
    arrivals: [mail('Q1', 'a'), mail('Q1', 'a')],
    events: [event('late', 'delivered', 'Q1', 0), ended('delivered', 'Q1', 0)],
    is: { tasks: 1 },
  },
  {
    name: 'a late word alone is no outcome',
    attempts: [accepted('Q1', 'a')],
    arrivals: [mail('Q1', 'a')],
    events: [event('late', 'delivered', 'Q1', 0)],
    is: { tasks: 1, missing: 1 },
  },
  {
    name: 'a task is closed for good twice',
    attempts: [accepted('Q1', 'a')],
    arrivals: [mail('Q1', 'a'), mail('Q1', 'a')],
    events: [ended('delivered', 'Q1', 0), ended('delivered', 'Q1', 0)],
    is: { tasks: 1, doubled: 1 },
  },
  {
    name: 'a recipient is delivered and reported',
    attempts: [accepted('Q1', 'a')],
    arrivals: [mail('Q1', 'a'), bounce('R1', 'a')],
    events: [ended('delivered', 'Q1', 0), report('delivered', 'R1', 'Q1', [0])],
    is: { tasks: 1, doubled: 1 },
  },
  {
    name: 'a recipient is reported twice, by different reports',
    attempts: [accepted('Q1', 'a')],
    arrivals: [bounce('R1', 'a'), bounce('R2', 'a')],
    events: [report('delivered', 'R1', 'Q1', [0]), report('delivered', 'R2', 'Q1', [0])],
    is: { tasks: 1, doubled: 1 },
  },
  {
    name: 'a message of unknown fate is closed twice',
    attempts: [unknown('a')],
    arrivals: [mail('Q9', 'a')],
    events: [ended('delivered', 'Q9', 0), ended('delivered', 'Q9', 0)],
    is: { doubled: 1 },
  },
  {
    name: 'a recipient is logged as delivered and never arrived',
    attempts: [accepted('Q1', 'a')],
    events: [ended('delivered', 'Q1', 0)],
    is: { tasks: 1, contradicted: 1 },
  },
  {
    name: 'only a copy arrived of which the relay cannot know, and it is logged as delivered',
    attempts: [accepted('Q1', 'a')],
    arrivals: [dropped('Q1', 'a')],
    events: [ended('delivered', 'Q1', 0)],
    is: { tasks: 1, contradicted: 1 },
  },
  {
    name: 'what arrived is an earlier try of unknown fate, and the accepted one is logged as delivered',
    attempts: [unknown('a'), accepted('Q1', 'a')],
    arrivals: [mail('Q0', 'a')],
    events: [ended('delivered', 'Q0', 0), ended('delivered', 'Q1', 0)],
    is: { tasks: 1, contradicted: 1 },
  },
  {
    name: 'an arrival that tells no queue id may be what the log says was delivered',
    attempts: [accepted('Q1', 'a')],
    arrivals: [mail(undefined, 'a')],
    events: [ended('delivered', 'Q1', 0)],
    is: { tasks: 1 },
  },
  {
    name: 'the outcomes of two recipients are swapped',
    attempts: [accepted('Q1', 'a', 'b')],
    arrivals: [mail('Q1', 'a'), bounce('R1', 'b')],
    events: [ended('delivered', 'Q1', 1), report('delivered', 'R1', 'Q1', [0])],
    is: { tasks: 2, contradicted: 2 },
  },
  {
    name: 'a report is logged as delivered and never arrived',
    attempts: [accepted('Q1', 'a')],
    events: [report('delivered', 'R1', 'Q1', [0])],
    is: { tasks: 1, contradicted: 1 },
  },
  {
    name: 'a copy arrived unnoticed and what was sent again bounced, with a report',
    attempts: [accepted('Q1', 'a')],
    arrivals: [mail('Q1', 'a'), bounce('R1', 'a')],
    events: [report('delivered', 'R1', 'Q1', [0])],
    is: { tasks: 1 },
  },
  {
    name: 'a recipient arrived and is logged as expired without a report',
    attempts: [accepted('Q1', 'a')],
    arrivals: [mail('Q1', 'a')],
    events: [ended('expired', 'Q1', 0)],
    is: { tasks: 1, contradicted: 1 },
  },
  {
    name: 'the log names as many messages that no 250 named as there are tries of unknown fate',
    attempts: [unknown('a', 'b'), unknown('c')],
    arrivals: [mail('Q8', 'a'), mail('Q8', 'b'), bounce('R9', 'c')],
    events: [ended('delivered', 'Q8', 0), ended('delivered', 'Q8', 1), report('delivered', 'R9', 'Q9', [0])],
  },
  {
    name: 'the log names a message that every client was refused',
    attempts: [refused('a'), unknown('b')],
    arrivals: [mail('Q8', 'a'), mail('Q9', 'b')],
    events: [ended('delivered', 'Q8', 0), ended('delivered', 'Q9', 0)],
    is: { contradicted: 1 },
  },
  {
    name: 'a 250 without a queue id is like a try of unknown fate',
    attempts: [attempt('accepted', undefined, 'a')],
    arrivals: [mail('Q1', 'a')],
    events: [ended('delivered', 'Q1', 0)],
  },
]

for (const { name, is, attempts = [], arrivals = [], events = [], queued = 0 } of rows) {
  test(`the log against the ledger: ${name}`, () => {
    const { examples, ...counts } = agreement({ attempts, arrivals, events, queued })
    assert.deepEqual(counts, { tasks: 0, missing: 0, doubled: 0, contradicted: 0, ...is })
    assert.equal(examples.length, counts.missing + counts.doubled + counts.contradicted)
  })
}

test('no more than ten examples are given, each with its queue id', () => {
  const recipients = Array.from({ length: 50 }, (_, index) => `r${index}`)
  const { missing, examples } = agreement({
    attempts: [accepted('Q1', ...recipients)],
    arrivals: [],
    events: [],
    queued: 0,
  })
  assert.equal(missing, 50)
  assert.equal(examples.length, 10)
  assert.equal(examples[3], 'Q1 3 <r3>: no final outcome')
})
