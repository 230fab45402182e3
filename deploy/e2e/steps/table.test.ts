import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chosen, STEPS } from './table.ts'

const namesOf = (only: readonly string[]) => chosen(STEPS, only).map(({ name }) => name)

test('no two steps share a name, and each says in a sentence what it does', () => {
  const names = STEPS.map(({ name }) => name)
  assert.equal(new Set(names).size, names.length)
  for (const { name, what } of STEPS) assert.ok(what.length > 10, name)
})

test('a bar that is missing says why', () => {
  for (const { name, bars } of STEPS) if (bars?.gapMs === null) assert.ok(bars.why, name)
})

test('steps that others come after stand before them', () => {
  const names = STEPS.map(({ name }) => name)
  for (const { name, after } of STEPS) {
    if (after !== undefined) assert.ok(names.indexOf(after) >= 0 && names.indexOf(after) < names.indexOf(name), name)
  }
})

test('none named: all run', () => assert.equal(chosen(STEPS, []).length, STEPS.length))

test('one named: what always runs, and what it comes after, run too', () => {
  assert.deepEqual(namesOf(['rollback']), [
    'install',
    'load',
    'fill-queue',
    'upgrade',
    'rollback',
    'drain',
    'uninstall',
  ])
  assert.deepEqual(namesOf(['helm-test']), ['install', 'helm-test', 'load', 'drain', 'uninstall'])
})
