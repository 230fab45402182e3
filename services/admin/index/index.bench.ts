/**
 * What an event costs the index, and how large a message is in it: acceptance, and a delivery to one recipient each.
 *
 *   node services/admin/index/index.bench.ts [messages] [messages per batch]
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { accepted, event } from '../test/events.ts'
import { EventIndex } from './event-index.ts'

const [messages = 200_000, perBatch = 64] = process.argv.slice(2).map(Number)
await using folder = await temporaryFolder('bench')
const file = join(folder.path, 'events.sqlite')
const index = new EventIndex({ file, keep: 1e12, room: 1e12, wall: Date.now, onRebuilt: () => undefined })
const id = (n: number): string => `BENCHMRK${String(n).padStart(5, '0')}`

let [cpu, wall, longest, sequence] = [0, 0, 0, 0]
for (let from = 0; from < messages; from += perBatch) {
  const numbers = Array.from({ length: Math.min(perBatch, messages - from) }, (_, n) => from + n)
  for (const make of [accepted, event]) {
    sequence += 1
    const events = numbers.map((n) =>
      make(sequence, id(n), {
        sender: `sender${n % 100}@example.org`,
        recipients: [{ index: 0, address: `user${(n * 7919) % 1_000_003}@example${n % 1000}.com` }],
      }),
    )
    const before = process.cpuUsage()
    const at = performance.now()
    for (const _part of index.write({ events, cursor: [sequence] }));
    const took = performance.now() - at
    const { user, system } = process.cpuUsage(before)
    cpu += user + system
    wall += took
    longest = Math.max(longest, took)
  }
}
const begun = performance.now()
const asked = 1000
for (let n = 0; n < asked; n++) index.find({ query: id((n * 7919) % messages), limit: 10 })
const findMs = (performance.now() - begun) / asked
const bytes = index.bytes
index.close()
process.stdout.write(
  `${JSON.stringify({
    messages,
    perBatch,
    cpuMicrosecondsPerEvent: Math.round(cpu / (2 * messages)),
    microsecondsPerEvent: Math.round((wall * 1000) / (2 * messages)),
    longestBatchMs: Math.round(longest),
    bytesPerMessage: Math.round(bytes / messages),
    fileBytes: statSync(file).size,
    findMicroseconds: Math.round(findMs * 1000),
  })}\n`,
)
