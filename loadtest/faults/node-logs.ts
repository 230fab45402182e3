// Reads from the log of a delivery node what it counted as possible duplicates: a restart forgets the counter, not the log.

import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'

export interface PossibleDuplicate {
  /** ms since 1970 by the clock of the node. */
  readonly at: number
  /** Queue id of the mail, or of the bounce. */
  readonly id: string
  /** The node that counted it. */
  readonly node: string
  readonly partition: number
  /** Index of the recipient in the accepted message. */
  readonly recipient: number
  /** `dead owner`: it ran a task that a former owner may have finished; `lost`: its connection broke after the final dot. */
  readonly because: 'dead owner' | 'lost'
  readonly text: string
}

const MARK = '"possible duplicate: '
const LOST = 'connection lost'

/** In the order in which they were written. A line that was cut off by a kill, or that is no line of the log, is passed over. */
export async function possibleDuplicatesIn(logFile: string): Promise<PossibleDuplicate[]> {
  const found: PossibleDuplicate[] = []
  for await (const line of createInterface({ input: createReadStream(logFile), crlfDelay: Infinity })) {
    if (line.includes(MARK)) found.push(...possibleDuplicates(line))
  }
  return found
}

function possibleDuplicates(line: string): PossibleDuplicate[] {
  const { time, id, node, partition, recipients, msg } = fieldsOf(line)
  if (typeof id !== 'string' || typeof node !== 'string' || typeof partition !== 'number') return []
  if (!Array.isArray(recipients)) return []
  const text = String(msg)
  const because = text.includes(LOST) ? 'lost' : 'dead owner'
  return recipients.map((recipient) => {
    return { at: Date.parse(String(time)), id, node, partition, recipient: Number(recipient), because, text }
  })
}

function fieldsOf(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return {}
  }
}
