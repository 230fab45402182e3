import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HeldBodies, HeldPurge } from './held-removals.ts'

const HOLD = 300

describe('a purge that is held back', () => {
  it('comes when what it takes is old enough, and not before', () => {
    const held = new HeldPurge(HOLD)
    held.ask(5, 0)
    held.ask(9, 100)
    assert.deepEqual([held.due(299, 50, false), held.due(300, 50, false), held.due(400, 50, false)], [0, 5, 9])
    assert.equal(held.due(1000, 50, false), 0)
  })
  it('leaves the newest message, however old', () => {
    const held = new HeldPurge(HOLD)
    held.ask(51, 0)
    assert.equal(held.due(1000, 50, false), 50)
  })
  it('takes the oldest third at a time while the stream holds too much', () => {
    const held = new HeldPurge(HOLD)
    for (let n = 1; n <= 9; n++) held.ask(n * 10, n)
    assert.deepEqual(
      [1, 2, 3].map(() => held.due(10, 99, true)),
      [30, 50, 70],
    )
  })
  it('is tried again when it failed', () => {
    const held = new HeldPurge(HOLD)
    held.ask(5, 0)
    held.again(held.due(300, 50, false))
    assert.deepEqual([held.due(301, 50, false), held.due(302, 50, false)], [5, 0])
  })
  it('is one for a floor that was named before', () => {
    const held = new HeldPurge(HOLD)
    held.ask(5, 0)
    held.ask(5, 200)
    held.ask(4, 250)
    assert.equal(held.due(300, 50, false), 5)
    assert.equal(held.due(2000, 50, false), 0)
  })
})

describe('bodies that are held back', () => {
  const marked = (held: HeldBodies, id: string, now: number) => held.marked(id, held.takeWaiting(), now)
  it('go when the mark behind them is old enough, with the mark before it', () => {
    const held = new HeldBodies(HOLD)
    held.ask('a')
    held.ask('b')
    marked(held, 'mark-1', 0)
    held.ask('c')
    marked(held, 'mark-2', 100)
    assert.deepEqual(held.due(299, false), [])
    assert.deepEqual(held.due(300, false), ['a', 'b'])
    assert.deepEqual(held.due(400, false), ['c', 'mark-1'])
    assert.deepEqual(held.due(4000, false), [])
  })
  it('want a mark when some wait, but not one after the other', () => {
    const held = new HeldBodies(HOLD)
    assert.equal(held.wantsMark(0), false)
    held.ask('a')
    assert.equal(held.wantsMark(0), true)
    marked(held, 'mark-1', 0)
    assert.equal(held.wantsMark(10), false)
    held.ask('b')
    assert.deepEqual([held.wantsMark(59), held.wantsMark(60)], [false, true])
  })
  it('go early when the stream holds too much, but never those behind which there is only the newest mark', () => {
    const held = new HeldBodies(HOLD)
    held.ask('a')
    marked(held, 'mark-1', 0)
    assert.deepEqual(held.due(10, true), [])
    held.ask('b')
    marked(held, 'mark-2', 60)
    assert.deepEqual(held.due(61, true), ['a'])
  })
})
