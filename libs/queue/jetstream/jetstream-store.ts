/**
 * The store on JetStream. `connectStore` resolves when the streams exist and have been seen; it rejects with a one-line Error
 * that names the setting when NATS cannot be reached or the configuration does not fit.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeLease, encodeLease } from '@posthouse/core/lease-codec'
import { encodeEntry } from '@posthouse/core/entry-codec'
import type { PublishAnswer } from '@posthouse/core/answer'
import type { EntryHeader } from '@posthouse/core/entry'
import type { Lease, LeaseRead } from '@posthouse/core/lease'
import type { BodyReference } from '@posthouse/core/record'
import type { QueueLog } from '../log.ts'
import type {
  BodyList,
  Done,
  Heartbeat,
  LogHeader,
  LogReader,
  MailRead,
  OwnerFigures,
  PartitionState,
  PartitionUse,
  Scanned,
  Store,
  StoredEntry,
  Trimmed,
} from '../store.ts'
import { NoServerError } from './connect-error.ts'
import { listBodies } from './body-list.ts'
import { readBody } from './body-reader.ts'
import { readDirect } from './direct.ts'
import { readExtents } from './extents.ts'
import { HOLD_MS } from './held-removals.ts'
import { LeaderBalance } from './leader-balance.ts'
import { Links } from './links.ts'
import { ACCEPTED, ENTRY } from './headers.ts'
import type { LoggedMessage } from './log-consumer.ts'
import { followStream } from './log-follower.ts'
import { scanLog } from './log-scan.ts'
import { publish } from './publish.ts'
import { Reader } from './reader.ts'
import { Removal } from './removal.ts'
import type { QueueUser } from './permissions.ts'
import { awaitSetUp, findPartitions, PATIENCE_MS, setUp } from './setup.ts'
import { StatePoll } from './state-poll.ts'
import { DEFAULT_LIMITS, type StoreLimits } from './stream-settings.ts'
import type { NatsTls } from './nats-tls.ts'
import {
  abandonedSubject,
  bodySubject,
  checkBodyId,
  ADMINS,
  EDGE_USES,
  FIGURES,
  HEARTBEATS,
  isBodyId,
  LEASES,
  kindOfLogSubject,
  logStream,
  logSubject,
  mailSubject,
  nudgeSubject,
  partitionOfLease,
} from './subjects.ts'
import { adminWords, readAdminWords, readFigures, readHeartbeat, readUse } from './words.ts'

export interface StoreOptions {
  /** host:port of every server. */
  readonly servers: readonly string[]
  readonly user?: string
  readonly password?: string
  readonly tls?: NatsTls
  /** Node name, shown by the servers' monitoring. */
  readonly name: string
  /** What kind of process it is; undefined: one that may do everything. */
  readonly as?: QueueUser
  readonly partitions: number
  readonly replicas: number
  readonly limits?: StoreLimits
  readonly log: QueueLog
  /** How long to wait at the start for a cluster that is still starting itself. */
  readonly patienceMs?: number
  /** How long what is removed is held back (held-removals.ts); 0: not at all, for tests that look. */
  readonly holdRemovedMs?: number
}

const EMPTY = new Uint8Array(0)
const LATE_MS = 2000
const NEXT_MS = 2000
const AGAIN_MS = 500

export async function connectStore(options: StoreOptions): Promise<Store> {
  const links = await openLinks(options)
  try {
    const wanted = { ...options, limits: options.limits ?? DEFAULT_LIMITS }
    // An edge may not make streams, as who may change them may remove mail: the delivery nodes do.
    await (options.as === 'edge' ? awaitSetUp(links, wanted) : setUp(links, wanted))
    const store = new JetStreamStore(links, options)
    await store.firstLook()
    return store
  } catch (error) {
    await links.close()
    throw error
  }
}

/** Nodes and servers may be started together, the servers last. */
async function openLinks(options: LookOptions): Promise<Links> {
  const deadline = performance.now() + (options.patienceMs ?? PATIENCE_MS)
  for (let said = false; ; said = true) {
    try {
      return await Links.open(options)
    } catch (error) {
      if (!(error instanceof NoServerError) || performance.now() > deadline) throw error
      if (!said) options.log.info({ error: error.message }, 'waiting: no NATS server answers yet')
      await sleep(AGAIN_MS)
    }
  }
}

/** Makes the streams that are missing, as a delivery node does when it starts: for those who need them before one does. */
export async function makeStreams(options: Omit<StoreOptions, 'as'>): Promise<void> {
  const store = await connectStore({ ...options, as: 'delivery' })
  await store.close()
}

/** What a reader needs to know: how many partitions there are, the streams say. */
export type LookOptions = Omit<StoreOptions, 'partitions' | 'replicas' | 'limits'>

