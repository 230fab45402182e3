import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Census, compare, logBytesPerRecipient, USUAL_LIMITS } from './census.ts'

const MIB = 1024 ** 2
const stream = (messages: number, bytes: number) => ({ messages, bytes, first: 1, last: messages })
const node = { rss: 100 * MIB, descriptors: 50, threads: 11 }
const server = { storage: MIB, memory: 0, rss: 40 * MIB, connections: 9 }

const before: Census = {
  streams: { MAIL_0: stream(0, 0), LOG_0: stream(100, MIB), BODY_0: stream(0, 0) },
  bodies: 0,
  knownBodies: 0,
  servers: { 'nats-1': server },
  processes: { 'edge-1': node },
}
const limits = { ...USUAL_LIMITS, recipients: 1000, bodies: 2 }

const rows: { name: string; after: Partial<Census>; grown?: string[] }[] = [
  { name: 'nothing grew', after: {} },
  {
    name: 'mail is left',
    after: { streams: { ...before.streams, MAIL_0: stream(3, 900) } },
    grown: ['MAIL_0 holds 3 batches (900 bytes)'],
  },
  { name: 'as many bodies without a message are left as edges were killed', after: { bodies: 2 } },
  {
    name: 'more bodies without a message are left',
    after: { bodies: 3 },
    grown: ['3 bodies without a message are left, at most 2 may be'],
  },
  {
    name: 'a body is left of a message that has ended',
    after: { bodies: 1, knownBodies: 1 },
    grown: ['1 bodies are left of messages that have ended'],
  },
  {
    name: 'the log grew by the facts of each recipient and some leases',
    after: { streams: { ...before.streams, LOG_0: stream(900, 2 * MIB) } },
  },
  {
    name: 'the log grew by more than facts',
    after: { streams: { ...before.streams, LOG_0: stream(900, 4 * MIB) } },
    grown: ['the logs grew by 2884 bytes per recipient, at most 1024 may be'],
  },
  {
    name: 'a server keeps what the streams no longer hold',
    after: { servers: { 'nats-1': { ...server, storage: 18 * MIB } } },
    grown: [`nats-1 stores ${18 * MIB} bytes, all streams together hold ${MIB}`],
  },
  {
    name: 'memory and descriptors grew within their limits',
    after: { processes: { 'edge-1': { ...node, rss: 194 * MIB, descriptors: 70 } } },
  },
  {
    name: 'memory and descriptors grew beyond their limits',
    after: { processes: { 'edge-1': { ...node, rss: 195 * MIB, descriptors: 71 } } },
    grown: ['edge-1 grew from 100 MiB to 195 MiB of memory', 'edge-1 has 71 open descriptors, it had 50'],
  },
  { name: 'a process is gone', after: { processes: {} }, grown: ['edge-1 does not run any more'] },
  { name: 'a process is new', after: { processes: { ...before.processes, 'edge-2': node } } },
]

for (const { name, after, grown = [] } of rows) {
  test(`two censuses tell what leaks: ${name}`, () => {
    assert.deepEqual(compare(before, { ...before, ...after }, limits), grown)
  })
}

test('leases alone are no growth of the log', () => {
  const after = { ...before, streams: { ...before.streams, LOG_0: stream(300, MIB + 100_000) } }
  assert.equal(logBytesPerRecipient(before, after, 1), 0)
})
