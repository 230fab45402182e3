/**
 * Outcomes on their way to the log. Final ones without content go out together in `.outcome` entries; deferrals, parkings
 * and bounces in `.later` entries, many of one destination and due time in one. What is told of stored `.later` entries goes along
 * with the final outcomes. An entry once taken never changes but for
 * the lease under which it is sent.
 */
import { closingSize } from '../closing-codec.ts'
import { ENTRY_OVERHEAD, successorSize, toldSize } from '../entry-codec.ts'
import { MAX_ENTRY_HEADER, reportSize, textSize, textsSize } from '../text-table.ts'
import { BATCH_OVERHEAD, MAX_BATCH_BYTES, MAX_BATCH_RECORDS } from '../batch-codec.ts'
import type { Closing, Later, SuccessorHead, Told } from '../entry.ts'
import type { MailRecord } from '../record.ts'
import type { OpenBatch } from './open-batch.ts'
import { TIMES } from './rules.ts'

/** One closing with the tasks it is about. */
export interface Pending {
  readonly batch: OpenBatch
  readonly record: number
  readonly closing: Closing
  /** Monotonic time of the outcome, and its time by the clock that ran further (RanClock). */
  readonly at: number
  readonly ran: number
}

export interface PendingEntry {
  readonly id: string
  readonly kind: 'outcome' | 'later'
  readonly pendings: readonly Pending[]
  readonly later: Later | undefined
  /** Given up when there is no room for it. */
  told: readonly Told[]
  readonly records: readonly MailRecord[]
  /** Bytes of the records. */
  readonly bytes: number
  /** Time (RanClock) of the oldest outcome in it of a task that was delivered; Infinity: none. */
  readonly oldestDelivered: number
  firstSent: number | undefined
  /** Tries whose fate is unknown. */
  unknownTries: number
  /** R must not pass this: the entry may lie right behind. */
  mark: number
}

interface Group {
  readonly state: Later['state']
  readonly destination: string
  due: number
  /** Monotonic time of its first outcome. */
  readonly at: number
  readonly pendings: Pending[]
  readonly heads: SuccessorHead[]
  readonly records: MailRecord[]
  header: number
  bytes: number
  /** Server time, ms, at which the oldest of the records was first stored; Infinity: with this entry. */
  oldest: number
}

/** Deferrals within this span share an entry, ms. */
const DUE_BUCKET = 5_000

export class Outbox {
  readonly #newId: () => string
  #finals: Pending[] = []
  #finalsHeader = 0
  #oldestDelivered = Infinity
  #lastOutcome = -Infinity
  #told: Told[] = []
  readonly #groups = new Map<string, Group>()
  /** Full groups, ready to go. */
  #full: Group[] = []
  tasks = 0

  constructor(newId: () => string) {
    this.#newId = newId
  }

  get isEmpty(): boolean {
    return this.tasks === 0 && this.#told.length === 0
  }
  /** Time (RanClock) of the oldest delivered outcome not yet taken; Infinity: none. */
  get oldestDelivered(): number {
    return this.#oldestDelivered
  }

  final(pending: Pending): void {
    this.#finals.push(pending)
    this.#finalsHeader += closingSize(pending.closing)
    if (pending.closing.how === 'delivered') this.#oldestDelivered = Math.min(this.#oldestDelivered, pending.ran)
    this.tasks += pending.closing.positions.length
  }