/** The store as it is found: no stream is made or changed. */
export async function connectExistingStore(options: LookOptions): Promise<Store> {
  return (await look(await Links.open(options), options)).store
}

/**
 * The same for a service, which waits for servers that start, and until there are so many partitions; with the connections,
 * for what is asked beside it. The store closes them.
 */
export async function openExistingStore(
  options: LookOptions & Partial<Pick<StoreOptions, 'partitions'>>,
): Promise<{ readonly store: Store; readonly links: Links }> {
  return look(await openLinks(options), options, options.partitions)
}

async function look(
  links: Links,
  options: LookOptions,
  atLeast?: number,
): Promise<{ readonly store: Store; readonly links: Links }> {
  try {
    const partitions = await findPartitions(links, options.log, options.patienceMs, atLeast)
    const store = new JetStreamStore(links, { ...options, partitions })
    await store.firstLook()
    return { store, links }
  } catch (error) {
    await links.close()
    throw error
  }
}

class JetStreamStore implements Store {
  readonly partitions: number
  readonly #links: Links
  readonly #log: QueueLog
  readonly #reader: Reader
  readonly #removal: Removal
  readonly #poll: StatePoll

  constructor(links: Links, options: Pick<StoreOptions, 'partitions' | 'log' | 'as' | 'holdRemovedMs'>) {
    this.partitions = options.partitions
    this.#links = links
    this.#log = options.log
    this.#reader = new Reader(links, options.log)
    const keepsBalance = options.as === undefined || options.as === 'delivery'
    const balance = keepsBalance ? new LeaderBalance(links, options.log) : undefined
    this.#poll = new StatePoll(links, balance, options.partitions)
    this.#removal = new Removal(links, options.log, this.#poll, options.holdRemovedMs ?? HOLD_MS)
  }

  firstLook(): Promise<void> {
    return this.#poll.poll()
  }

  appendMail(
    partition: number,
    id: string,
    count: number,
    payload: Uint8Array,
    timeoutMs: number,
  ): Promise<PublishAnswer> {
    return publish(this.#links, mailSubject(partition, count), { id }, payload, timeoutMs)
  }

  putChunk(
    partition: number,
    body: string,
    chunk: number,
    bytes: Uint8Array,
    timeoutMs: number,
  ): Promise<PublishAnswer> {
    const subject = bodySubject(partition, checkBodyId(body), chunk)
    return publish(this.#links, subject, { id: `${body}.${chunk}` }, bytes, timeoutMs)
  }

  nudge(partition: number, seq: number): void {
    this.#links.publish(nudgeSubject(partition), String(seq))
  }

  onNudge(partition: number, listener: (seq: number) => void): () => void {
    let last = ''
    return this.#links.subscribe(nudgeSubject(partition), (message) => {
      const seq = message.string()
      // Each is heard over both connections.
      if (seq !== last) listener(Number(seq))
      last = seq
    })
  }

  abandonBody(partition: number, body: string): void {
    this.#links.publish(abandonedSubject(partition), body)
  }

