/** The accept queue on the store in memory that loses requests and answers and refuses: what it says is what is there. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeBatch } from '@posthouse/core/batch-codec'
import { mailRecord } from '@posthouse/testkit/mail-record'
import { acceptQueueOn } from './accept-queue.ts'
import { MemoryServer, type Fault } from './memory/memory-server.ts'
import type { BodyWriter, Fate } from './port.ts'

function stored(server: MemoryServer): string[] {
  return server.partitions.flatMap(({ mail }) =>
    [...mail.messages()].flatMap(({ payload }) => decodeBatch(payload).map(({ envelope }) => envelope.id)),
  )
}

it('says the truth about every record while answers are lost', { timeout: 60_000 }, async () => {
  const server = new MemoryServer({ partitions: 4 })
  // Of every ten calls six go well; the order mixes them over the partitions.
  const faults: Fault[] = ['none', 'lost-answer', 'none', { refuse: 'no-leader' }, 'none', 'lost-request', 'none']
  let calls = 0
  server.fault = () => faults[(calls++ * 3) % faults.length] as Fault
  const queue = acceptQueueOn(server.connect('edge'), { committer: { maxRecords: 5 } })
  const fates = new Map<string, string>()
  const give = (id: string) =>
    new Promise<void>((resolve) => {
      queue.accept(mailRecord(id), (fate) => {
        fates.set(id, fate.is)
        resolve()
      })
    })
  for (let round = 0; round < 20; round++) {
    await Promise.all(Array.from({ length: 10 }, (_, n) => give(`m${round}-${n}`)))
  }
  await queue.close()
  const there = stored(server)
  assert.equal(new Set(there).size, there.length, 'nothing is stored twice')
  assert.equal(fates.size, 200)
  for (const [id, fate] of fates) assert.equal(there.includes(id), fate === 'stored', `${id} ${fate}`)
  assert(there.length > 100)
})

it('keeps a large body where its record is, also when answers are lost', { timeout: 60_000 }, async () => {
  const server = new MemoryServer({ partitions: 4 })
  let calls = 0
  server.fault = () => (calls++ % 3 === 1 ? 'lost-answer' : 'none')
  const store = server.connect('edge')
  const queue = acceptQueueOn(store)
  const content = Buffer.alloc(1_300_000, 'a line of a large message\r\n')
  const writer: BodyWriter = queue.openBody()
  for (let at = 0; at < content.length; at += 60_000) await writer.write(content.subarray(at, at + 60_000))
  const body = await writer.finish()
  const fate = await new Promise<Fate>((resolve) => queue.accept(mailRecord('large', { body }), resolve, writer))
  assert.deepEqual(fate, { is: 'stored' })
  const partition = server.partitions.findIndex(({ mail }) => [...mail.messages()].length > 0)
  const chunks: Uint8Array[] = []
  server.fault = () => 'none'
  for await (const chunk of store.readBody(partition, body)) chunks.push(chunk)
  assert.deepEqual(Buffer.concat(chunks), content)
  await queue.close()
})

it('tells how it sees the partitions, each once', { timeout: 60_000 }, async () => {
  const server = new MemoryServer({ partitions: 4, mailBytes: 100_000 })
  server.leaderless.add(1)
  server.partition(2).mail.append({ id: 'filler', subject: '1', payload: Buffer.alloc(95_000) }, 0)
  const held = Promise.withResolvers<Fault>()
  const queue = acceptQueueOn(server.connect('edge'))
  const seen = () => queue.partitions()
  assert.deepEqual({ ...seen(), used: 0 }, { usable: 2, leaderless: 1, full: 1, silent: 0, used: 0 })
  assert(seen().used > 0.9 && seen().used <= 1)
  server.fault = () => held.promise
  const fate = new Promise<Fate>((resolve) => queue.accept(mailRecord('slow'), resolve))
  while (seen().silent === 0) await sleep(10)
  assert.equal(seen().usable + seen().silent, 2)
  assert.equal(queue.waiting.records, 1)
  server.fault = () => 'none'
  held.resolve('none')
  assert.deepEqual(await fate, { is: 'stored' })
  await queue.close()
})
