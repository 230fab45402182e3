/** The reference implementation of the store: one client of a MemoryServer. */
import { createHash } from 'node:crypto'
import type { PublishAnswer } from '@posthouse/core/answer'
import type { EntryHeader } from '@posthouse/core/entry'
import { decodeEntry, encodeEntry } from '@posthouse/core/entry-codec'
import type { Lease, LeaseRead } from '@posthouse/core/lease'
import { decodeLease, encodeLease } from '@posthouse/core/lease-codec'
import type { ListedBody } from '@posthouse/core/owner/effect'
import type { BodyReference } from '@posthouse/core/record'
import { BodyMissing } from '../port.ts'
import type {
  BodyList,
  Done,
  Heartbeat,
  LogHeader,
  LogReader,
  MailRead,
  OwnerFigures,
  PartitionState,
  Scanned,
  PartitionUse,
  Store,
  StoredBatch,
  StoredEntry,
  Trimmed,
} from '../store.ts'
import type { MemoryServer, Operation } from './memory-server.ts'
import type { Append, MemoryMessage, MemoryStream } from './memory-stream.ts'

const UNANSWERED = { is: 'unanswered' } as const
const EMPTY = new Uint8Array(0)
const LEASES_KEPT = 256
/** What edges say of acceptances closes nothing, nor does the word of a former owner. */
const CLOSING = new Set(['outcome', 'later'])

export class MemoryStore implements Store {
  readonly partitions: number
  readonly #server: MemoryServer
  readonly #client: string
  readonly #ends = new Set<() => void>()
  #closed = false

  constructor(server: MemoryServer, client: string) {
    this.#server = server
    this.#client = client
    this.partitions = server.partitions.length
  }

  appendMail(partition: number, id: string, count: number, payload: Uint8Array): Promise<PublishAnswer> {
    const { mail } = this.#server.partition(partition)
    return this.#publish(partition, 'append', mail, { id, subject: String(count), payload })
  }

  putChunk(partition: number, body: string, chunk: number, bytes: Uint8Array): Promise<PublishAnswer> {
    const { body: stream } = this.#server.partition(partition)
    const id = `${body}.${chunk}`
    return this.#publish(partition, 'chunk', stream, { id, subject: id, payload: bytes })
  }

