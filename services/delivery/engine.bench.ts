/**
 * What one message costs the delivery engine, without the queue: CPU of the process and rate, to a sink in a process of
 * its own.
 *
 *   node services/delivery/engine.bench.ts [messages] [bytes] [connections]
 */
import { fork } from 'node:child_process'
import { openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { scanContent } from '@posthouse/core/scan'
import type { Delivery } from '@posthouse/queue/port'
import { testNode } from './test/fake-delivery.ts'

const [messages = 20_000, bytes = 4096, connections = 10] = process.argv.slice(2).map(Number)
const nowhere = openSync('/dev/null', 'w')

const sink = fork(join(import.meta.dirname, 'test/bench-sink.ts'))
const port = await new Promise<number>((resolve) => sink.once('message', (message) => resolve(Number(message))))
const node = await testNode(
  { 'route.smarthosts': [`127.0.0.1:${port}`], 'limits.connectionsPerDestination': connections },
  { sink: { write: (line) => void writeSync(nowhere, line) } },
)

const line = `${'x'.repeat(70)}\r\n`
const content = Buffer.from(`Subject: bench\r\n\r\n${line.repeat(Math.ceil(bytes / 72))}`).subarray(0, bytes - 2)
const mail = Buffer.concat([content, Buffer.from('\r\n')])
const facts = scanContent(mail)

await round(messages)
const cpu = process.cpuUsage()
const at = performance.now()
await round(messages)
const { user, system } = process.cpuUsage(cpu)
const seconds = (performance.now() - at) / 1000
process.stdout.write(
  `${JSON.stringify({
    messages,
    bytes,
    connections,
    perSecond: Math.round(messages / seconds),
    cpuMicroseconds: Math.round((user + system) / messages),
    userMicroseconds: Math.round(user / messages),
  })}\n`,
)
await node[Symbol.asyncDispose]()
sink.kill()

/** Keeps so many in the engine as an owner would. */
function round(count: number): Promise<void> {
  return new Promise((resolve) => {
    let given = 0
    let closed = 0
    const give = (): void => {
      const number = given++
      const delivery: Delivery = {
        partition: number % 6,
        envelope: {
          id: `BENCH${number}`,
          from: 'sender@example.org',
          recipients: [{ address: `user${number}@example.com`, index: 0 }],
          acceptedAt: 0,
          storedAt: 0,
          origin: number,
          attempts: { count: 0 },
          facts,
        },
        recipients: [0],
        suspect: false,
        content: mail,
        age: () => 5,
        body: () => {
          throw new Error('inline')
        },
        mayFinish: () => true,
        begin: () => true,
        lostAfterDot: () => {},
        close: (_positions, outcome) => {
          if (outcome.how !== 'delivered') throw new Error(JSON.stringify(outcome))
          closed += 1
          if (closed === count) resolve()
          else if (given < count) give()
        },
      }
      node.engine.give(delivery)
    }
    for (let i = 0; i < Math.min(count, 64); i += 1) give()
  })
}
