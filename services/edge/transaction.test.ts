import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseMailbox } from '@posthouse/core/address'
import type { Mailbox } from '@posthouse/core/address'
import { encodeRecord, INLINE_LIMIT } from '@posthouse/core/record-codec'
import { Activities } from '@posthouse/runtime/lifecycle/activities'
import { mailRecord } from '@posthouse/testkit/mail-record'
import { Transaction } from './transaction.ts'

const begin = (): Transaction =>
  new Transaction(mailbox('a@example.org'), {}, new Activities().begin('test') ?? assert.fail())

function mailbox(address: string): Mailbox {
  const parsed = parseMailbox(address)
  assert.ok(!('invalid' in parsed))
  return parsed
}

test('recipients are taken as long as the envelope has room for them, and then it fits into a record', () => {
  const transaction = begin()
  const orcpt = `rfc822;${'b'.repeat(490)}`
  const addressOf = (index: number): string => `${index}${'c'.repeat(58)}@${'d'.repeat(60)}.example`
  let taken = 0
  while (transaction.add(mailbox(addressOf(taken)), addressOf(taken), { orcpt })) taken += 1
  assert.ok(taken > 300 && taken < 1000, String(taken))
  assert.equal(transaction.recipients.length, taken)
  const { envelope, content } = mailRecord('A', { content: Buffer.alloc(INLINE_LIMIT) })
  encodeRecord({ envelope: { ...envelope, recipients: transaction.recipients }, content })
})

test('the same mailbox again is no further recipient, and is taken even when nothing else is', () => {
  const transaction = begin()
  for (const address of ['b@example.org', 'B@example.org', 'b@EXAMPLE.org'])
    assert.equal(transaction.add(mailbox(address), address, {}), true)
  assert.deepEqual(
    transaction.recipients.map(({ address, index }) => [address, index]),
    [
      ['b@example.org', 0],
      ['B@example.org', 1],
    ],
  )
})
