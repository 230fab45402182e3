/** A queue that does what the test tells it: stores, refuses, or leaves its answers to the test. */
import type { BodyReference, MailRecord } from '@posthouse/core/record'
import { BodyRefused } from '@posthouse/queue/port'
import type { AcceptPort, BodyWriter, Fate, Readiness } from '@posthouse/queue/port'

export class FakeQueue implements AcceptPort {
  readonly records: MailRecord[] = []
  /** Content of each body stored, by id. */
  readonly bodies = new Map<string, Buffer>()
  abandoned = 0
  opened = 0
  fate: Fate = { is: 'stored' }
  readiness: Readiness
  /** Set: the fates wait here until the test calls them. */
  held: ((fate: Fate) => void)[] | undefined
  /** What the body stream does with a chunk. */
  onChunk: (bytes: Uint8Array) => Promise<void> = () => Promise.resolve()
  refuseBodies: 'full' | 'unavailable' | undefined
  keepBodies = true
  closed = false

  accept(record: MailRecord, done: (fate: Fate) => void): void {
    if (this.closed) throw new Error('closed')
    this.records.push(record)
    if (this.held !== undefined) this.held.push(done)
    else setImmediate(() => done(this.fate))
  }

  openBody(): BodyWriter {
    this.opened += 1
    const id = `body-${this.opened}`
    const chunks: Buffer[] = []
    let size = 0
    return {
      write: async (bytes) => {
        if (this.refuseBodies !== undefined) throw new BodyRefused(this.refuseBodies, 'refused by the test')
        await this.onChunk(bytes)
        size += bytes.length
        if (this.keepBodies) chunks.push(Buffer.from(bytes))
      },
      finish: (): Promise<BodyReference> => {
        this.bodies.set(id, Buffer.concat(chunks))
        return Promise.resolve({ id, chunks: chunks.length, size, sha256: '' })
      },
      abandon: () => {
        this.abandoned += 1
        return Promise.resolve()
      },
    }
  }

  notReady(): Readiness {
    return this.readiness
  }
  close(): Promise<void> {
    this.closed = true
    return Promise.resolve()
  }

  /** The content of the n-th record, wherever it lies. */
  content(index: number): Buffer {
    const record = this.records[index]
    if (record === undefined) throw new Error(`there is no record ${index}`)
    const { body } = record.envelope
    return body === undefined ? Buffer.from(record.content) : (this.bodies.get(body.id) ?? Buffer.alloc(0))
  }
}
