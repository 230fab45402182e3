import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeAccepted } from './accepted-codec.ts'
import type { Closing, EntryHeader } from './entry.ts'
import { encodeEntry } from './entry-codec.ts'
import { eventsOf, type LoggedHeader } from './entry-events.ts'
import { acceptedMessages, entry, toldEntry } from './golden/samples.ts'
import { WireError } from './wire-error.ts'

const logged = (kind: LoggedHeader['kind'], value: string): LoggedHeader => ({
  seq: 9,
  storedAt: 1_790_000_002_000,
  kind,
  value,
})
const outcome = (header: EntryHeader) => eventsOf(3, logged('outcome', encodeEntry(header)))
const [closing] = toldEntry.closes as readonly [Closing]
const bare: EntryHeader = { node: 'incarnation', lease: 18, closes: [] }

test('a lease and a .later entry tell nothing: what a .later entry closed is told in an .outcome entry', () => {
  assert.deepEqual(eventsOf(0, logged('lease', '')), [])
  assert.deepEqual(eventsOf(0, logged('later', encodeEntry(toldEntry))), [])
})

test('the first outcome of a message is told after its acceptance, with all its recipients', () => {
  const [accepted, delivered, ...more] = outcome({ ...bare, name: 'delivery-1', closes: [closing] })
  assert.equal(more.length, 0)
  assert.deepEqual(
    [accepted?.type, accepted?.id, accepted?.node, accepted?.time],
    ['accepted', `${closing.id}.accepted`, 'edge-1', new Date(1_790_000_000_000).toISOString()],
  )
  assert.deepEqual(accepted?.recipients, [
    { index: 0, address: 'bob@example.net' },
    { index: 1, address: 'carol@example.net' },
  ])
  assert.deepEqual(
    [delivered?.type, delivered?.id, delivered?.node, delivered?.time],
    ['delivered', '3.9.0', 'delivery-1', new Date(1_790_000_001_000).toISOString()],
  )
  assert.equal(delivered?.possibleDuplicate, true)
})

test('what an edge tells has the same id as what an owner tells', () => {
  const [told] = eventsOf(3, logged('accepted', encodeAccepted(acceptedMessages)))
  const [repeated] = outcome({ ...bare, closes: [closing] })
  assert.deepEqual(told, repeated)
})

test('further parts of very many recipients have ids of their own', () => {
  const [message] = acceptedMessages
  const [part] = eventsOf(0, logged('accepted', encodeAccepted([{ ...message!, first: 500 }])))
  assert.equal(part?.id, `${message!.id}.accepted.500`)
  assert.deepEqual(
    part?.recipients.map(({ index }) => index),
    [500, 501],
  )
})

test('what is told of a .later entry says when it is due, or which report it carries, as the case may be', () => {
  const due = 1_790_000_060_000
  const told = (how: Closing['how'], bounce?: string) =>
    outcome({
      ...bare,
      told: [{ later: 4, closing: { ...entry.closes[1]!, how }, due, ...(bounce && { bounce }) }],
    }).at(-1)
  for (const how of ['deferred', 'parked', 'held'] as const) {
    assert.equal(told(how)?.type, how)
    assert.equal(told(how)?.next, new Date(due).toISOString())
    assert.equal(told(how)?.report, undefined)
  }
  for (const how of ['bounced', 'expired'] as const) {
    assert.equal(told(how, 'report')?.report, 'report')
    assert.equal(told(how, 'report')?.next, undefined)
  }
  assert.deepEqual(told('bounced')?.reports, { message: '2M7Q1A0000AA', recipients: [0] })
})

test('every event of an entry has a place of its own, in the order of the entry', () => {
  const events = outcome({ ...bare, closes: entry.closes, told: toldEntry.told! })
  assert.deepEqual(
    events.map(({ id }) => id),
    ['3.9.0', '3.9.1', '3.9.2'],
  )
})

test('an entry of an older version tells less, and the time is that of its storing', () => {
  const [event] = outcome({ ...bare, closes: [entry.closes[0]!] })
  assert.equal(event?.time, new Date(1_790_000_002_000).toISOString())
  assert.equal(event?.node, 'incarnation')
  assert.deepEqual(event?.recipients, [{ index: 0 }])
  assert.equal(event?.sender, undefined)
})

test('the word of one who came too late is an attempt; an outcome that is not known is none', () => {
  const [late] = eventsOf(3, logged('late', encodeEntry({ ...bare, closes: [closing] })))
  assert.equal(late?.type, 'attempted')
  assert.equal(late.attempt?.reply, '250 2.0.0 Ok')
  assert.deepEqual(outcome({ ...bare, closes: [{ ...entry.closes[0]!, how: 'unknown' }] }), [])
})

test('what cannot be read is a WireError', () => {
  for (const kind of ['outcome', 'accepted', 'late'] as const)
    assert.throws(() => eventsOf(0, logged(kind, '{')), WireError)
})
