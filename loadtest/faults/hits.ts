// When which node, link or site was broken, read from the marks of a run. Pure.

import type { Mark } from './fault.ts'

export interface Hit {
  /** A node, a domain, or a party such as `dns`. */
  readonly node: string
  readonly text: string
  readonly from: number
  /** Infinity as long as it was not healed. */
  readonly to: number
}

/** One for each node of each hit; the next heal that names the node ends it. */
export function hitsOf(marks: readonly Mark[]): Hit[] {
  return marks.flatMap((mark, index) => {
    if (mark.kind !== 'hit') return []
    return mark.nodes.map((node) => {
      const heal = marks.slice(index + 1).find(({ kind, nodes }) => kind === 'heal' && nodes.includes(node))
      return { node, text: mark.text, from: mark.at, to: heal?.at ?? Infinity }
    })
  })
}

/** Until when it can still be felt: what TCP holds back it sends again after at most as long as it has tried in vain. */
export function feltUntil({ from, to }: Hit): number {
  return to + (to - from) + SETTLING_MS
}

const SETTLING_MS = 5000
