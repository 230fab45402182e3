import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EVENT_SCHEMA, type EventType, type MailEvent } from '@posthouse/core/event'
import type { Attempt } from '../history.ts'
import { toldAgreement, type ToldQuestion } from './told-agree.ts'

const accepted = (queueId: string, ...recipients: string[]): Attempt => ({
  id: 'message',
  recipients,
  digest: '',
  told: 'accepted',
  code: 250,
  queueId,
  startedAt: 0,
  endedAt: 0,
})
const { queueId: _, ...nameless } = accepted('', 'a@one.example')
const unknown: Attempt = { ...nameless, told: 'unknown' }

const event = (
  type: EventType,
  message: string,
  indexes: readonly number[] = [0],
  id = `${message}.${type}`,
): MailEvent => ({
  schema: EVENT_SCHEMA,
  id,
  type,
  time: '2026-11-28T00:00:00.000Z',
  partition: 0,
  sequence: 1,
  node: 'n',
  message,
  recipients: indexes.map((index) => ({ index })),
})

const TABLE: readonly (readonly [string, Partial<ToldQuestion>, untold: number, toldTwice: number])[] = [
  ['nothing happened', {}, 0, 0],
  ['accepted and delivered', { told: [event('accepted', 'q'), event('delivered', 'q', [0, 1])] }, 0, 0],
  [
    'each its own end',
    { told: [event('accepted', 'q'), event('bounced', 'q', [0]), event('expired', 'q', [1])] },
    0,
    0,
  ],
  ['nobody says that it was accepted', { told: [event('delivered', 'q', [0, 1])] }, 1, 0],
  ['one end is missing', { told: [event('accepted', 'q'), event('delivered', 'q')] }, 1, 0],
  ['a deferral is no end', { told: [event('accepted', 'q'), event('deferred', 'q', [0, 1])] }, 2, 0],
  [
    'the word of one who came too late is no end',
    { told: [event('accepted', 'q'), event('attempted', 'q', [0, 1])] },
    2,
    0,
  ],
  ['what still waits has no end yet', { told: [event('accepted', 'q'), event('delivered', 'q')], queued: 1 }, 0, 0],
  [
    'the same event read twice',
    {
      told: [
        event('accepted', 'q'),
        event('accepted', 'q'),
        event('delivered', 'q', [0, 1]),
        event('delivered', 'q', [0, 1]),
      ],
    },
    0,
    0,
  ],
  [
    'an end told twice',
    { told: [event('accepted', 'q'), event('delivered', 'q', [0, 1]), event('bounced', 'q', [1])] },
    0,
    1,
  ],
  [
    'of unknown fate, and told of',
    { attempts: [unknown], told: [event('accepted', 'x'), event('delivered', 'x')] },
    0,
    0,
  ],
  ['of unknown fate, and not told of', { attempts: [unknown] }, 0, 0],
]

for (const [name, question, untold, toldTwice] of TABLE)
  test(`events and clients: ${name}`, () => {
    const attempts = question.told === undefined ? [] : [accepted('q', 'a@one.example', 'b@one.example')]
    const found = toldAgreement({ attempts, told: [], queued: 0, ...question })
    assert.deepEqual([found.untold, found.toldTwice], [untold, toldTwice], found.examples.join('; '))
  })
