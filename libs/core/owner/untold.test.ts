import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Closing, EntryHeader } from '../entry.ts'
import { toldEntry } from '../golden/samples.ts'
import { Holdings } from './holdings.ts'
import { NO_LEASE } from './lease-record.ts'
import { ALL_RULES } from './rules.ts'
import { Untold } from './untold.ts'

const closing = (seq: number): Closing => ({ ...toldEntry.closes[0]!, stream: 'mail', seq })
const later = (how: Closing['how'] = 'deferred'): EntryHeader => ({
  node: 'n',
  lease: 1,
  closes: [{ ...closing(1), how }, closing(2)],
  later: {
    due: 5,
    destination: 'd',
    state: 'deferred',
    records: ['x', 'y'].map((id) => ({ id, origin: 1, batch: 'b', recipients: 1 })),
  },
})
const outcome = (told: EntryHeader['told']): EntryHeader => ({ node: 'n', lease: 1, closes: [], ...(told && { told }) })

test('what a .later entry closed is left to tell, closing by closing, until it is told', () => {
  const untold = new Untold()
  const { closes, later: carried } = later('bounced')
  const [first, second] = untold.add(7, closes, carried!)
  assert.deepEqual([first?.later, first?.due, first?.bounce, second?.bounce], [7, 5, 'x', undefined])
  assert.equal(untold.lowest(), 7)
  untold.told(first!)
  assert.equal(untold.lowest(), 7)
  untold.told(second!)
  assert.equal(untold.lowest(), Infinity)
})

test('a scan leaves what no entry tells, in whatever order it shows them', () => {
  const told = new Untold().add(7, later().closes, later().later!)
  for (const order of [
    [later(), outcome(told.slice(0, 1))],
    [outcome(told.slice(0, 1)), later()],
  ]) {
    const untold = new Untold()
    for (const header of order) untold.scanned(header.later === undefined ? 9 : 7, header)
    assert.deepEqual(untold.scanEnds(), told.slice(1))
  }
})

test('what an older version closed is not told: it says too little', () => {
  const { at: _, ...older } = closing(1)
  const untold = new Untold()
  untold.scanned(7, { ...later(), closes: [older] })
  assert.deepEqual(untold.scanEnds(), [])
  assert.equal(untold.lowest(), Infinity)
})

test('R stays at a .later entry until its word is told, and passes it without the rule', () => {
  for (const [tellsBeforeDelete, expected] of [
    [true, 7],
    [false, 100],
  ] as const) {
    const rules = { ...ALL_RULES, tellsBeforeDelete }
    const lease = { ...NO_LEASE, floor: 50 }
    const holdings = new Holdings(lease, lease.suspects, rules)
    holdings.scanned(7, 1, later(), 10)
    // Its own tasks are closed as well: nothing else holds R down.
    holdings.scanned(8, 1, outcome([]), 0)
    holdings.scanEnds()
    assert.equal(holdings.r(100), expected)
  }
})

test('what lies below the R of the predecessor has been told by him', () => {
  const holdings = new Holdings({ ...NO_LEASE, r: 8 }, NO_LEASE.suspects, ALL_RULES)
  holdings.scanned(7, 1, later(), 10)
  assert.deepEqual(holdings.untold.scanEnds(), [])
})
