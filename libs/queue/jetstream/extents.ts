/** First and last sequence of a partition's mail and log, as their leaders know them. */
import type { Store } from '../store.ts'
import { streamInfo } from './api.ts'
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
    mail: { first: mail.value.state.first_seq, last: mail.value.state.last_seq },
    log: { first: log.value.state.first_seq, last: log.value.state.last_seq },
  }
}
