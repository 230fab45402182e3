import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import type { PublishAnswer } from '@posthouse/core/answer'
import { ChunkedBodyWriter } from './body-writer.ts'
import { BodyRefused } from './port.ts'
import type { Store } from './store.ts'

type Put = { readonly partition: number; readonly body: string; readonly chunk: number; readonly bytes: Buffer }

/** Keeps chunks; answers as it is told to, try by try, and then that all is stored. */
class Chunks {
  readonly tries: Put[] = []
  readonly stored = new Map<number, Buffer>()
  readonly abandoned: string[] = []
  inFlight = 0
  mostInFlight = 0
  readonly #answers: (PublishAnswer | 'lost')[]
  gate: Promise<void> | undefined

  constructor(...answers: (PublishAnswer | 'lost')[]) {
    this.#answers = answers
  }
  async putChunk(partition: number, body: string, chunk: number, bytes: Buffer): Promise<PublishAnswer> {
    this.tries.push({ partition, body, chunk, bytes })
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight)
    await (this.gate ?? Promise.resolve())
    this.inFlight--
    const answer = this.#answers.shift()
    if (answer === undefined || answer === 'lost') this.stored.set(chunk, Buffer.from(bytes))
    if (answer === 'lost') return { is: 'unanswered' }
    return answer ?? { is: 'stored', seq: this.stored.size, duplicate: false }
  }
  abandonBody(_partition: number, body: string): void {
    this.abandoned.push(body)
  }
  get whole(): Buffer {
    return Buffer.concat([...this.stored].sort(([a], [b]) => a - b).map(([, bytes]) => bytes))
  }
}
const writerOn = (chunks: Chunks, giveUpMs = 10_000, partition: number | undefined = 3) =>
  new ChunkedBodyWriter(chunks as unknown as Store, partition, { chunkBytes: 10, giveUpMs })

const NO_LEADER: PublishAnswer = { is: 'refused', why: 'no-leader' }

