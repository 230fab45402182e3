import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { preferences } from './rendezvous.ts'

const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 9 })

test('every node ranks all nodes alike, whatever order it heard them in, and nobody is first more often than its share', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 64 }), names, (keys, nodes) => {
      const orders = preferences(keys, nodes)
      assert.deepEqual(preferences(keys, nodes.toReversed()), orders)
      for (const order of orders) assert.deepEqual(order.toSorted(), nodes.toSorted())
      for (const node of nodes) {
        assert.ok(orders.filter(([first]) => first === node).length <= Math.ceil(keys / nodes.length))
      }
    }),
  )
})

test('nobody is preferred where nobody lives', () => assert.deepEqual(preferences(2, []), [[], []]))

test('what a node that goes was the first choice of is spread; most of the rest stays', () => {
  const before = preferences(60, ['a', 'b', 'c', 'd', 'e', 'f'])
  const after = preferences(60, ['a', 'b', 'c', 'd', 'e'])
  const stayed = before.filter(([first], key) => first !== 'f' && after[key]?.[0] === first).length
  assert.ok(stayed >= 40, `${stayed} of 50`)
})
