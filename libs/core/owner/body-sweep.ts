/**
 * The sweep of bodies that no record refers to. An edge stores the chunks of a body first and the batch that refers to it
 * last, and may die in between; a chunk may arrive after the purge of its body. Nobody says so: the owner looks what lies in
 * the body stream, now and then, and purges
 *  - what is older than any record of it may still come: an edge gives a body up long before;
 *  - and that no record refers to which the owner knows,
 *  - when it has read MAIL up to a batch that was stored when the body was already so old. It must have seen that batch: what
 *    a replica or a deposed leader does not show proves nothing. Where no mail comes, the owner stores a mark to read: a
 *    record without recipients.
 * All times are the servers'. What is true of a body once stays true, so that a purge that arrives late, or one of a former
 * owner, takes nothing that is needed.
 */
import type { MailRecord } from '../record.ts'
import type { ListedBody, Moment, OwnerEffect } from './effect.ts'
import type { Holdings } from './holdings.ts'
import type { Rules, Times } from './rules.ts'

/** The stream is looked at so often before a body that came right after a look is old, and soon after a takeover. */
const LOOKS_PER_AGE = 24
const FIRST_LOOK = 1 / 12
const PURGES_AT_ONCE = 16

export interface BodySweepOptions {
  readonly rules: Rules
  readonly times: Times
  readonly newId: () => string
  readonly chance: () => number
  readonly emit: (effect: OwnerEffect) => void
}

export class BodySweep {
  readonly #options: BodySweepOptions
  readonly #age: number
  /** Monotonic time of the next look; -Infinity: the partition has just been taken over. */
  #lookAt = -Infinity
  #looking = false
  /** Old and unknown when they were listed. They go when MAIL has been read far enough. */
  #old: readonly ListedBody[] = []
  readonly #purging = new Map<string, ListedBody>()
  #swept = { bodies: 0, bytes: 0 }

  constructor(options: BodySweepOptions) {
    this.#options = options
    this.#age = options.rules.sweepsOld ? options.times.sweepAge : 0
  }

  /** Monotonic time at which sweep() has something to do. */
  nextAt(): number {
    if (this.#old.length > 0) return -Infinity
    return this.#looking ? Infinity : this.#lookAt
  }

  /** Call while the lease has its margin. */
  sweep(holdings: Holdings, now: Moment): void {
    this.#look(now)
    const waiting: ListedBody[] = []
    for (const body of this.#old) {
      if (this.#isKnown(holdings, body)) continue
      if (this.#purging.size < PURGES_AT_ONCE && this.#isReadBeyond(holdings, body)) {
        this.#purging.set(body.id, body)
        this.#options.emit({ do: 'purge-body', body: body.id })
      } else waiting.push(body)
    }
    this.#old = waiting
  }

  /** Nodes that start together, and the partitions of one, shall not look all at once. */
  #look(now: Moment): void {
    if (this.#looking || now.mono < this.#lookAt) return
    const { times, chance, emit } = this.#options
    const isFirst = this.#lookAt === -Infinity
    const every = times.sweepAge / LOOKS_PER_AGE
    this.#lookAt = now.mono + every * (isFirst ? FIRST_LOOK : 1) * (0.75 + 0.5 * chance())
    if (isFirst) return
    this.#looking = true
    emit({ do: 'list-bodies' })
  }

  /** What is listed may be too little, never too much; nothing is concluded from what is missing. */
  listed(holdings: Holdings, bodies: readonly ListedBody[] | undefined, now: Moment): void {
    this.#looking = false
    if (bodies === undefined) return
    const oldest = holdings.serverNow(now) - this.#age
    this.#old = bodies.filter(
      (body) => body.newestAt <= oldest && !this.#isKnown(holdings, body) && !this.#purging.has(body.id),
    )
    if (this.#old.every((body) => this.#isReadBeyond(holdings, body))) return
    const id = this.#options.newId()
    this.#options.emit({ do: 'mark-mail', id, records: [mark(id)] })
  }

  purged(id: string, done: boolean): void {
    const body = this.#purging.get(id)
    if (body === undefined) return
    this.#purging.delete(id)
    if (done) {
      this.#swept.bodies++
      this.#swept.bytes += body.bytes
    }
    if (this.#purging.size > 0 || this.#swept.bodies === 0) return
    this.#options.emit({ do: 'swept', ...this.#swept })
    this.#swept = { bodies: 0, bytes: 0 }
  }

  /** The lease is gone. */
  forget(): void {
    this.#lookAt = -Infinity
    this.#looking = false
    this.#old = []
    this.#purging.clear()
    this.#swept = { bodies: 0, bytes: 0 }
  }

  #isKnown({ bodies }: Holdings, { id }: ListedBody): boolean {
    return this.#options.rules.sweepsUnknown && bodies.has(id)
  }

  /** Every record that refers to it has been read: it was stored before the youngest batch that was. */
  #isReadBeyond({ window }: Holdings, { newestAt }: ListedBody): boolean {
    return !this.#options.rules.sweepsAfterReading || window.readTo >= newestAt + this.#age
  }
}

/** Older versions read it too: a batch whose tasks are all closed, as it has none. */
function mark(id: string): MailRecord {
  return {
    envelope: {
      id,
      from: '',
      recipients: [],
      acceptedAt: 0,
      storedAt: 0,
      origin: 0,
      attempts: { count: 0 },
      facts: { size: 0, eightBit: false, eightBitHeader: false, dotLines: false, longestLine: 0, endsWithCrlf: true },
    },
    content: new Uint8Array(0),
  }
}
