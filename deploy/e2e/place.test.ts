import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node } from './objects.ts'
import { places } from './place.ts'

function node(
  name: string,
  parts: { ready?: boolean; cordoned?: boolean; address?: string; labels?: Record<string, string> } = {},
): Node {
  return {
    metadata: { name, labels: parts.labels ?? {} },
    spec: { unschedulable: parts.cordoned ?? false },
    status: {
      conditions: [
        { type: 'Ready', status: String(parts.ready ?? true).replace(/^./, (first) => first.toUpperCase()) },
      ],
      addresses: [{ type: 'InternalIP', address: parts.address ?? `10.0.0.${name.length}` }],
    },
  }
}

const API = { subsets: [{ addresses: [{ ip: '10.1.0.1' }] }] }

test('the victim is a node without an API server, and the load runs elsewhere', () => {
  const found = places([node('a', { address: '10.1.0.1' }), node('b'), node('c')], API)
  assert.deepEqual(found, { victim: 'c', safe: 'a', nodes: ['a', 'b', 'c'] })
})

test('a node labelled as control plane is never the victim', () => {
  const labels = { 'node-role.kubernetes.io/control-plane': '' }
  assert.equal(places([node('a'), node('z', { labels })], undefined).victim, 'a')
})

test('nodes that are cordoned or not ready do not count', () => {
  const found = places([node('a'), node('b', { ready: false }), node('c', { cordoned: true })], undefined)
  assert.deepEqual(found, { victim: undefined, safe: 'a', nodes: ['a'] })
})

test('a victim that the user names must be there, and not have the API server', () => {
  const nodes = [node('a', { address: '10.1.0.1' }), node('b'), node('c')]
  assert.equal(places(nodes, API, 'b').victim, 'b')
  assert.throws(() => places(nodes, API, 'x'), /no node x .* there are: a, b, c/)
  assert.throws(() => places(nodes, API, 'a'), /a has the API server/)
})

test('two nodes that both have an API server have none to spare', () => {
  const both = { subsets: [{ addresses: [{ ip: '10.1.0.1' }, { ip: '10.1.0.2' }] }] }
  const found = places([node('a', { address: '10.1.0.1' }), node('b', { address: '10.1.0.2' })], both)
  assert.equal(found.victim, undefined)
})
