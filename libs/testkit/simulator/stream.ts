/**
 * One JetStream stream as its clients see it: sequences, remembered ids, checks of the last lease, limits that are looked
 * at before duplicates, a leader that changes, is missing, silent or out of date, and publishes that are under way for a
 * while. Messages that were removed are kept with the time of it, for replicas that lag.
 */
import type { PublishAnswer, Refusal } from '@posthouse/core/answer'
import type { EntryHeader } from '@posthouse/core/entry'
import type { Lease } from '@posthouse/core/lease'
import type { MailRecord } from '@posthouse/core/record'
import { EPOCH } from './machine-clock.ts'
import type { Random } from './random.ts'
import type { Timeline } from './timeline.ts'

export interface Message {
  readonly subject: 'mail' | 'lease' | 'outcome' | 'later' | 'late' | 'chunk'
  /** Its Nats-Msg-Id. */
  readonly id: string
  readonly records: readonly MailRecord[]
  readonly header: EntryHeader | undefined
  readonly lease: Lease | undefined
  readonly body: string | undefined
  /** Stored only if the last lease has this sequence. */
  readonly expected: number | undefined
}
/** What a message has only if it has it. */
export const NO_PARTS = { header: undefined, lease: undefined, body: undefined } as const

export interface Stored extends Message {
  readonly seq: number
  /** True time of its storing; storedAt is what the servers say. */
  readonly at: number
  readonly storedAt: number
  removedAt: number
}

/** `undefined`: nobody answers. */
export type Reply = (answer: PublishAnswer | undefined) => void

interface UnderWay {
  readonly message: Message
  readonly reply: Reply
}

const refused = (why: Refusal): PublishAnswer => ({ is: 'refused', why })
const NO_LEADER = refused('no-leader')
const FULL = refused('full')
const IN_FLIGHT = refused('in-flight')
const WRONG_LAST = refused('wrong-last')
const BUSY = refused('busy')

export class Stream {
  readonly name: string
  readonly messages: Stored[] = []
  readonly leases: Stored[] = []
  /** 'leaderless': refused at once; 'silent': the leader is stopped or cut off, and what it is sent may be stored later. */
  leader: 'up' | 'leaderless' | 'silent' = 'up'
  /** A second leader that does not know better answers half of the calls with the state of this time. */
  staleSince: number | undefined
  /** How long the replicas take, ms. */
  slowness = 0
  full: 'no' | 'large' | 'all' = 'no'
  /** Clock of the leader's machine. */
  clockError = 0
  readonly #windowMs: number
  readonly #timeline: Timeline
  readonly #random: Random
  readonly #onStored: (stored: Stored) => void
  readonly #ids = new Map<string, Stored>()
  #underWay: UnderWay[] = []
  #checkedUnderWay = 0
  #stuck: UnderWay[] = []

  constructor(
    name: string,
    windowMs: number,
    timeline: Timeline,
    random: Random,
    onStored: (stored: Stored, stream: Stream) => void,
  ) {
    this.name = name
    this.#windowMs = windowMs
    this.#timeline = timeline
    this.#random = random
    this.#onStored = (stored) => onStored(stored, this)
  }

