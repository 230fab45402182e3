import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Undo } from './undo.ts'

const PLENTY_MS = 60_000
const silent = () => {}

test('the last change is put back first', async () => {
  const undo = new Undo()
  const order: string[] = []
  for (const name of ['a', 'b', 'c']) undo.push(name, async () => order.push(name))
  assert.deepEqual(await undo.all(PLENTY_MS, silent), [])
  assert.deepEqual(order, ['c', 'b', 'a'])
})

test('what has been put back already is not put back again', async () => {
  const undo = new Undo()
  let times = 0
  const back = undo.push('a', async () => times++)
  await back()
  await back()
  await undo.all(PLENTY_MS, silent)
  assert.equal(times, 1)
})

test('one that fails is told, tried again at the end, and keeps no other from being put back', async () => {
  const undo = new Undo()
  const order: string[] = []
  undo.push('a', async () => order.push('a'))
  const back = undo.push('b', () => {
    order.push('b')
    return Promise.reject(new Error('no answer'))
  })
  await assert.rejects(back(), /no answer/)
  assert.deepEqual(await undo.all(PLENTY_MS, silent), ['b: no answer'])
  assert.deepEqual(order, ['b', 'b', 'a'])
})

test('one that never ends is left when there is no time any more', async () => {
  const undo = new Undo()
  undo.push('a', () => new Promise(() => {}))
  assert.deepEqual(await undo.all(1, silent), ['a: no time was left'])
})
