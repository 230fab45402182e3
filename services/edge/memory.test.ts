import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { Client } from './test/client.ts'

const MiB = 1024 * 1024
/** Ten sessions hold a quarter of a MiB and a chunk each; the rest is what the engine collects when it likes. */
const slack = 20 * MiB

let node: ChildProcess
let port = 0

async function ask<T>(message: string): Promise<T> {
  const answer = once(node, 'message')
  node.send(message)
  return ((await answer) as [T])[0]
}
const memory = async (): Promise<number> => (await ask<{ rss: number }>('memory')).rss

before(async () => {
  node = fork(new URL('test/memory-node.ts', import.meta.url), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  port = ((await once(node, 'message')) as [{ port: number }])[0].port
  // A cold process grows by its compiled code; that is not what is measured.
  await send(20 * MiB, plain)
})
after(async () => {
  const exit = once(node, 'exit')
  node.send('stop')
  await exit
})

const plain = Buffer.from(`${'x'.repeat(76)}\r\n`.repeat(800))
const dots = Buffer.from('..\r\n'.repeat(16_000))

/** Sends a message of about this size as fast as it is taken; returns the reply to it. */
async function send(size: number, block: Buffer): Promise<string> {
  const client = await Client.greeted(port)
  for (const line of ['MAIL FROM:<a@b.example>', 'RCPT TO:<c@d.example>', 'DATA']) await client.command(line)
  client.write('Subject: large\r\n\r\n')
  for (let sent = 0; sent < size; sent += block.length) {
    if (!client.write(block)) await once(client.socket, 'drain')
  }
  client.write('.\r\n')
  const reply = await client.reply()
  client.close()
  return reply
}

/** Growth of the node while `work` runs, looked at all the time. */
async function growth(work: Promise<unknown>): Promise<number> {
  const start = await memory()
  let peak = start
  let running = true
  const done = work.finally(() => (running = false))
  while (running) peak = Math.max(peak, await memory())
  await done
  return peak - start
}

test('a message of 100 MB is refused at the limit of 64 MiB, and the node does not hold it', async () => {
  let reply = ''
  const grown = await growth(send(100 * 1_000_000, plain).then((text) => (reply = text)))
  assert.equal(reply, '552 5.3.4 Message size exceeds the limit')
  assert.ok(grown < slack, `grew by ${Math.round(grown / MiB)} MiB`)
})

test('ten messages of 30 MB at once do not add up', async () => {
  const replies: string[] = []
  const sending = Array.from({ length: 10 }, async () => replies.push(await send(30_000_000, plain)))
  const grown = await growth(Promise.all(sending))
  for (const reply of replies) assert.match(reply, /^250 /)
  assert.ok(grown < slack, `grew by ${Math.round(grown / MiB)} MiB`)
})

test('a message of nothing but stuffed dots is read no faster than it is stored', async () => {
  let reply = ''
  const grown = await growth(send(30 * MiB, dots).then((text) => (reply = text)))
  assert.match(reply, /^250 /)
  assert.ok(grown < slack, `grew by ${Math.round(grown / MiB)} MiB`)
})
