// What the logs of all partitions say about the tasks that were closed, read from the headers of their entries.
//
// Which words stay, so that "every accepted recipient has exactly one final outcome" can be decided when the queue is empty:
//   .outcome  Closes tasks for good: delivered, discarded, bounced or expired without a report. It carries nothing on and is
//             removed only after days (and never the last word on a batch that might be repeated): every one is there.
//   .later    Closes tasks whose successors it carries: deferred, parked, held, or bounced and expired with the report. It is
//             deleted once those successors are closed, and its own words go with it. So the log of an empty queue no longer
//             says that a message was deferred, nor that it bounced. As long as it is there, what it says is not yet final.
//   .late     A former owner's word on a task that was no longer its own. It closes nothing: the task ran again.
// A report of a bounce is mail of its own with one task, and nothing is ever reported about it, so that its task too ends in
// an .outcome. That closing names the record and the recipients it reports, and a deferred or parked report keeps the name. Hence:
//
//   the final outcome of recipient i of record q is either the .outcome closing of (q, i) itself or the .outcome closing
//   of a task whose report names (q, i), and of both kinds together there is exactly one.
//
// What that report's closing says of `how` is the fate of the report: the recipient bounced or expired in any case.

import type { Closing } from '@posthouse/core/entry'
import { decodeEntry } from '@posthouse/core/entry-codec'
import type { Report } from '@posthouse/core/record'
import { ENTRY } from '@posthouse/queue/jetstream/headers'
import { readLog, type LoggedMessage } from '@posthouse/queue/jetstream/log-consumer'
import { logStream, logSubject } from '@posthouse/queue/jetstream/subjects'
import { QueueLink } from './queue-link.ts'

/** One word about one recipient. */
export interface LogEvent {
  readonly partition: number
  readonly seq: number
  /** Server time of the entry, ms since the epoch. */
  readonly at: number
  readonly kind: 'outcome' | 'later' | 'late'
  readonly how: Closing['how']
  readonly queueId: string
  /** Index of the recipient in the accepted message. */
  readonly recipientIndex: number
  readonly attempt: number
  readonly reply?: string
  readonly host?: string
  /** Id of the content in the body stream. */
  readonly body?: string
  /** Of a report: which recipients of which record it reports. */
  readonly report?: Report
}

const KINDS = ['outcome', 'later', 'late'] as const
const NO_PROGRESS_MS = 5000
/** So often a log that stands still is tried again. */
const TRIES = 6

/**
 * Every entry of every log in its order, up to the end as it was when the log's reading began. Rejects when a log cannot be read
 * to that end, or holds an entry that cannot be read.
 */
export async function readLogEvents(queueFile: string): Promise<LogEvent[]> {
  await using queue = await QueueLink.open(queueFile)
  return await eventsIn(queue)
}

export async function eventsIn(queue: QueueLink): Promise<LogEvent[]> {
  const events: LogEvent[] = []
  for (let partition = 0; partition < queue.partitions; partition++) {
    const kinds = new Map(KINDS.map((kind) => [logSubject(partition, kind), kind]))
    await readPartition(queue, partition, (message) => {
      const kind = kinds.get(message.subject)
      if (kind === undefined) return
      for (const closing of decodeEntry(message.header(ENTRY)).closes) {
        for (const event of eventsOf(closing))
          events.push({ partition, seq: message.seq, at: message.storedAt, kind, ...event })
      }
    })
  }
  return events
}

/** The log has holes where entries were deleted; its last message is never removed. */
async function readPartition(
  queue: QueueLink,
  partition: number,
  see: (message: LoggedMessage) => void,
): Promise<void> {
  const stream = logStream(partition)
  const { last_seq: last, messages } = (await queue.info(stream)).state
  if (messages === 0) return
  let from = 1
  const next = (message: LoggedMessage) => {
    from = message.seq + 1
    if (message.seq <= last) see(message)
    return message.seq >= last
  }
  for (let tries = 0; tries < TRIES;) {
    const begin = from
    if (await readLog(queue.links, { stream, from, next, giveUpMs: NO_PROGRESS_MS })) return
    tries = from === begin ? tries + 1 : 0
  }
  throw new Error(`the log of partition ${partition} cannot be read beyond ${from - 1} of ${last}`)
}

function eventsOf({ how, id, indexes, attempt, facts, body, report }: Closing) {
  const { reply, host } = facts
  const shared = {
    how,
    queueId: id,
    attempt,
    ...(reply === undefined ? {} : { reply }),
    ...(host === undefined ? {} : { host }),
    ...(body === undefined ? {} : { body }),
    ...(report === undefined ? {} : { report }),
  }
  return indexes.map((recipientIndex) => ({ ...shared, recipientIndex }))
}
