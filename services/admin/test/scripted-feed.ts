/** The same events in every process: of each message its acceptance, twice, a deferral and a delivery, over three partitions. */
import type { MailEvent } from '@posthouse/core/event'
import { accepted, event, queueId } from './events.ts'
import { FakeFeed } from './fake-feed.ts'

export function scriptedEvents(messages: number): MailEvent[] {
  const events: MailEvent[] = []
  for (let n = 0; n < messages; n++) {
    const at = n * 4 + 1
    const place = { partition: n % 3 }
    const first = accepted(at, queueId(n), place)
    events.push(first, event(at + 1, queueId(n), { ...place, type: 'deferred' }))
    events.push({ ...first, sequence: at + 2 }, event(at + 3, queueId(n), place))
  }
  return events
}

export function scriptedFeed(messages: number): FakeFeed {
  const feed = new FakeFeed(3, 16)
  feed.append(...scriptedEvents(messages))
  return feed
}
