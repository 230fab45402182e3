/**
 * Watches the streams as the servers write and remove, and holds every step against the promises: which tasks are
 * open, what closes them, what a lease says about them, and which bodies they need.
 */
import type { Closing, Told } from '@posthouse/core/entry'
import type { Lease } from '@posthouse/core/lease'
import type { MailRecord } from '@posthouse/core/record'
import { Broken } from './broken.ts'
import type { Observer, Partition } from './cluster.ts'
import type { Ledger } from './ledger.ts'
import type { Story } from './story.ts'
import { closings, names } from './story-words.ts'
import type { Stored, Stream } from './stream.ts'

/** A batch in MAIL or a `.later` entry, with the state of its tasks. */
interface Batch {
  readonly stored: Stored
  readonly stream: 'mail' | 'later'
  /** By record and position: 0 while open, else the entry that closed it. */
  readonly closers: number[][]
  open: number
  lowestCloser: number
  /** A copy of an earlier batch with the same id: none of its tasks is to be run. */
  readonly isRepeat: boolean
}

interface Books {
  readonly mail: Map<number, Batch>
  readonly later: Map<number, Batch>
  /** Closings of `.later` entries that were told once more, by the sequence of the entry. */
  readonly told: Map<number, number>
  /** Those of which something may be missing. */
  readonly givenUp: Set<number>
  readonly batchIds: Map<string, number>
  lease: Lease | undefined
  leaseSeq: number
  /** Highest lease under which a dot was sent, and by whom. */
  dotSeq: number
  dotNode: string
}

export class Auditor implements Observer {
  /** When each body came into the streams, and whether it may be left over. */
  readonly bodies = new Map<string, { open: number; referred: boolean; purged: boolean }>()
  /** Runs last so long that what is left to the sweep goes as well. */
  readonly #isSwept: boolean
  readonly #ledger: Ledger
  readonly #story: Story | undefined
  readonly #books: Books[]

