/** First and last sequence of a partition's mail and log, as their leaders know them. */
import type { Store } from '../store.ts'
import { streamInfo, type StreamInfo } from './api.ts'
import type { Links } from './links.ts'
import { logStream, mailStream } from './subjects.ts'

const MS = 1000

export async function readExtents(links: Links, partition: number): ReturnType<Store['extents']> {
  const [mail, log] = await Promise.all([
    streamInfo(links, mailStream(partition), MS),
    streamInfo(links, logStream(partition), MS),
  ])
  if (mail.is !== 'ok' || log.is !== 'ok') return { is: 'unanswered' }
  return {
    is: 'extents',
    mail: extent(mail.value),
    log: extent(log.value),
  }
}

/** A stream that never held anything says 0 for both. */
function extent({ state }: StreamInfo): { first: number; last: number } {
  return { first: state.messages === 0 ? state.last_seq + 1 : state.first_seq, last: state.last_seq }
}
