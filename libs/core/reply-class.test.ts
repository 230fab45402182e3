import assert from 'node:assert/strict'
import { test } from 'node:test'
import { classifyReply, isClosing, oneLine, replyLine } from './reply-class.ts'
import type { Stage } from './reply-class.ts'

test('replies and what they mean', () => {
  const rows: [stage: Stage, code: number, text: string, expected: string, accepted?: number][] = [
    ['MAIL', 250, '2.1.0 Ok', 'ok'],
    ['RCPT', 251, 'will forward', 'ok'],
    ['RCPT', 252, 'cannot verify', 'ok'],
    ['DATA', 354, 'go ahead', 'ok'],
    ['DATA', 250, 'what', 'temporary 4.0.0'],
    ['final', 250, '2.0.0 queued as 1', 'ok'],
    ['final', 354, 'more', 'temporary 4.0.0'],
    ['RCPT', 450, '4.2.0 greylisted', 'temporary 4.2.0'],
    ['RCPT', 450, 'greylisted', 'temporary 4.2.0'],
    ['RCPT', 451, '4.7.1 later', 'temporary 4.7.1'],
    ['RCPT', 421, '4.3.2 closing', 'temporary 4.3.2'],
    ['RCPT', 550, '5.1.1 no such user', 'permanent 5.1.1'],
    ['RCPT', 550, 'no such user', 'permanent 5.1.1'],
    ['MAIL', 550, 'go away', 'permanent 5.1.8'],
    ['final', 550, 'spam', 'permanent 5.7.1'],
    ['final', 554, '5.6.0 bad content', 'permanent 5.6.0'],
    ['final', 554, 'transaction failed', 'permanent 5.0.0'],
    ['RCPT', 553, 'mailbox name', 'permanent 5.1.3'],
    ['RCPT', 556, 'null MX', 'permanent 5.1.10'],
    ['RCPT', 551, 'not local', 'permanent 5.1.6'],
    ['MAIL', 530, 'authentication required', 'permanent 5.7.0'],
    // A full mailbox is a persistent transient failure whatever the code says (RFC 3463 3.3).
    ['RCPT', 552, '5.2.2 mailbox full', 'temporary 4.2.2'],
    ['RCPT', 552, 'mailbox is full', 'temporary 4.2.2'],
    ['RCPT', 452, '4.2.2 mailbox full', 'temporary 4.2.2'],
    ['final', 552, '5.2.2 over quota', 'temporary 4.2.2'],
    // Too large is final.
    ['MAIL', 552, '5.3.4 too large', 'permanent 5.3.4'],
    ['final', 552, 'message size exceeds', 'permanent 5.3.4'],
    ['RCPT', 552, '5.2.3 too large for this user', 'permanent 5.2.3'],
    // Too many recipients: the rest goes at once in another transaction, if this one has some.
    ['RCPT', 452, 'too many recipients', 'next transaction 4.5.3', 100],
    ['RCPT', 452, '4.5.3 too many recipients', 'next transaction 4.5.3', 1],
    ['RCPT', 552, 'too many recipients', 'next transaction 4.5.3', 1],
    ['RCPT', 452, '4.5.3 too many recipients', 'temporary 4.5.3', 0],
    ['RCPT', 452, '4.3.1 disk full', 'temporary 4.3.1', 5],
    // Contradictions are read as the milder, nonsense as temporary.
    ['RCPT', 550, '4.7.1 try again', 'temporary 4.7.1'],
    ['RCPT', 450, '5.1.1 no such user', 'temporary 4.1.1'],
    ['RCPT', 299, 'fine', 'ok'],
    ['RCPT', 999, 'what', 'temporary 4.0.0'],
    ['RCPT', 550, '5.1.1000 odd', 'permanent 5.1.1'],
  ]
  for (const [stage, code, text, expected, accepted] of rows) {
    const verdict = classifyReply(stage, { code, text }, accepted)
    assert.equal(
      verdict.is === 'ok' ? 'ok' : `${verdict.is} ${verdict.status}`,
      expected,
      `${code} ${text} after ${stage}`,
    )
  }
})

test('421 ends the connection', () => {
  assert.ok(isClosing({ code: 421, text: '' }))
  assert.ok(!isClosing({ code: 450, text: '' }))
})

test('a reply becomes one bounded line without control characters', () => {
  assert.equal(replyLine({ code: 550, text: '5.1.1 no\r\n\tsuch\x1b[31m user ' }), '550 5.1.1 no such [31m user')
  assert.equal(oneLine('x'.repeat(600)).length, 500)
})
