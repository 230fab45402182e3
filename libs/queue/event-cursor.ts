/**
 * A cursor of the events as one printable word that a shell, a file name or a column of a database can hold: "v1", and the
 * sequence last read of each partition. It reads as it was written; a later version is refused as such.
 */
import type { EventBatch, EventCursor } from './event-feed.ts'

const VERSION = 'v1'
/** More partitions than any queue has; a cursor comes from outside. */
const MOST_PARTITIONS = 4096

/** "v1.1042.0.17"; the very start is "v1". */
export function encodeCursor(cursor: EventCursor): string {
  // The holes of an array are none of join's zeros.
  return [VERSION, ...Array.from(cursor, (sequence) => sequence ?? 0)].join('.')
}

export type ReadCursor =
  { readonly is: 'cursor'; readonly cursor: EventCursor } | { readonly is: 'wrong'; readonly why: string }

/** One of fewer partitions than there are is fine: the rest begin at their starts, as partitions that were added do. */
export function decodeCursor(text: string): ReadCursor {
  const [version = '', ...sequences] = text.split('.')
  if (version !== VERSION) {
    return /^v\d+$/.test(version)
      ? { is: 'wrong', why: `a cursor of version ${version.slice(1)}, this is version ${VERSION.slice(1)}` }
      : { is: 'wrong', why: `no cursor: one begins with ${VERSION}` }
  }
  if (sequences.length > MOST_PARTITIONS) return { is: 'wrong', why: 'a cursor of too many partitions' }
  const cursor = sequences.map(Number)
  const bad = sequences.findIndex((digits, i) => !/^\d{1,16}$/.test(digits) || !Number.isSafeInteger(cursor[i]))
  if (bad >= 0) return { is: 'wrong', why: `a cursor whose sequence of partition ${bad} is no number` }
  return { is: 'cursor', cursor }
}

/**
 * Of each event of a batch, where to go on for whoever has had it and those before it: never past one that comes after it, so
 * a few may come again. `before` is where the batch began.
 */
export function cursorsWithin(batch: EventBatch, before: EventCursor): EventCursor[] {
  const partitions = Math.max(before.length, batch.cursor.length)
  const at = Array.from({ length: partitions }, (_, partition) => batch.cursor[partition] ?? before[partition] ?? 0)
  const cursors: EventCursor[] = []
  for (const { partition, sequence } of batch.events.toReversed()) {
    cursors.push([...at])
    at[partition] = Math.max(before[partition] ?? 0, Math.min(at[partition] ?? 0, sequence - 1))
  }
  return cursors.reverse()
}
