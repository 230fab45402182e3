/**
 * What readers' facts cost for each message: bytes in the log, CPU of writing an entry, of reading it for a takeover, and of
 * making events of it. 32 messages in an entry, as at full load.
 *
 *   node libs/core/entry.bench.ts [entries]
 */
import type { Closing, EntryHeader } from './entry.ts'
import { eventsOf } from './entry-events.ts'
import { decodeEntry, encodeEntry } from './entry-codec.ts'

const [entries = 5000] = process.argv.slice(2).map(Number)
const MESSAGES = 32

function closingOf(number: number, isForReaders: boolean): Closing {
  const id = `SF9QQAHP${number.toString(36).padStart(5, '0').toUpperCase()}`
  const protocol: Closing = {
    stream: 'mail',
    seq: 123_456,
    record: number,
    positions: [0],
    id,
    indexes: [0],
    origin: 123_456,
    batch: 'h3kVq8ZrTg1xYw0B',
    how: 'delivered',
    attempt: 1,
    facts: { reply: `250 2.0.0 Ok: queued as ${id}`, host: 'mx1.example.net[192.0.2.1]:25', tls: 'TLSv1.3', ms: 12 },
  }
  if (!isForReaders) return protocol
  return {
    ...protocol,
    at: 1_790_000_000_123,
    from: 'newsletter@example.org',
    to: [`somebody.${number}@example.net`],
    accepted: {
      node: 'edge-1',
      client: '192.0.2.77',
      role: 'submission',
      user: 'newsletter',
      tls: 'TLSv1.3 with cipher TLS_AES_256_GCM_SHA384',
      helo: 'app.example.org',
      messageId: `<${id}.4711@example.org>`,
      size: 4096,
      recipients: 1,
      acceptedAt: 1_790_000_000_100,
    },
  }
}

function headerOf(isForReaders: boolean): EntryHeader {
  const closes = Array.from({ length: MESSAGES }, (_, number) => closingOf(number, isForReaders))
  return { node: 'h3kVq8ZrTg1x', lease: 4711, ...(isForReaders ? { name: 'delivery-1' } : {}), closes }
}

/** Microseconds of CPU for each message. */
function cost(work: () => unknown): string {
  for (let warm = 0; warm < entries / 5; warm++) work()
  const before = process.cpuUsage()
  for (let n = 0; n < entries; n++) work()
  const { user, system } = process.cpuUsage(before)
  return ((user + system) / entries / MESSAGES).toFixed(2).padStart(6)
}

for (const isForReaders of [false, true]) {
  const header = headerOf(isForReaders)
  const value = encodeEntry(header)
  const logged = { seq: 1, storedAt: 1_790_000_000_200, kind: 'outcome' as const, value }
  console.log(
    `${isForReaders ? 'with facts for readers' : 'without'.padEnd(22)}: ${(value.length / MESSAGES).toFixed(0)} bytes, ` +
      `write ${cost(() => encodeEntry(header))} µs, read ${cost(() => decodeEntry(value))} µs, ` +
      `events ${cost(() => eventsOf(0, logged))} µs a message`,
  )
}
