import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closingSize } from '../closing-codec.ts'
import { encodeEntry, ENTRY_OVERHEAD, toldSize } from '../entry-codec.ts'
import type { Outcome } from '../outcome.ts'
import type { AcceptanceFacts, MailRecord } from '../record.ts'
import { MAX_ENTRY_HEADER } from '../text-table.ts'
import { smallRecord } from '../golden/samples.ts'
import { closingOf } from './closing.ts'
import { OpenBatch } from './open-batch.ts'

const ACCEPTED: AcceptanceFacts = { node: 'edge-1', client: '192.0.2.7', role: 'relay', messageId: '<1@a.example>' }
const DELIVERED: Outcome = { how: 'delivered', facts: { reply: '250 2.0.0 Ok' } }
const NOW = 1_790_000_001_000.75

function batchOf(
  stream: 'mail' | 'later',
  addresses: readonly string[],
  more: Partial<MailRecord['envelope']> = {},
): OpenBatch {
  const recipients = addresses.map((address, index) => ({ address, index }))
  const envelope = { ...smallRecord.envelope, from: 's@a.example', recipients, accepted: ACCEPTED, ...more }
  return new OpenBatch(stream, { seq: 5, storedAt: 1, id: 'b', records: [{ ...smallRecord, envelope }], bytes: 1 })
}

const close = (batch: OpenBatch, positions: readonly number[], suspect = false, outcome: Outcome = DELIVERED) =>
  closingOf(batch, 0, positions, outcome, NOW, suspect)

test('a closing says when, of whom and to whom', () => {
  const { at, from, to } = close(batchOf('mail', ['a@x.example', 'b@x.example']), [1])
  assert.deepEqual({ at, from, to }, { at: 1_790_000_001_000, from: 's@a.example', to: ['b@x.example'] })
})

test('the first closing of a message out of MAIL tells its acceptance, the next does not', () => {
  const batch = batchOf('mail', ['a@x.example', 'b@x.example'])
  const first = close(batch, [0])
  assert.equal(first.accepted?.messageId, '<1@a.example>')
  assert.equal(first.accepted.recipients, 2)
  assert.deepEqual(first.all, ['a@x.example', 'b@x.example'])
  batch.acceptanceTold(0, true)
  assert.equal(close(batch, [1]).accepted, undefined)
  // The log had no room for the first.
  batch.acceptanceTold(0, false)
  assert.equal(close(batch, [0, 1]).accepted?.node, 'edge-1')
  assert.equal(close(batch, [0, 1]).all, undefined)
})

test('what waits was told when it came out of MAIL, and of a report there is no acceptance', () => {
  assert.equal(close(batchOf('later', ['a@x.example']), [0]).accepted, undefined)
  const { accepted: _, ...report } = smallRecord.envelope
  const batch = new OpenBatch('mail', {
    seq: 5,
    storedAt: 1,
    id: 'b',
    records: [{ ...smallRecord, envelope: report }],
    bytes: 1,
  })
  assert.equal(close(batch, [0]).accepted, undefined)
})

test('an attempt on what a dead owner may have sent is marked, a parking is not', () => {
  const batch = batchOf('mail', ['a@x.example'])
  assert.equal(close(batch, [0], true).possibleDuplicate, true)
  assert.equal(close(batch, [0]).possibleDuplicate, undefined)
  const parked: Outcome = { how: 'parked', due: 1, destination: 'x.example' }
  assert.equal(close(batch, [0], true, parked).possibleDuplicate, undefined)
})

test('however many recipients and however long their addresses, a closing fits an entry, alone and told', () => {
  const long = 'ä'.repeat(120)
  for (const [count, local] of [
    [1, 'a'],
    [700, 'somebody.with.a.name'],
    [1000, 'a'.repeat(200)],
    [1000, long],
  ] as const) {
    const addresses = Array.from({ length: count }, (_, n) => `${local}${n}@${long}.example`)
    const facts = { ...ACCEPTED, user: long, tls: long, messageId: long.repeat(9) }
    const batch = batchOf('mail', addresses, { accepted: facts, helo: long.repeat(3), from: `${long}@${long}.example` })
    const outcome: Outcome = {
      how: 'bounced',
      facts: { reply: long.repeat(9), host: long.repeat(9), tls: long.repeat(9) },
    }
    const some = addresses.slice(0, -1).map((_, position) => position)
    for (const positions of [addresses.map((_, position) => position), some]) {
      if (positions.length === 0) continue
      const closing = close(batch, positions, true, outcome)
      assert.ok(closingSize(closing) + ENTRY_OVERHEAD <= MAX_ENTRY_HEADER, `${count} recipients`)
      const told = { later: 7, closing, due: 1, bounce: 'q' }
      assert.ok(toldSize(told) + ENTRY_OVERHEAD <= MAX_ENTRY_HEADER, `${count} recipients, told`)
      encodeEntry({ node: 'n', lease: 1, closes: [closing] })
      encodeEntry({ node: 'n', lease: 1, closes: [], told: [told] })
    }
  }
})