describe('writing a body', () => {
  it('cuts any writes into chunks and gives their digest', async () => {
    const chunks = new Chunks()
    const writer = writerOn(chunks)
    const content = Buffer.from('the quick brown fox jumps over the lazy dog')
    await writer.write(content.subarray(0, 3))
    await writer.write(content.subarray(3, 3))
    await writer.write(content.subarray(3, 25))
    await writer.write(content.subarray(25))
    const reference = await writer.finish()
    assert.deepEqual(reference, {
      id: writer.id,
      chunks: 5,
      size: 43,
      sha256: createHash('sha256').update(content).digest('hex'),
    })
    assert.deepEqual(chunks.whole, content)
    assert.equal(writer.give(), 3)
  })

  it('ends on a chunk border without an empty chunk', async () => {
    const chunks = new Chunks()
    const writer = writerOn(chunks)
    await writer.write(Buffer.alloc(20, 'x'))
    assert.equal((await writer.finish()).chunks, 2)
  })

  it('has at most four chunks in flight and holds the writer back', async () => {
    const chunks = new Chunks()
    const gate = Promise.withResolvers<void>()
    chunks.gate = gate.promise
    const writer = writerOn(chunks)
    let written = false
    const writing = writer.write(Buffer.alloc(200, 'x')).then(() => (written = true))
    await new Promise(setImmediate)
    assert.equal(chunks.tries.length, 4)
    assert.equal(written, false)
    gate.resolve()
    await writing
    await writer.finish()
    assert.equal(chunks.mostInFlight, 4)
    assert.equal(chunks.whole.length, 200)
  })

  it('does not change a chunk that is on its way when the writer reuses its buffer', async () => {
    const chunks = new Chunks()
    const gate = Promise.withResolvers<void>()
    chunks.gate = gate.promise
    const writer = writerOn(chunks)
    const buffer = Buffer.from('0123456789')
    await writer.write(buffer)
    buffer.fill('x')
    gate.resolve()
    await writer.finish()
    assert.equal(chunks.whole.toString(), '0123456789')
  })

  it('stores a chunk again when its answer was lost or refused for want of a leader', async () => {
    const chunks = new Chunks('lost', NO_LEADER)
    const writer = writerOn(chunks)
    await writer.write(Buffer.from('abc'))
    await writer.finish()
    assert.deepEqual(
      chunks.tries.map(({ chunk, body, bytes }) => `${chunk} ${body === writer.id} ${bytes.toString()}`),
      ['0 true abc', '0 true abc', '0 true abc'],
    )
  })

  it('tells of a partition that refuses a chunk, so that other bodies go elsewhere', async () => {
    const chunks = new Chunks({ is: 'refused', why: 'no-leader' }, 'lost')
    const troubled: number[] = []
    const options = { chunkBytes: 4, onTrouble: (partition: number) => void troubled.push(partition) }
    const writer = new ChunkedBodyWriter(chunks as unknown as Store, 3, options)
    await writer.write(Buffer.from('abc'))
    await writer.finish()
    assert.deepEqual(troubled, [3, 3])
  })

  it('refuses the body when the stream is full', async () => {
    const writer = writerOn(new Chunks({ is: 'refused', why: 'full' }))
    await writer.write(Buffer.from('abc'))
    await assert.rejects(writer.finish(), (error) => error instanceof BodyRefused && error.why === 'full')
  })

  it('refuses the body when a chunk cannot be stored in time', async () => {
    const writer = writerOn(new Chunks(NO_LEADER, NO_LEADER), 0)
    await writer.write(Buffer.from('abc'))
    await assert.rejects(writer.finish(), (error) => error instanceof BodyRefused && error.why === 'unavailable')
  })

  it('refuses a body that took too long, as the sweep may be near', async () => {
    const chunks = new Chunks()
    const writer = new ChunkedBodyWriter(chunks as unknown as Store, 3, { chunkBytes: 10, longestMs: -1 })
    await writer.write(Buffer.alloc(25, 'x'))
    await assert.rejects(writer.finish(), (error) => error instanceof BodyRefused && error.why === 'unavailable')
    await writer.abandon()
    assert.deepEqual(chunks.abandoned, [writer.id])
  })

  it('refuses the body at once when every partition is full', async () => {
    const writer = new ChunkedBodyWriter(new Chunks() as unknown as Store, undefined)
    await assert.rejects(
      writer.write(Buffer.from('abc')),
      (error) => error instanceof BodyRefused && error.why === 'full',
    )
    await writer.abandon()
  })
})

describe('abandoning a body', () => {
  it('gives what was written up for the owner to purge, after what is in flight', async () => {
    const chunks = new Chunks()
    const gate = Promise.withResolvers<void>()
    chunks.gate = gate.promise
    const writer = writerOn(chunks)
    await writer.write(Buffer.alloc(25, 'x'))
    const done = writer.abandon()
    await new Promise(setImmediate)
    assert.deepEqual(chunks.abandoned, [])
    gate.resolve()
    await done
    assert.deepEqual(chunks.abandoned, [writer.id])
    await writer.abandon()
    assert.equal(chunks.abandoned.length, 1)
  })

  it('touches nothing when nothing was written', async () => {
    const chunks = new Chunks()
    await writerOn(chunks).abandon()
    assert.deepEqual(chunks.abandoned, [])
  })

  it('is refused once a record refers to the body, unless that record surely was not stored', async () => {
    const chunks = new Chunks()
    const writer = writerOn(chunks)
    await writer.write(Buffer.from('abc'))
    await writer.finish()
    writer.give()
    await assert.rejects(writer.abandon())
    assert.deepEqual(chunks.abandoned, [])
    writer.takeBack()
    await writer.abandon()
    assert.deepEqual(chunks.abandoned, [writer.id])
  })
})
