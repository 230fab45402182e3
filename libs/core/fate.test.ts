import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PublishAnswer } from './answer.ts'
import { Fate } from './fate.ts'

const STORED: PublishAnswer = { is: 'stored', seq: 7, duplicate: false }
const DUPLICATE: PublishAnswer = { is: 'stored', seq: 7, duplicate: true }
const LOST: PublishAnswer = { is: 'unanswered' }
const NO_LEADER: PublishAnswer = { is: 'refused', why: 'no-leader' }
const FULL: PublishAnswer = { is: 'refused', why: 'full' }
const IN_FLIGHT: PublishAnswer = { is: 'refused', why: 'in-flight' }

/** Begins `tries` tries, then gives the answers in this order. */
function after(tries: number, ...answers: readonly [number, PublishAnswer][]): string {
  const fate = new Fate()
  for (let n = 0; n < tries; n++) fate.begin()
  for (const [number, answer] of answers) fate.answer(number, answer)
  const now = fate.now
  return now.is === 'refused' ? `refused ${now.why}` : now.is
}

describe('the fate of a batch', () => {
  const table: readonly [what: string, is: string, tries: number, ...answers: [number, PublishAnswer][]][] = [
    ['no try', 'open', 0],
    ['one try, nothing heard', 'open', 1],
    ['one try stored', 'stored', 1, [0, STORED]],
    ['a duplicate is stored', 'stored', 1, [0, DUPLICATE]],
    ['one try refused', 'refused no-leader', 1, [0, NO_LEADER]],
    ['one try lost', 'open', 1, [0, LOST]],
    ['first lost, second refused', 'open', 2, [0, LOST], [1, NO_LEADER]],
    ['first out, second refused', 'open', 2, [1, FULL]],
    ['first refused, second lost', 'open', 2, [0, NO_LEADER], [1, LOST]],
    ['first refused, second out', 'open', 2, [0, NO_LEADER]],
    ['both refused', 'refused full', 2, [0, NO_LEADER], [1, FULL]],
    ['both refused, in the other order', 'refused no-leader', 2, [1, FULL], [0, NO_LEADER]],
    ['a late refusal of a try given up counts', 'refused no-leader', 2, [0, LOST], [1, FULL], [0, NO_LEADER]],
    ['a late PubAck of a try given up counts', 'stored', 2, [0, LOST], [1, NO_LEADER], [0, STORED]],
    ['a try met another one in flight', 'open', 2, [0, LOST], [1, IN_FLIGHT]],
    ['after in-flight only a PubAck settles it', 'open', 3, [1, IN_FLIGHT], [0, NO_LEADER], [2, NO_LEADER]],
    ['after in-flight a PubAck settles it', 'stored', 3, [0, LOST], [1, IN_FLIGHT], [2, DUPLICATE]],
    ['what is stored stays stored', 'stored', 2, [0, STORED], [1, FULL]],
    ['a doubled refusal counts once', 'open', 2, [0, FULL], [0, FULL]],
  ]
  for (const [what, is, tries, ...answers] of table) {
    it(`is ${is}: ${what}`, () => assert.equal(after(tries, ...answers), is))
  }

  it('depends on what is known, for every order of three answers', () => {
    const kinds = [STORED, LOST, NO_LEADER, IN_FLIGHT] as const
    const orders = [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ] as const
    for (const a of kinds) {
      for (const b of kinds) {
        for (const c of kinds) {
          const answers = [a, b, c]
          const expected: string = answers.includes(STORED)
            ? 'stored'
            : answers.every((answer) => answer === NO_LEADER)
              ? 'refused no-leader'
              : 'open'
          for (const order of orders) {
            const given = order.map((n) => [n, answers[n] as PublishAnswer] as [number, PublishAnswer])
            assert.equal(after(3, ...given), expected, JSON.stringify({ answers, order }))
          }
        }
      }
    }
  })

  it('counts the tries that nobody has spoken about', () => {
    const fate = new Fate()
    fate.begin()
    fate.begin()
    fate.answer(0, LOST)
    assert.equal(fate.tries, 2)
    assert.equal(fate.out, 1)
  })
})