  nudge(partition: number, seq: number): void {
    if (!this.#isCut()) this.#server.nudges.publish({ partition, seq })
  }

  onNudge(partition: number, listener: (seq: number) => void): () => void {
    return this.#listen(
      this.#server.nudges.subscribe((nudge) => {
        if (nudge.partition === partition && !this.#isCut()) listener(nudge.seq)
      }),
    )
  }

  abandonBody(partition: number, body: string): void {
    if (!this.#isCut()) this.#server.abandoned.publish({ partition, body })
  }

  onAbandoned(partition: number, listener: (body: string) => void): () => void {
    return this.#listen(
      this.#server.abandoned.subscribe((abandoned) => {
        if (abandoned.partition === partition && !this.#isCut()) listener(abandoned.body)
      }),
    )
  }

  async readLease(partition: number): Promise<LeaseRead> {
    const last = await this.#ask(partition, 'read', () => ({
      is: 'done' as const,
      message: this.#server.partition(partition).log.lastOf('lease'),
    }))
    if (last.is === 'unanswered') return last
    const { message } = last
    return message === undefined
      ? { is: 'none' }
      : { is: 'lease', seq: message.seq, lease: decodeLease(message.payload) }
  }

  writeLease(partition: number, lease: Lease, expected: number): Promise<PublishAnswer> {
    // Everybody who listens hears the try, as it is an ordinary publish.
    if (!this.#isCut()) this.#server.leases.publish({ partition, lease })
    return this.#publish(partition, 'lease', this.#server.partition(partition).log, {
      id: lease.id,
      subject: 'lease',
      payload: encodeLease(lease),
      expected: { subject: 'lease', seq: expected },
    })
  }

  async writeEntry(
    partition: number,
    id: string,
    kind: 'outcome' | 'later',
    header: EntryHeader,
    payload: Uint8Array,
  ): Promise<PublishAnswer> {
    return this.#publish(partition, 'entry', this.#server.partition(partition).log, {
      id,
      subject: kind,
      header: encodeEntry(header),
      payload,
      expected: { subject: 'lease', seq: header.lease },
    })
  }

  async writeLate(partition: number, id: string, header: EntryHeader): Promise<PublishAnswer> {
    const { log } = this.#server.partition(partition)
    return this.#publish(partition, 'late', log, { id, subject: 'late', header: encodeEntry(header), payload: EMPTY })
  }

  scanLog(
    partition: number,
    through: number,
    from: number,
    sinceMs: number,
    seen: (entry: StoredEntry) => void,
  ): Promise<Scanned> {
    return this.#ask<Scanned>(partition, 'scan', () => {
      const { log } = this.#server.partition(partition)
      if (log.last < through) return UNANSWERED
      let start = from
      for (const message of log.messages()) {
        if (message.storedAt < sinceMs) continue
        start = Math.min(start, message.seq)
        break
      }
      for (const message of log.messages()) {
        const wanted = message.seq <= through && (message.seq >= start || message.subject === 'later')
        if (wanted && message.header !== '' && CLOSING.has(message.subject)) seen(storedEntry(message))
      }
      return { is: 'done', storedAt: log.get(through)?.storedAt ?? this.#server.now() }
    })
  }

  readMail(partition: number, from: number, maxBytes: number): Promise<MailRead> {
    return this.#ask(partition, 'read', () => {
      const batches: StoredBatch[] = []
      let bytes = 0
      for (const message of this.#server.partition(partition).mail.messages()) {
        if (message.seq < from) continue
        batches.push(storedBatch(message))
        bytes += message.payload.length
        if (bytes >= maxBytes) break
      }
      return { is: 'batches', batches }
    })
  }

  readLater(partition: number, seq: number): ReturnType<Store['readLater']> {
    return this.#ask<Awaited<ReturnType<Store['readLater']>>>(partition, 'read', () => {
      const message = this.#server.partition(partition).log.get(seq)
      return message === undefined ? { is: 'none' } : { is: 'batch', batch: storedBatch(message) }
    })
  }

  purgeMail(partition: number, before: number): Promise<Done> {
    return this.#remove(partition, 'mail', (message) => message.seq < before)
  }

  deleteLater(partition: number, seq: number): Promise<Done> {
    return this.#remove(partition, 'log', (message) => message.seq === seq)
  }

  purgeBody(partition: number, body: string): Promise<Done> {
    return this.#remove(partition, 'body', (message) => message.subject.startsWith(`${body}.`))
  }

  listBodies(partition: number, skip: (body: string) => boolean): Promise<BodyList> {
    return this.#ask<BodyList>(partition, 'read', () => {
      const bodies = new Map<string, ListedBody>()
      for (const { subject, payload, storedAt } of this.#server.partition(partition).body.messages()) {
        const id = subject.slice(0, subject.lastIndexOf('.'))
        if (skip(id)) continue
        const { chunks, bytes } = bodies.get(id) ?? { chunks: 0, bytes: 0 }
        bodies.set(id, { id, chunks: chunks + 1, bytes: bytes + payload.length, newestAt: storedAt })
      }
      return { is: 'bodies', bodies: [...bodies.values()] }
    })
  }

  async trimLog(partition: number, before: number, olderThan: number): Promise<Trimmed> {
    const leases = [...this.#server.partition(partition).log.messages()].filter(({ subject }) => subject === 'lease')
    const firstKept = leases.at(-LEASES_KEPT)?.seq ?? 0
    const young = [...this.#server.partition(partition).log.messages()].find(({ storedAt }) => storedAt >= olderThan)
    const below = Math.min(before, young?.seq ?? before)
    const done = await this.#remove(partition, 'log', ({ subject, seq }) => {
      if (subject === 'lease') return seq < firstKept
      return subject !== 'later' && seq < below
    })
    return done.is === 'done' ? { is: 'trimmed', below } : UNANSWERED
  }

  appendAccepted(partition: number, id: string, header: string): Promise<PublishAnswer> {
    const { log } = this.#server.partition(partition)
    return this.#publish(partition, 'accepted', log, { id, subject: 'accepted', header, payload: EMPTY })
  }

  nextEntry(partition: number, from: number): ReturnType<Store['nextEntry']> {
    return this.#ask(partition, 'read', () => {
      const next = [...this.#server.partition(partition).log.messages()].find(({ seq }) => seq >= from)
      return next === undefined ? ({ is: 'none' } as const) : ({ is: 'entry', seq: next.seq } as const)
    })
  }

  async followLog(partition: number, from: number, signal: AbortSignal, next: LogReader): Promise<void> {
    const { log } = this.#server.partition(partition)
    let at = from
    while (!signal.aborted) {
      const logged = this.#logged(partition, signal)
      const entries = [...log.messages()].filter(({ seq }) => seq >= at).map(logHeader)
      if (entries.length === 0 || this.#isCut()) await logged
      else {
        await next(entries)
        at = (entries.at(-1)?.seq ?? at) + 1
      }
    }
  }

  /** Resolves when something is appended to the log from now on. */
  #logged(partition: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = this.#server.logged.subscribe((number) => (number === partition ? done() : undefined))
      const done = () => {
        end()
        signal.removeEventListener('abort', done)
        resolve()
      }
      signal.addEventListener('abort', done)
    })
  }

  async *readBody(partition: number, body: BodyReference): AsyncIterable<Uint8Array> {
    const hash = createHash('sha256')
    for (let chunk = 0; chunk < body.chunks; chunk++) {
      const read = await this.#ask(partition, 'read', () => ({
        is: 'done' as const,
        message: this.#server.partition(partition).body.lastOf(`${body.id}.${chunk}`),
      }))
      if (read.is === 'unanswered') throw new Error(`chunk ${chunk} of body ${body.id} could not be read: no answer`)
      if (read.message === undefined) throw new BodyMissing(`chunk ${chunk} of body ${body.id} is missing`)
      hash.update(read.message.payload)
      yield read.message.payload
    }
    if (hash.digest('hex') !== body.sha256) throw new BodyMissing(`body ${body.id} is not what was stored`)
  }

  extents(partition: number): ReturnType<Store['extents']> {
    return this.#ask<Awaited<ReturnType<Store['extents']>>>(partition, 'read', () => {
      const { mail, log } = this.#server.partition(partition)
      return { is: 'extents', mail: extentOf(mail), log: extentOf(log) }
    })
  }

  onLease(listener: (partition: number, lease: Lease) => void): () => void {
    return this.#listen(
      this.#server.leases.subscribe(({ partition, lease }) => {
        if (!this.#isCut()) listener(partition, lease)
      }),
    )
  }

  heartbeat(beat: Heartbeat): void {
    if (!this.#isCut()) this.#server.heartbeats.publish(beat)
  }

  onHeartbeat(listener: (beat: Heartbeat) => void): () => void {
    return this.#listen(
      this.#server.heartbeats.subscribe((beat) => {
        if (!this.#isCut()) listener(beat)
      }),
    )
  }

  announceUse(use: PartitionUse): void {
    if (!this.#isCut()) this.#server.uses.publish(use)
  }

  onUse(listener: (use: PartitionUse) => void): () => void {
    return this.#listen(
      this.#server.uses.subscribe((use) => {
        if (!this.#isCut()) listener(use)
      }),
    )
  }

  announceFigures(figures: OwnerFigures): void {
    if (!this.#isCut()) this.#server.figures.publish(figures)
  }

  onFigures(listener: (figures: OwnerFigures) => void): () => void {
    return this.#listen(
      this.#server.figures.subscribe((figures) => {
        if (!this.#isCut()) listener(figures)
      }),
    )
  }

  announceAdmin(name: string, words?: string): void {
    if (!this.#isCut()) this.#server.admins.publish({ name, words })
  }

  onAdmin(listener: (name: string, words: string | undefined) => void): () => void {
    return this.#listen(
      this.#server.admins.subscribe(({ name, words }) => {
        if (!this.#isCut()) listener(name, words)
      }),
    )
  }

  state(partition: number): PartitionState {
    const { mail } = this.#server.partition(partition)
    let mails = 0
    for (const { subject } of mail.messages()) mails += Number(subject)
    return {
      leader: !this.#server.leaderless.has(partition) && !this.#isCut(),
      used: mail.bytes / this.#server.mailBytes,
      mailMessages: mails,
      mailBytes: mail.bytes,
    }
  }

  disconnected(): string | undefined {
    return this.#isCut() ? 'no NATS server is connected' : undefined
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const end of this.#ends) end()
  }

  #isCut(): boolean {
    return this.#closed || this.#server.cut.has(this.#client)
  }

  #listen(end: () => void): () => void {
    this.#ends.add(end)
    return () => {
      this.#ends.delete(end)
      end()
    }
  }

  async #publish(
    partition: number,
    operation: Operation,
    stream: MemoryStream,
    message: Append,
  ): Promise<PublishAnswer> {
    if (this.#isCut()) return { is: 'refused', why: 'no-leader', text: 'no NATS server is connected' }
    const fault = await this.#server.fault({ client: this.#client, operation, partition, id: message.id })
    await turn()
    if (typeof fault === 'object') return { is: 'refused', why: fault.refuse }
    if (fault === 'lost-request') return UNANSWERED
    if (this.#server.leaderless.has(partition)) return { is: 'refused', why: 'no-leader' }
    const answer = stream.append(message, this.#server.now())
    if (stream === this.#server.partition(partition).log) this.#server.logged.publish(partition)
    await turn()
    return fault === 'lost-answer' || this.#isCut() ? UNANSWERED : answer
  }

  async #ask<T>(partition: number, operation: Operation, answer: () => T): Promise<T | typeof UNANSWERED> {
    if (this.#isCut()) return UNANSWERED
    const fault = await this.#server.fault({ client: this.#client, operation, partition })
    await turn()
    if (fault === 'lost-request' || typeof fault === 'object') return UNANSWERED
    const result = answer()
    await turn()
    return fault === 'lost-answer' || this.#isCut() ? UNANSWERED : result
  }

  #remove(
    partition: number,
    stream: 'mail' | 'log' | 'body',
    which: (message: MemoryMessage) => boolean,
  ): Promise<Done> {
    return this.#ask<Done>(partition, 'remove', () => {
      if (this.#server.leaderless.has(partition)) return UNANSWERED
      this.#server.partition(partition)[stream].remove(which)
      return { is: 'done' }
    })
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

function extentOf(stream: MemoryStream): { first: number; last: number } {
  for (const { seq } of stream.messages()) return { first: seq, last: stream.last }
  return { first: stream.last + 1, last: stream.last }
}

function storedBatch({ seq, storedAt, id, payload }: MemoryMessage): StoredBatch {
  return { seq, storedAt, id, payload }
}

function logHeader({ seq, storedAt, subject, header }: MemoryMessage): LogHeader {
  return { seq, storedAt, kind: subject as LogHeader['kind'], value: header }
}

function storedEntry({ seq, storedAt, header, payload }: MemoryMessage): StoredEntry {
  return { seq, storedAt, header: decodeEntry(header), size: payload.length }
}
