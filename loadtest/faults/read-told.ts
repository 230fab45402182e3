// What a reader of the events is told, from a cursor on to the ends of the logs as they are now.

import type { MailEvent } from '@posthouse/core/event'
import type { EventCursor } from '@posthouse/queue/event-feed'
import { connectEventFeed } from '@posthouse/queue/log-event-feed'
import { SILENT } from '@posthouse/queue/log'
import { addressIn, NAME } from './queue-link.ts'

/** Rejects when a log cannot be read to its end. */
export async function readTold(
  queueFile: string,
  from: EventCursor,
): Promise<{ readonly events: MailEvent[]; readonly cursor: EventCursor }> {
  const feed = await connectEventFeed({ ...(await addressIn(queueFile)), name: NAME, log: SILENT })
  try {
    const events: MailEvent[] = []
    let cursor = from
    const { signal } = new AbortController()
    await feed.read(from, { follow: false, signal }, (batch) => {
      events.push(...batch.events)
      cursor = batch.cursor
    })
    return { events, cursor }
  } finally {
    await feed.close()
  }
}
