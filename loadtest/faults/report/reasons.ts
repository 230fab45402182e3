// Why mail went out twice or might have, told once for all recipients that share the reason. Pure.

import type { Explanation } from '../result.ts'

export interface Reason {
  readonly count: number
  readonly is: Explanation['is']
  readonly why: string | null
}

/** Duplicates first, the most frequent reason of each first. */
export function reasonsOf(explanations: readonly Explanation[]): readonly Reason[] {
  const counts = new Map<string, { count: number; is: Explanation['is']; why: string | null }>()
  for (const { is, why } of explanations) {
    const key = JSON.stringify([is, why])
    const known = counts.get(key)
    if (known === undefined) counts.set(key, { count: 1, is, why })
    else known.count++
  }
  return [...counts.values()].sort(
    (a, b) => Number(a.is !== 'duplicate') - Number(b.is !== 'duplicate') || b.count - a.count,
  )
}

export function reasonText({ count, is, why }: Reason): string {
  return `${count} × ${is}: ${why ?? 'nothing explains it'}`
}