  publish(message: Message, reply: Reply): void {
    const random = this.#random
    if (this.staleSince !== undefined && random.chance(0.5)) {
      reply(this.#staleAnswer(message, this.staleSince))
      return
    }
    if (this.leader === 'leaderless') {
      reply(NO_LEADER)
      return
    }
    if (this.leader === 'silent') {
      if (random.chance(0.5)) this.#stuck.push({ message, reply })
      else reply(undefined)
      return
    }
    if (this.full === 'all' || (this.full === 'large' && message.records.length > 0)) {
      reply(FULL)
      return
    }
    const known = this.#known(message.id)
    if (known !== undefined) {
      reply({ is: 'stored', seq: known.seq, duplicate: true })
      return
    }
    if (this.#underWay.some((other) => other.message.id === message.id)) {
      reply(IN_FLIGHT)
      return
    }
    if (message.expected !== undefined) {
      if (this.#checkedUnderWay > 0) {
        reply(random.chance(0.5) ? BUSY : WRONG_LAST)
        return
      }
      if (this.lastLease !== message.expected) {
        reply(WRONG_LAST)
        return
      }
      this.#checkedUnderWay++
    }
    const underWay = { message, reply }
    this.#underWay.push(underWay)
    this.#timeline.after(random.between(0.2, 1) + this.slowness * random.next(), () => this.#settle(underWay, true))
  }

  get lastLease(): number {
    return this.leases.at(-1)?.seq ?? 0
  }

  /** Removal needs a leader; false: nobody answers. */
  remove(which: 'below' | 'exactly' | 'body', what: number | string): Stored[] | undefined {
    if (this.leader !== 'up' || (this.staleSince !== undefined && this.#random.chance(0.5))) return undefined
    const removed: Stored[] = []
    const { now } = this.#timeline
    const take = (stored: Stored | undefined) => {
      if (stored === undefined || stored.removedAt <= now) return
      stored.removedAt = now
      removed.push(stored)
    }
    if (which === 'exactly') take(this.messages[(what as number) - 1])
    else if (which === 'below') for (let seq = 1; seq < (what as number); seq++) take(this.messages[seq - 1])
    else for (const stored of this.messages) if (stored.body === what) take(stored)
    return removed
  }

  trim(before: number, olderThan: number): Stored[] | undefined {
    if (this.leader !== 'up') return undefined
    const { now } = this.#timeline
    const isOld = ({ subject, seq, storedAt, removedAt }: Stored) =>
      seq < before && storedAt < olderThan && removedAt > now && (subject === 'outcome' || subject === 'late')
    const removed = this.messages.filter(isOld)
    for (const stored of removed) stored.removedAt = now
    return removed
  }

  /** What a replica that lags by `lag` ms shows. */
  isVisible(stored: Stored, lag: number): boolean {
    const time = this.#timeline.now - lag
    return stored.at <= time && stored.removedAt > time
  }
  isPresent(seq: number): boolean {
    const stored = this.messages[seq - 1]
    return stored !== undefined && stored.removedAt > this.#timeline.now
  }

  /** The last lease by the word of a leader; undefined: nobody answers. */
  readLease(): Stored | 'none' | undefined {
    if (this.staleSince !== undefined && this.#random.chance(0.5)) return this.#leaseAt(this.staleSince) ?? 'none'
    if (this.leader !== 'up') return undefined
    return this.leases.at(-1) ?? 'none'
  }

  #leaseAt(time: number): Stored | undefined {
    return this.leases.findLast(({ at }) => at <= time)
  }

  /** A new leader: what was under way is stored or gone, and nobody hears of it. */
  changeLeader(clockError: number, forgets: boolean): void {
    for (const one of Array.from(this.#underWay)) {
      const { reply } = one
      this.#settle({ ...one, reply: () => reply(undefined) }, this.#random.chance(0.5), one)
    }
    this.clockError = clockError
    this.staleSince = undefined
    // Ids of messages that are still there are read from the disk again.
    const { now } = this.#timeline
    if (forgets) for (const [id, stored] of this.#ids) if (stored.removedAt <= now) this.#ids.delete(id)
  }

  lead(leader: Stream['leader']): void {
    this.leader = leader
    if (leader !== 'up') return
    const stuck = this.#stuck
    this.#stuck = []
    for (const { message, reply } of stuck) {
      if (this.#random.chance(0.5)) this.publish(message, reply)
      else reply(undefined)
    }
  }

  /** Nothing is under way or waits to be taken up. */
  get isCalm(): boolean {
    return this.#underWay.length === 0 && this.#stuck.length === 0
  }

  #settle(underWay: UnderWay, isStored: boolean, listed = underWay): void {
    const at = this.#underWay.indexOf(listed)
    if (at < 0) return
    this.#underWay.splice(at, 1)
    const { message, reply } = underWay
    if (message.expected !== undefined) this.#checkedUnderWay--
    if (!isStored) {
      reply(undefined)
      return
    }
    const { now } = this.#timeline
    const seq = this.messages.length + 1
    const storedAt = Math.floor(EPOCH + now + this.clockError)
    const { subject, id, records, header, lease, body, expected } = message
    const stored: Stored = {
      subject,
      id,
      records,
      header,
      lease,
      body,
      expected,
      seq,
      at: now,
      storedAt,
      removedAt: Infinity,
    }
    this.messages.push(stored)
    if (subject === 'lease') this.leases.push(stored)
    this.#ids.set(id, stored)
    this.#onStored(stored)
    reply({ is: 'stored', seq, duplicate: false })
  }

  #known(id: string): Stored | undefined {
    const known = this.#ids.get(id)
    if (known === undefined || this.#timeline.now - known.at <= this.#windowMs) return known
    this.#ids.delete(id)
    return undefined
  }

  #staleAnswer(message: Message, since: number): PublishAnswer | undefined {
    const known = this.#known(message.id)
    if (known !== undefined && known.at <= since) return { is: 'stored', seq: known.seq, duplicate: true }
    if (message.expected === undefined) return undefined
    return (this.#leaseAt(since)?.seq ?? 0) === message.expected ? undefined : WRONG_LAST
  }
}
