import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ReadyList } from './ready-list.ts'

test('it behaves as an array does', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('push' as const), value: fc.nat() }),
    fc.record({ do: fc.constant('unshift' as const), value: fc.nat() }),
    fc.record({ do: fc.constant('shift' as const), value: fc.nat() }),
    fc.record({ do: fc.constant('take' as const), value: fc.integer({ min: 2, max: 7 }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const list = new ReadyList<number>()
      let model: number[] = []
      for (const { do: what, value } of steps) {
        if (what === 'push') {
          list.push(value)
          model.push(value)
        } else if (what === 'unshift') {
          list.unshift(value)
          model.unshift(value)
        } else if (what === 'shift') assert.equal(list.shift(), model.shift())
        else {
          const taken = list.take((item) => item % value === 0)
          assert.deepEqual(
            taken,
            model.filter((item) => item % value === 0),
          )
          model = model.filter((item) => item % value !== 0)
        }
        assert.equal(list.size, model.length)
        assert.equal(list.peek(), model[0])
      }
      assert.deepEqual(list.drain(), model)
      assert.equal(list.size, 0)
    }),
  )
})

test('a list that is filled and emptied for a long time keeps no more than what is in it', () => {
  const list = new ReadyList<number>()
  for (let i = 0; i < 3000; i += 1) list.push(i)
  for (let i = 0; i < 100_000; i += 1) {
    list.push(i + 3000)
    assert.equal(list.shift(), i)
  }
  assert.equal(list.size, 3000)
})