  constructor(partitions: number, isSwept: boolean, ledger: Ledger, story: Story | undefined) {
    this.#isSwept = isSwept
    this.#ledger = ledger
    this.#story = story
    this.#books = Array.from({ length: partitions }, () => ({
      mail: new Map<number, Batch>(),
      later: new Map<number, Batch>(),
      told: new Map<number, number>(),
      givenUp: new Set<number>(),
      batchIds: new Map<string, number>(),
      lease: undefined,
      leaseSeq: 0,
      dotSeq: 0,
      dotNode: '',
    }))
  }

  ownerOf(partition: number): Lease | undefined {
    return this.#books[partition]!.lease
  }

  /** What is still open or lies about in a partition, for the report of a run that does not end. */
  leftovers(partition: Partition): string[] {
    const books = this.#books[partition.number]!
    const left: string[] = []
    for (const batch of [...books.mail.values(), ...books.later.values()]) {
      left.push(`${batch.stream} ${batch.stored.seq} of partition ${partition.number} (${batch.open} open)`)
    }
    for (const [id, body] of this.bodies) {
      const isThere = partition.body.messages.some(
        (stored) => stored.body === id && partition.body.isPresent(stored.seq),
      )
      // What nothing ever referred to, and a chunk that came after the purge, are left to the sweep.
      if (isThere && (this.#isSwept || (body.referred && !body.purged)))
        left.push(`body ${id} of partition ${partition.number}`)
    }
    return left
  }

  // ---- stored

  stored(partition: Partition, stream: Stream, stored: Stored): void {
    switch (stored.subject) {
      case 'mail':
        this.#mailStored(partition, stored)
        return
      case 'lease':
        this.#leaseStored(partition, stored)
        return
      case 'outcome':
      case 'later':
        this.#entryStored(partition, stored)
        return
      case 'late':
        this.#story?.tell(stream.name, `late ${stored.seq}: ${closings(stored.header!.closes)}`)
        return
      case 'chunk':
        this.#story?.tell(stream.name, `stores body ${stored.body}`)
        if (!this.bodies.has(stored.body!)) this.bodies.set(stored.body!, { open: 0, referred: false, purged: false })
    }
  }

  #mailStored(partition: Partition, stored: Stored): void {
    const books = this.#books[partition.number]!
    const original = books.batchIds.get(stored.id)
    const isRepeat = original !== undefined
    this.#story?.tell(
      partition.mail.name,
      `stores batch ${stored.seq} ${stored.id}${isRepeat ? ` (repeats ${original})` : ''}: ${names(stored.records)}`,
    )
    books.mail.set(stored.seq, this.#batchOf('mail', stored, isRepeat))
    if (isRepeat) return
    books.batchIds.set(stored.id, stored.seq)
    for (const record of stored.records) {
      const { envelope } = record
      // An owner's mark.
      if (envelope.recipients.length === 0) continue
      const account = this.#ledger.of(envelope.id)
      if (account.told === 'refused') throw new Broken('refused means not stored', `${envelope.id} is stored after all`)
      const { seq, storedAt, id: batch } = stored
      account.stored ??= { partition: partition.number, batch, seq, storedAt }
      this.#opens(partition, record)
      for (const { index } of envelope.recipients) this.#ledger.check(envelope.id, index)
    }
  }

  #entryStored(partition: Partition, stored: Stored): void {
    const books = this.#books[partition.number]!
    const header = stored.header!
    const { closes, later } = header
    this.#story?.tell(
      partition.log.name,
      `stores ${stored.subject} ${stored.seq} under ${header.lease} of ${header.node}: ${closings(closes)}` +
        (later === undefined
          ? ''
          : ` -> ${later.state} due ${later.due % 1e9} ${later.destination}: ${names(stored.records)}`),
    )
    if (books.lease?.node !== header.node) {
      throw new Broken(
        'no entry of a former owner',
        `entry ${stored.seq} of ${header.node} lies under lease ${books.leaseSeq} of ${books.lease?.node}`,
      )
    }
    for (const closing of closes) this.#close(partition, stored, closing)
    for (const { later: seq } of header.told ?? []) books.told.set(seq, (books.told.get(seq) ?? 0) + 1)
    if (stored.subject === 'later') {
      books.later.set(stored.seq, this.#batchOf('later', stored, false))
      for (const record of stored.records) this.#successor(partition, closes, record)
    }
    for (const { id, indexes } of closes) for (const index of indexes) this.#ledger.check(id, index)
    for (const { envelope } of stored.records) {
      for (const { index } of envelope.recipients) this.#ledger.check(envelope.id, index)
    }
  }

  /** The log was full: readers may miss these, unless a successor tells them. */
  notTold(partition: number, told: readonly Told[]): void {
    for (const { later } of told) this.#books[partition]!.givenUp.add(later)
  }

  #close(partition: Partition, stored: Stored, closing: Closing): void {
    const books = this.#books[partition.number]!
    const { stream, seq, record, positions, indexes, id, how } = closing
    const batch = books[stream].get(seq)
    const name = `${stream} ${seq}/${record}`
    const closers = batch?.closers[record]
    if (batch === undefined || closers === undefined) {
      throw new Broken('entries close tasks that are there', `entry ${stored.seq} closes ${name}`)
    }
    const { envelope } = batch.stored.records[record]!
    for (const [at, position] of positions.entries()) {
      if (closers[position] !== 0) {
        throw new Broken(
          'a task is closed once',
          `${name}/${position} was closed by ${closers[position]}, and is by ${stored.seq}`,
        )
      }
      const recipient = envelope.recipients[position]
      if (recipient === undefined || envelope.id !== id || recipient.index !== indexes[at]) {
        throw new Broken(
          'entries name the task they close',
          `${stored.seq} says ${id}/${indexes[at]} of ${name}/${position}`,
        )
      }
      if (batch.isRepeat) throw new Broken('a repeat is recognised', `${name} repeats a batch and is closed by ${how}`)
      closers[position] = stored.seq
      if (closing.accepted !== undefined) this.#ledger.of(id).acceptanceTold = true
      batch.open--
      if (batch.lowestCloser === 0) batch.lowestCloser = stored.seq
      this.#ledger.closed(id, recipient.index)
      if (envelope.body !== undefined) this.bodies.get(envelope.body.id)!.open--
      if (how === 'deferred' || how === 'parked' || how === 'held') continue
      this.#ledger.ended(id, recipient.index, how)
      const wantsBounce = (how === 'bounced' || how === 'expired') && envelope.from !== ''
      const reports = stored.records.filter(
        ({ envelope: { report } }) => report?.record === id && report.recipients.includes(recipient.index),
      )
      const account = this.#ledger.recipient(id, recipient.index)
      account.bounces += reports.length
      if (account.bounces !== (wantsBounce ? 1 : 0)) {
        throw new Broken('one bounce per bounced recipient', `${id}/${recipient.index} has ${account.bounces}`)
      }
    }
  }

  /** A record that an entry carries is what it was, or a bounce. */
  #successor(partition: Partition, closes: readonly Closing[], record: MailRecord): void {
    const { envelope } = record
    if (envelope.report !== undefined && !this.#ledger.messages.has(envelope.id)) this.#ledger.add(record)
    const account = this.#ledger.of(envelope.id)
    const original = account.record
    const closing = closes.find(({ id }) => id === envelope.id)
    const isCopy = closing !== undefined
    const kept =
      envelope.from === original.envelope.from &&
      record.content === original.content &&
      envelope.body?.id === original.envelope.body?.id &&
      envelope.newer === original.envelope.newer &&
      envelope.report?.record === original.envelope.report?.record &&
      envelope.recipients.every(({ address, index }) => original.envelope.recipients[index]?.address === address)
    if (!kept) throw new Broken('a copy is what it was', `${envelope.id} has changed`)
    const { stored } = account
    if (isCopy && stored !== undefined) {
      const { origin, batch, storedAt } = envelope
      if (origin !== stored.seq || batch !== stored.batch || storedAt !== stored.storedAt) {
        throw new Broken('a copy knows where it comes from', `${envelope.id} says ${origin} ${batch} ${storedAt}`)
      }
    }
    this.#opens(partition, record)
  }

  #leaseStored(partition: Partition, stored: Stored): void {
    const books = this.#books[partition.number]!
    const lease = stored.lease!
    const before = books.lease
    books.lease = lease
    books.leaseSeq = stored.seq
    this.#story?.tell(
      partition.log.name,
      `stores lease ${stored.seq} of ${lease.node}${lease.released ? ' (release)' : ''}: floor ${lease.floor}, R ${lease.r}, ` +
        `floor time ${lease.floorTime % 1e9}, may begin ${lease.mayBegin.mail}, suspects ${lease.suspects.mail}/${lease.suspects.log}`,
    )
    if (before !== undefined && (lease.floor < before.floor || lease.r < before.r)) {
      throw new Broken('floor and R never go back', `lease ${stored.seq}: ${lease.floor}, ${lease.r}`)
    }
    for (const [seq, batch] of books.mail) {
      if (seq < lease.floor && batch.open > 0 && !batch.isRepeat) {
        throw new Broken(
          'the floor passes no open batch',
          `floor ${lease.floor} of lease ${stored.seq}, ${seq} is open`,
        )
      }
      if (seq >= lease.floor) checkR(lease, stored.seq, batch)
    }
    for (const batch of books.later.values()) checkR(lease, stored.seq, batch)
  }

  #batchOf(stream: Batch['stream'], stored: Stored, isRepeat: boolean): Batch {
    let open = 0
    const closers = stored.records.map(({ envelope }) => {
      open += envelope.recipients.length
      return envelope.recipients.map(() => 0)
    })
    return { stored, stream, closers, open, lowestCloser: 0, isRepeat }
  }

  #opens(partition: Partition, { envelope }: MailRecord): void {
    for (const { index } of envelope.recipients) this.#ledger.opened(envelope.id, index)
    if (envelope.body === undefined) return
    const body = this.bodies.get(envelope.body.id)
    const isThere = partition.body.messages.some(
      (stored) => stored.body === envelope.body!.id && partition.body.isPresent(stored.seq),
    )
    if (body === undefined || !isThere)
      throw new Broken('a task has its body', `${envelope.id} lacks ${envelope.body.id}`)
    body.open += envelope.recipients.length
    body.referred = true
  }

  // ---- removed

  removed(partition: Partition, stream: Stream, removed: readonly Stored[], by: string): void {
    const books = this.#books[partition.number]!
    this.#story?.tell(stream.name, `removes ${removed.map(({ seq, body }) => body ?? seq).join(', ')} for ${by}`)
    for (const stored of removed) {
      if (stream === partition.mail) this.#mailRemoved(books, stored)
      else if (stream === partition.log) this.#entryRemoved(books, stored)
      else this.#bodyRemoved(stored, by)
    }
  }

  #bodyRemoved({ body }: Stored, by: string): void {
    const account = this.bodies.get(body!)!
    account.purged = true
    if (account.open > 0) throw new Broken('a body stays while a task needs it', `${body} is purged by ${by}`)
  }

  #mailRemoved(books: Books, { seq }: Stored): void {
    const batch = books.mail.get(seq)!
    books.mail.delete(seq)
    if (batch.open > 0 && !batch.isRepeat) throw new Broken('no open batch is purged', `batch ${seq}`)
  }

  /** An entry is the word on the tasks that it closed: needed while their batches are there and not below the floor. */
  #entryRemoved(books: Books, stored: Stored): void {
    if (stored.subject === 'late') return
    const batch = books.later.get(stored.seq)
    books.later.delete(stored.seq)
    if (batch !== undefined && batch.open > 0)
      throw new Broken('no open entry is deleted', `${stored.seq} has open tasks`)
    const { closes } = stored.header!
    const told = books.told.get(stored.seq) ?? 0
    const isWrong = told > closes.length || (told < closes.length && !books.givenUp.has(stored.seq))
    if (stored.subject === 'later' && isWrong)
      throw new Broken(
        'readers hear once what an entry closed',
        `${stored.seq} is deleted: it closes ${closes.length} times, and ${told} were told`,
      )
    for (const { stream, seq, record, positions } of closes) {
      const other = books[stream].get(seq)
      if (other === undefined || (stream === 'mail' && seq < books.lease!.floor)) continue
      throw new Broken(
        'what is closed stays closed',
        `${stored.seq} is deleted, which closes ${stream} ${seq}/${record}/${positions.join()}`,
      )
    }
  }

  // ---- dots

  isOpen(
    partition: number,
    task: { stream: 'mail' | 'later'; seq: number; record: number; position: number },
  ): boolean {
    return this.#books[partition]![task.stream].get(task.seq)?.closers[task.record]?.[task.position] === 0
  }

  /** A final dot goes out for these tasks: is it the owner's, and are they open? */
  dot(
    partition: number,
    node: string,
    lease: number,
    batch: { readonly stream: 'mail' | 'later'; readonly seq: number },
    record: number,
    positions: readonly number[],
  ): void {
    const books = this.#books[partition]!
    if (books.dotSeq > lease && books.dotNode !== node) {
      throw new Broken(
        'no dot after a higher lease’s dot',
        `${node} under ${lease}, after ${books.dotNode} under ${books.dotSeq}`,
      )
    }
    if (lease >= books.dotSeq) {
      books.dotSeq = lease
      books.dotNode = node
    }
    const its = books[batch.stream].get(batch.seq)
    for (const position of positions) {
      const closer = its?.closers[record]?.[position]
      if (closer === 0 && !its!.isRepeat) continue
      throw new Broken(
        its?.isRepeat ? 'a repeat is recognised' : 'no closed task is run',
        `${batch.stream} ${batch.seq}/${record}/${position}, closed by ${closer ?? 'something long gone'}`,
      )
    }
  }
}

function checkR(lease: Lease, leaseSeq: number, batch: Batch): void {
  if (batch.lowestCloser === 0 || batch.lowestCloser >= lease.r) return
  throw new Broken(
    'R passes no word that is needed',
    `R ${lease.r} of lease ${leaseSeq}, but ${batch.lowestCloser} closes a task of ${batch.stream} ${batch.stored.seq}`,
  )
}
