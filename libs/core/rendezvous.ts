/**
 * Rendezvous hashing: every node ranks all live nodes for a key in the same order, without asking anybody. When a node
 * comes or goes, only what it owned or will own moves.
 */

/** Position of `node` in the order of preference for `key` (0 = first choice); undefined if it is not among `live`. */
export function rankOf(node: string, key: string, live: Iterable<string>): number | undefined {
  const own = weight(node, key)
  let rank = 0
  let found = false
  for (const other of live) {
    if (other === node) {
      found = true
      continue
    }
    const theirs = weight(other, key)
    if (theirs > own || (theirs === own && other < node)) rank++
  }
  return found ? rank : undefined
}

/** FNV-1a, then a final mix (murmur3's), so that near keys give far weights. */
function weight(node: string, key: string): number {
  let hash = 0x811c9dc5
  const text = `${key}\0${node}`
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0x85ebca6b)
  hash ^= hash >>> 13
  hash = Math.imul(hash, 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
