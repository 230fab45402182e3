// The faults of a run as spans of time: every hit with the heal that closed it. Pure.

import type { Mark } from '../fault.ts'

export interface Span {
  readonly from: number
  /** When it was healed; null: no mark says so. */
  readonly to: number | null
  readonly nodes: readonly string[]
  readonly text: string
}

/** A heal closes the open hits of its nodes; one that names no open node closes all that are open. */
export function spansOf(marks: readonly Mark[]): readonly Span[] {
  const spans: Span[] = []
  for (const { at, kind, nodes, text } of marks) {
    if (kind === 'hit') spans.push({ from: at, to: null, nodes, text })
    if (kind === 'heal') close(spans, nodes, at)
  }
  return spans
}

function close(spans: Span[], nodes: readonly string[], at: number): void {
  const open = spans.filter((span) => span.to === null)
  const named = open.filter((span) => span.nodes.some((node) => nodes.includes(node)))
  for (const span of named.length > 0 ? named : open) spans[spans.indexOf(span)] = { ...span, to: at }
}
