import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Attempt } from '../history.ts'
import { reconcile } from '../ledger.ts'
import { recipientOf, type Message } from '../message.ts'
import { Book, newRun } from './book.ts'

const DIGEST = 'd'

function bookOf(...sent: readonly [turn: number, recipients: number][]) {
  const book = new Book(newRun())
  const of = (turn: number, index = 0) => recipientOf(`${book.run}-0-${turn}`, index, 'sink.example')
  for (const [turn, count] of sent) {
    const recipients = Array.from({ length: count }, (_, index) => of(turn, index))
    const id = `${book.run}-0-${turn}`
    const message: Message = { id, recipients, digest: DIGEST, sender: '', size: 0, eightBit: false, wire: Buffer.of() }
    book.sends(message)
  }
  const tell = (told: Attempt['told'], recipients: readonly string[], endedAt = 0) =>
    book.told({ id: '', recipients, digest: DIGEST, told, code: 0, startedAt: 0, endedAt })
  const arrive = (recipient: string, at = 0, digest: string | null = DIGEST) =>
    book.arrived({ kind: 'mail', recipient, digest, at })
  return { book, of, tell, arrive }
}

const COUNTS = ['accepted', 'unknown', 'refused', 'delivered', 'lost', 'duplicates', 'unexpected', 'altered'] as const

function counts(book: Book, queued: number | null = 0) {
  const ledger = book.ledger(queued)
  return Object.fromEntries(COUNTS.flatMap((name) => (ledger[name] === 0 ? [] : [[name, ledger[name]]])))
}

test('what was accepted is open until it arrives, and the time it took is told', () => {
  const { book, of, tell, arrive } = bookOf([1, 2])
  tell('accepted', [of(1, 0), of(1, 1)], 100)
  assert.equal(book.open, 2)
  assert.deepEqual(
    book.openOnes(350, () => true),
    { count: 2, oldestMs: 250 },
  )
  assert.deepEqual(arrive(of(1, 0), 130), { is: 'expected', copy: 1, altered: false, afterMs: 30 })
  assert.deepEqual(
    book.openOnes(350, (recipient) => recipient !== of(1, 1)),
    { count: 0, oldestMs: 0 },
  )
  arrive(of(1, 1), 400)
  assert.equal(book.open, 0)
  assert.deepEqual(counts(book), { accepted: 2, delivered: 2 })
})

test('mail that arrives before its 250 is never open', () => {
  const { book, of, tell, arrive } = bookOf([1, 2])
  assert.equal(arrive(of(1)).afterMs, undefined)
  assert.deepEqual(tell('accepted', [of(1), of(1, 1)]), [of(1)])
  assert.equal(book.open, 1)
  assert.deepEqual(counts(book), { accepted: 2, delivered: 1, lost: 1 })
})

test('what is missing is lost once it was waited for, less what is queued; before that nothing is', () => {
  const { book, of, tell } = bookOf([1, 3])
  tell('accepted', [of(1), of(1, 1), of(1, 2)])
  assert.deepEqual([book.ledger(null).lost, book.ledger(null).undecided], [0, 3])
  assert.deepEqual([book.ledger(0).lost, book.ledger(2).lost, book.ledger(3).lost], [3, 1, 0])
})

test('an unknown fate is no loss, and a second copy after it is legal', () => {
  const { book, of, tell, arrive } = bookOf([1, 1], [2, 1])
  tell('unknown', [of(1)])
  tell('unknown', [of(2)])
  tell('accepted', [of(2)])
  arrive(of(2))
  assert.equal(arrive(of(2)).copy, 2)
  assert.deepEqual(counts(book), { accepted: 1, unknown: 2, delivered: 2 })
  assert.equal(book.legalDuplicates(), 1)
  assert.equal(book.surplusOf(of(2)), 0)
  arrive(of(2))
  assert.equal(book.surplusOf(of(2)), 1)
  assert.deepEqual(counts(book), { accepted: 1, unknown: 2, delivered: 3, duplicates: 1 })
})

test('another content, and none with a trace header on top, are alterations', () => {
  const { book, of, tell, arrive } = bookOf([1, 2])
  tell('accepted', [of(1), of(1, 1)])
  assert.equal(arrive(of(1), 0, 'other').altered, true)
  assert.equal(arrive(of(1, 1), 0, null).altered, true)
  assert.deepEqual(counts(book), { accepted: 2, delivered: 2, altered: 2 })
})

test('mail for nobody, and mail that every try was refused, are unexpected', () => {
  const { book, of, tell, arrive } = bookOf([1, 1])
  tell('refused', [of(1)])
  arrive(of(1))
  assert.equal(arrive('nobody@sink.example').is, 'unexpected')
  assert.equal(arrive(of(7)).is, 'unexpected', 'an id of this run that was never sent')
  assert.deepEqual(counts(book), { refused: 1, unexpected: 3 })
})

test('mail of an earlier run is told apart and not judged', () => {
  const { book, arrive } = bookOf()
  const former = bookOf([1, 1])
  assert.equal(arrive(former.of(1)).is, 'of another run')
  assert.deepEqual([book.ofOtherRuns, counts(book)], [1, {}])
})

test('messages are counted by what became of any of their recipients', () => {
  const { book, of, tell, arrive } = bookOf([1, 2], [2, 2], [3, 1], [4, 1], [5, 3])
  tell('accepted', [of(1), of(1, 1)])
  for (const index of [0, 1]) arrive(of(1, index))
  tell('accepted', [of(2), of(2, 1)])
  arrive(of(2, 1))
  arrive(of(2, 1), 0, 'other')
  tell('unknown', [of(3)])
  tell('refused', [of(4)])
  tell('accepted', [of(5)])
  tell('unknown', [of(5, 1)])
  arrive(of(5))
  arrive('nobody@sink.example')
  assert.deepEqual(book.messages(), {
    accepted: 3,
    unknown: 1,
    delivered: 2,
    missing: 1,
    altered: 1,
    duplicates: 1,
    unexpected: 1,
  })
})

test('the book says what the ledger says over the same history', () => {
  const { book, of, tell } = bookOf([1, 3], [2, 2])
  const attempts: Attempt[] = []
  const told = (how: Attempt['told'], recipients: string[]) => {
    tell(how, recipients)
    attempts.push({ id: '', recipients, digest: DIGEST, told: how, code: 0, startedAt: 0, endedAt: 0 })
  }
  told('refused', [of(1)])
  told('accepted', [of(1), of(1, 1), of(1, 2)])
  told('unknown', [of(2), of(2, 1)])
  told('accepted', [of(2)])
  const arrivals = [of(1), of(1, 1), of(1, 1), of(2), of(2), of(2), 'x@y.example'].map((recipient, index) => {
    return { kind: 'mail', recipient, digest: index === 1 ? 'other' : DIGEST, at: 0 } as const
  })
  for (const arrival of arrivals) book.arrived(arrival)
  assert.deepEqual(book.ledger(null), reconcile(attempts, arrivals, null))
})
