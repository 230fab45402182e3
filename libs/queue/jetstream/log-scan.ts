/**
 * Reads the headers of a partition's log for a takeover, up to one's own lease, in two passes: everything from where
 * open batches may still have been closed, and of what lies below only the entries that carry waiting mail. Each pass ends at
 * a message at or above the place it reads to, never at what a replica takes for the end: it may lag.
 */
import { decodeEntry } from '@posthouse/core/entry-codec'
import type { QueueLog } from '../log.ts'
import type { Scanned, StoredEntry } from '../store.ts'
import { readDirect } from './direct.ts'
import { ENTRY } from './headers.ts'
import type { Links } from './links.ts'
import { readLog, type LoggedMessage } from './log-consumer.ts'
import { logStream, logSubject } from './subjects.ts'

const DIRECT_MS = 500
/** No progress for so long: the caller shall decide. */
const GIVE_UP_MS = 5000
const UNANSWERED: Scanned = { is: 'unanswered' }

export interface Scan {
  readonly partition: number
  readonly through: number
  readonly from: number
  readonly sinceMs: number
}

export async function scanLog(
  links: Links,
  log: QueueLog,
  scan: Scan,
  seen: (entry: StoredEntry) => void,
): Promise<Scanned> {
  const { partition, through } = scan
  const stream = logStream(partition)
  const found = await startOf(links, stream, scan)
  if (found === undefined) return UNANSWERED
  const { start, storedAt } = found

  const late = logSubject(partition, 'late')
  const take = (message: LoggedMessage) => {
    // The word of a former owner closes nothing: it came too late. What edges tell of acceptances has another header.
    if (message.subject === late) return
    const value = message.header(ENTRY)
    if (value === '' || message.seq > through) return
    seen({
      seq: message.seq,
      storedAt: message.storedAt,
      header: decodeEntry(value),
      size: Number(message.header('Nats-Msg-Size')),
    })
  }
  try {
    // Leases are read along for the sake of an end: the last one is never removed.
    const below =
      start <= 1 ||
      (await readLog(links, {
        stream,
        from: 1,
        subjects: [logSubject(partition, 'later'), logSubject(partition, 'lease')],
        giveUpMs: GIVE_UP_MS,
        next: (message) => {
          if (message.seq >= start) return true
          take(message)
          return false
        },
      }))
    if (!below) return UNANSWERED
    const above = await readLog(links, {
      stream,
      from: start,
      giveUpMs: GIVE_UP_MS,
      next: (message) => {
        take(message)
        return message.seq >= through
      },
    })
    return above ? { is: 'done', storedAt } : UNANSWERED
  } catch (error) {
    // What an unreadable entry closes is unknown: going on could repeat or lose mail.
    log.error(
      { partition, error: String(error) },
      'the log has an entry that cannot be read: the partition cannot be taken over',
    )
    return UNANSWERED
  }
}

/**
 * The lower of `from` and the first entry since the time, and the server time of `through`; undefined if no replica that
 * has `through` answers.
 */
async function startOf(
  links: Links,
  stream: string,
  { through, from, sinceMs }: Scan,
): Promise<{ readonly start: number; readonly storedAt: number } | undefined> {
  const deadline = performance.now() + GIVE_UP_MS
  for (;;) {
    const own = await readDirect(links, stream, { seq: through, batch: 1 }, DIRECT_MS)
    const since = await readDirect(links, stream, { startTime: Math.max(0, sinceMs), batch: 1 }, DIRECT_MS)
    if (own.is === 'messages' && since.is === 'messages') {
      const [last] = own.messages
      const [first] = since.messages
      if (last?.seq === through) {
        const { storedAt } = last
        if (first !== undefined) return { start: Math.max(1, Math.min(from, first.seq, through)), storedAt }
        // One's own lease is there and older than the time asked for: then nothing below is younger.
        if (storedAt < sinceMs) return { start: Math.max(1, Math.min(from, through)), storedAt }
      }
    }
    if (performance.now() > deadline) return undefined
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