  /** For readers; it closes nothing. Returns what is too large for any entry. */
  tell(told: readonly Told[]): Told[] {
    const tooLarge: Told[] = []
    for (const one of told) (toldSize(one) > MAX_ENTRY_HEADER - ENTRY_OVERHEAD ? tooLarge : this.#told).push(one)
    return tooLarge
  }

  successor(
    pending: Pending,
    state: Later['state'],
    destination: string,
    due: number,
    head: SuccessorHead,
    record: MailRecord,
  ): void {
    // A bounce is due at once and is not held up; others may wait to the end of their bucket.
    const bucket =
      pending.closing.how === 'bounced' || pending.closing.how === 'expired' ? 0 : Math.ceil(due / DUE_BUCKET)
    const key = `${state} ${bucket} ${destination}`
    const header = closingSize(pending.closing) + successorSize(head)
    const bytes = recordBytes(record)
    let group = this.#groups.get(key)
    if (
      group !== undefined &&
      (group.records.length >= MAX_BATCH_RECORDS ||
        group.bytes + bytes > MAX_BATCH_BYTES ||
        group.header + header > MAX_ENTRY_HEADER)
    ) {
      this.#full.push(group)
      group = undefined
    }
    if (group === undefined) {
      group = {
        state,
        destination,
        due,
        at: pending.at,
        pendings: [],
        heads: [],
        records: [],
        header: ENTRY_OVERHEAD + destination.length * 6,
        bytes: BATCH_OVERHEAD,
        oldest: Infinity,
      }
      this.#groups.set(key, group)
    }
    group.due = Math.max(group.due, due)
    if (record.envelope.storedAt > 0) group.oldest = Math.min(group.oldest, record.envelope.storedAt)
    group.pendings.push(pending)
    group.heads.push(head)
    group.records.push(record)
    group.header += header
    group.bytes += bytes
    this.tasks += pending.closing.positions.length
  }

  /** Monotonic time at which take() has something. */
  nextAt(): number {
    if (this.#full.length > 0) return -Infinity
    let at = this.#hasOutcome ? this.#lastOutcome + TIMES.outcomeEvery : Infinity
    for (const group of this.#groups.values()) at = Math.min(at, group.at + TIMES.outcomeEvery)
    return at
  }

  take(now: number): PendingEntry | undefined {
    if (this.#hasOutcome && now - this.#lastOutcome >= TIMES.outcomeEvery) return this.#takeOutcome(now)
    const full = this.#full.shift()
    if (full !== undefined) return this.#entryOf(full)
    for (const [key, group] of this.#groups) {
      if (now - group.at < TIMES.outcomeEvery) continue
      this.#groups.delete(key)
      return this.#entryOf(group)
    }
    return undefined
  }

  get #hasOutcome(): boolean {
    return this.#finals.length > 0 || this.#told.length > 0
  }

  /** Every outcome that is here, for the word to a successor that came too soon. What is to be told he finds himself. */
  drain(): Pending[] {
    const all = this.#finals
    for (const group of [...this.#full, ...this.#groups.values()]) all.push(...group.pendings)
    this.#finals = []
    this.#told = []
    this.#full = []
    this.#groups.clear()
    this.#finalsHeader = 0
    this.#oldestDelivered = Infinity
    this.tasks = 0
    return all
  }

  #takeOutcome(now: number): PendingEntry {
    const finals = this.#takeFinals()
    const told = this.#takeTold(MAX_ENTRY_HEADER - ENTRY_OVERHEAD - finals.header)
    // What did not fit goes right after it; what is only for readers has time.
    this.#lastOutcome = this.#finals.length > 0 ? -Infinity : now
    return this.#entry('outcome', finals.taken, undefined, [], 0, told)
  }

  /** As many as fit an entry. */
  #takeFinals(): { readonly taken: readonly Pending[]; readonly header: number } {
    const taken = this.#finals
    const header = this.#finalsHeader
    this.#finals = []
    this.#finalsHeader = 0
    this.#oldestDelivered = Infinity
    if (header <= MAX_ENTRY_HEADER - ENTRY_OVERHEAD) return { taken, header }
    let size = 0
    let count = 0
    for (const { closing } of taken) {
      const more = closingSize(closing)
      if (size + more > MAX_ENTRY_HEADER - ENTRY_OVERHEAD && count > 0) break
      size += more
      count++
    }
    this.#finals = taken.splice(count)
    this.#finalsHeader = header - size
    for (const { closing, ran } of this.#finals)
      if (closing.how === 'delivered') this.#oldestDelivered = Math.min(this.#oldestDelivered, ran)
    return { taken, header: size }
  }

  #takeTold(room: number): readonly Told[] {
    let count = 0
    for (const told of this.#told) {
      room -= toldSize(told)
      if (room < 0) break
      count++
    }
    return this.#told.splice(0, count)
  }

  #entryOf({ pendings, due, destination, state, heads, records, bytes, oldest }: Group): PendingEntry {
    const later = { due, destination, state, records: heads, ...(oldest === Infinity ? {} : { oldest }) }
    return this.#entry('later', pendings, later, records, bytes, [])
  }

  #entry(
    kind: 'outcome' | 'later',
    pendings: readonly Pending[],
    later: Later | undefined,
    records: readonly MailRecord[],
    bytes: number,
    told: readonly Told[],
  ): PendingEntry {
    let oldestDelivered = Infinity
    for (const { closing, ran } of pendings) {
      this.tasks -= closing.positions.length
      if (closing.how === 'delivered') oldestDelivered = Math.min(oldestDelivered, ran)
    }
    const id = this.#newId()
    return {
      id,
      kind,
      pendings,
      later,
      told,
      records,
      bytes,
      oldestDelivered,
      firstSent: undefined,
      unknownTries: 0,
      mark: 0,
    }
  }
}

/** Upper bound of what a record takes in a batch; the codec is not run for an estimate. */
export function recordBytes({ envelope, content }: MailRecord): number {
  const { from, envid, recipients, attempts, accepted, helo, traceparent, batch, id, body, report, newer } = envelope
  let size = 700 + content.length
  for (const { address, orcpt, notify } of recipients) {
    size += 50 + textSize(address) + sizeOf(orcpt)
    if (notify !== undefined) size += textsSize(notify)
  }
  for (const text of [id, from, envid, batch, helo, traceparent, attempts.lastReply, attempts.lastHost, body?.id])
    size += sizeOf(text)
  if (accepted !== undefined) for (const text of Object.values(accepted) as (string | undefined)[]) size += sizeOf(text)
  if (report !== undefined) size += reportSize(report.record, report.recipients)
  if (newer !== undefined) size += textSize(JSON.stringify(newer))
  return size
}

const sizeOf = (text: string | undefined) => (text === undefined ? 0 : textSize(text))