  onAbandoned(partition: number, listener: (body: string) => void): () => void {
    let last = ''
    return this.#links.subscribe(abandonedSubject(partition), (message) => {
      const body = message.string()
      // Each is heard over both connections.
      if (body !== last && isBodyId(body)) listener(body)
      last = body
    })
  }

  readLease(partition: number): Promise<LeaseRead> {
    return this.#reader.readLease(partition)
  }

  writeLease(partition: number, lease: Lease, expected: number, timeoutMs: number): Promise<PublishAnswer> {
    const subject = logSubject(partition, 'lease')
    const headers = { id: lease.id, expected: { sequence: expected, subject } }
    return publish(this.#links, subject, headers, encodeLease(lease), timeoutMs)
  }

  writeEntry(
    partition: number,
    id: string,
    kind: 'outcome' | 'later',
    header: EntryHeader,
    payload: Uint8Array,
    timeoutMs: number,
  ): Promise<PublishAnswer> {
    const headers = {
      id,
      expected: { sequence: header.lease, subject: logSubject(partition, 'lease') },
      entry: encodeEntry(header),
    }
    return publish(this.#links, logSubject(partition, kind), headers, payload, timeoutMs)
  }

  async writeLate(partition: number, id: string, header: EntryHeader): Promise<PublishAnswer> {
    return publish(this.#links, logSubject(partition, 'late'), { id, entry: encodeEntry(header) }, EMPTY, LATE_MS)
  }

  appendAccepted(partition: number, id: string, header: string, timeoutMs: number): Promise<PublishAnswer> {
    const headers = { id, accepted: header }
    return publish(this.#links, logSubject(partition, 'accepted'), headers, EMPTY, timeoutMs)
  }

  followLog(partition: number, from: number, signal: AbortSignal, next: LogReader): Promise<void> {
    return followStream(this.#links, {
      stream: logStream(partition),
      from,
      signal,
      last: () => this.#poll.room(partition).lastEntry,
      next: (messages) => next(messages.flatMap(logHeader)),
    })
  }

  async nextEntry(partition: number, from: number): ReturnType<Store['nextEntry']> {
    const read = await readDirect(this.#links, logStream(partition), { seq: from, batch: 1 }, NEXT_MS)
    if (read.is === 'unanswered') return read
    const [first] = read.messages
    return first === undefined ? { is: 'none' } : { is: 'entry', seq: first.seq }
  }

  scanLog(
    partition: number,
    through: number,
    from: number,
    sinceMs: number,
    seen: (entry: StoredEntry) => void,
  ): Promise<Scanned> {
    return scanLog(this.#links, this.#log, { partition, through, from, sinceMs }, seen)
  }

  readMail(partition: number, from: number, maxBytes: number): Promise<MailRead> {
    return this.#reader.readMail(partition, from, maxBytes)
  }

  readLater(partition: number, seq: number): ReturnType<Store['readLater']> {
    return this.#reader.readLater(partition, seq)
  }

  purgeMail(partition: number, before: number): Promise<Done> {
    return this.#removal.purgeMail(partition, before)
  }

  deleteLater(partition: number, seq: number): Promise<Done> {
    return this.#removal.deleteLater(partition, seq)
  }

  purgeBody(partition: number, body: string): Promise<Done> {
    return this.#removal.purgeBody(partition, body)
  }

  listBodies(partition: number, skip: (body: string) => boolean): Promise<BodyList> {
    return listBodies(this.#links, partition, skip)
  }

  trimLog(partition: number, before: number, olderThan: number, latest = olderThan): Promise<Trimmed> {
    return this.#removal.trimLog(partition, before, olderThan, latest)
  }

  readBody(partition: number, body: BodyReference): AsyncIterable<Uint8Array> {
    return readBody(this.#links, partition, body)
  }

  extents(partition: number): ReturnType<Store['extents']> {
    return readExtents(this.#links, partition)
  }

  onLease(listener: (partition: number, lease: Lease) => void): () => void {
    return this.#links.subscribe(LEASES, (message) => {
      const partition = partitionOfLease(message.subject)
      if (partition === undefined || partition >= this.partitions) return
      let lease: Lease
      try {
        lease = decodeLease(message.data)
      } catch {
        return // a hint that cannot be read is none
      }
      listener(partition, lease)
    })
  }

  heartbeat(beat: Heartbeat): void {
    this.#links.publish(HEARTBEATS, JSON.stringify(beat))
  }

  onHeartbeat(listener: (beat: Heartbeat) => void): () => void {
    return this.#links.subscribe(HEARTBEATS, (message) => {
      const beat = readHeartbeat(message.string())
      if (beat !== undefined) listener(beat)
    })
  }

  announceUse(use: PartitionUse): void {
    this.#links.publish(EDGE_USES, JSON.stringify(use))
  }

  onUse(listener: (use: PartitionUse) => void): () => void {
    return this.#links.subscribe(EDGE_USES, (message) => {
      const use = readUse(message.string())
      if (use !== undefined && use.partition < this.partitions) listener(use)
    })
  }

  announceFigures(figures: OwnerFigures): void {
    this.#links.publish(FIGURES, JSON.stringify(figures))
  }

  onFigures(listener: (figures: OwnerFigures) => void): () => void {
    return this.#links.subscribe(FIGURES, (message) => {
      const figures = readFigures(message.string())
      if (figures !== undefined && figures.partition < this.partitions) listener(figures)
    })
  }

  announceAdmin(name: string, words?: string): void {
    this.#links.publish(ADMINS, adminWords(name, words))
  }

  onAdmin(listener: (name: string, words: string | undefined) => void): () => void {
    return this.#links.subscribe(ADMINS, (message) => {
      const { name, words } = readAdminWords(message.string())
      listener(name, words)
    })
  }

  state(partition: number): PartitionState {
    return this.#poll.state(partition)
  }

  disconnected(): string | undefined {
    return this.#links.disconnected()
  }

  async close(): Promise<void> {
    this.#removal.close()
    this.#poll.stop()
    await this.#links.close()
  }
}

function logHeader({ subject, seq, storedAt, header }: LoggedMessage): LogHeader[] {
  const kind = kindOfLogSubject(subject)
  // Of a newer version.
  if (kind === undefined) return []
  return [{ seq, storedAt, kind, value: kind === 'lease' ? '' : header(kind === 'accepted' ? ACCEPTED : ENTRY) }]
}
