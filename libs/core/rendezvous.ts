/**
 * Rendezvous hashing with bounded loads: every node ranks all live nodes for each of a row of keys in the same way, without
 * asking anybody, and no node is the first choice of more keys than its even share, rounded up.
 */

/**
 * The live nodes in the order of preference for each key 0 to `keys - 1`. The order of `live` does not matter; names are
 * taken once.
 */
export function preferences(keys: number, live: Iterable<string>): string[][] {
  const nodes = [...new Set(live)].sort()
  const share = Math.ceil(keys / nodes.length)
  const taken = new Map<string, number>()
  const orders: string[][] = []
  for (let key = 0; key < keys; key++) {
    const order = nodes
      .map((node) => ({ node, weight: weight(`${key}\0${node}`) }))
      .sort((a, b) => b.weight - a.weight)
      .map(({ node }) => node)
    const first = order.findIndex((node) => (taken.get(node) ?? 0) < share)
    if (first > 0) order.unshift(...order.splice(first, 1))
    const [chosen] = order
    if (chosen !== undefined) taken.set(chosen, (taken.get(chosen) ?? 0) + 1)
    orders.push(order)
  }
  return orders
}

/** FNV-1a, then a final mix (murmur3's), so that near keys give far weights. */
function weight(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0x85ebca6b)
  hash ^= hash >>> 13
  hash = Math.imul(hash, 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
