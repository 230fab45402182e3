/**
 * The delivery engine of one node process: takes what the owners give, splits it by destination, and runs attempts. It keeps the
 * engine's side of the bargain: begin() before, mayFinish() in the turn of the dot, each position closed once.
 */
import type { OpenBatch } from '@posthouse/core/owner/open-batch'
import type { AttemptFacts, Bounce, Outcome } from '@posthouse/core/outcome'
import type { MailRecord } from '@posthouse/core/record'
import type { Ledger } from './ledger.ts'
import type { Random } from './random.ts'
import type { Reply, Sites } from './sites.ts'

/** What the engine needs of the process it runs in. */
export interface EngineHost {
  readonly random: Random
  readonly sites: Sites
  readonly ledger: Ledger
  /** Runs it in this process, if it lives then. */
  later(ms: number, run: () => void): void
  /** Local wall clock, as an engine would use it. */
  wall(): number
  reachesSites(): boolean
  /** Sites make this node wait so long, ms. */
  stall(): number
  newId(): string
  begin(partition: number, batch: OpenBatch, record: number, positions: readonly number[]): boolean
  mayFinish(partition: number, batch: OpenBatch): boolean
  /** The dot goes out for these. */
  dot(partition: number, batch: OpenBatch, record: number, positions: readonly number[]): void
  close(partition: number, batch: OpenBatch, record: number, positions: readonly number[], outcome: Outcome): void
  tell(what: string): void
}

interface Delivery {
  readonly partition: number
  readonly batch: OpenBatch
  readonly record: number
  readonly positions: readonly number[]
  revoked: boolean
}

const FACTS: AttemptFacts = {}
const MOST_ATTEMPTS = 4
const MOST_HOLD_UPS = 6

export class Engine {
  parks = 0
  readonly #host: EngineHost
  readonly #deliveries = new Set<Delivery>()

  constructor(host: EngineHost) {
    this.#host = host
  }

  get isBusy(): boolean {
    return this.#deliveries.size > 0
  }

  give(partition: number, batch: OpenBatch, record: number, positions: readonly number[]): void {
    const { random, sites } = this.#host
    const groups = new Map<string, number[]>()
    for (const position of positions) {
      const destination = sites.destination(this.#address(batch, record, position))
      const group = groups.get(destination)
      if (group === undefined) groups.set(destination, [position])
      else group.push(position)
    }
    for (const group of groups.values()) {
      const delivery: Delivery = { partition, batch, record, positions: group, revoked: false }
      this.#deliveries.add(delivery)
      const wait = random.chance(0.9) ? random.between(0, 5) : random.spread(5, 3_000)
      this.#host.later(wait, () => this.#start(delivery))
    }
  }

  revoke(partition: number): void {
    for (const delivery of this.#deliveries) {
      if (delivery.partition !== partition) continue
      delivery.revoked = true
      this.#deliveries.delete(delivery)
    }
  }

  #start(delivery: Delivery): void {
    if (delivery.revoked) return
    const { random } = this.#host
    const { partition, batch, record, positions } = delivery
    if (random.chance(this.parks)) {
      this.#park(delivery, random.between(0, 5_000))
      return
    }
    // False: it is not ours any longer, or not to be begun now; then it is given again.
    if (!this.#host.begin(partition, batch, record, positions)) {
      this.#deliveries.delete(delivery)
      return
    }
    this.#attempt(delivery, 0)
  }

  #attempt(delivery: Delivery, holdUps: number): void {
    this.#host.later(this.#host.sites.connectTime(), () => this.#connected(delivery, holdUps))
  }

  #connected(delivery: Delivery, holdUps: number): void {
    if (delivery.revoked) return
    const stall = this.#host.stall()
    if (stall > 0) {
      this.#host.later(stall, () => this.#connected(delivery, holdUps))
    } else if (this.#host.reachesSites()) {
      this.#transaction(delivery, holdUps)
    } else {
      this.#deliveries.delete(delivery)
      this.#close(delivery, delivery.positions, 'deferred')
    }
  }

  #transaction(delivery: Delivery, holdUps: number): void {
    const { partition, batch, record } = delivery
    const { sites } = this.#host
    const taken: number[] = []
    const deferred: number[] = []
    const refused: number[] = []
    const lists = { taken, deferred, refused }
    for (const position of delivery.positions) lists[sites.reply()].push(position)
    if (taken.length > 0) {
      if (!this.#host.mayFinish(partition, batch)) {
        this.#host.tell(`drops the connection before the dot of ${this.#name(delivery)}`)
        if (holdUps < MOST_HOLD_UPS) this.#attempt(delivery, holdUps + 1)
        else this.#park(delivery, 1_000)
        return
      }
      const reply = sites.reply()
      const breaks = sites.breaks()
      // When the connection breaks the site may be through with the message or not.
      const has = reply === 'taken' && !(breaks && this.#host.random.chance(0.5))
      this.#host.dot(partition, batch, record, taken)
      if (has) for (const position of taken) this.#host.ledger.delivered(...this.#identity(delivery, position))
      this.#host.tell(
        `dot for ${this.#name(delivery, taken)}${has ? ', taken' : ''}${breaks ? ', connection lost' : ''}`,
      )
      this.#deliveries.delete(delivery)
      this.#awaitReply(delivery, taken, breaks ? 'lost' : reply)
    } else this.#deliveries.delete(delivery)
    if (deferred.length > 0) this.#close(delivery, deferred, 'deferred')
    if (refused.length > 0) this.#close(delivery, refused, 'refused')
  }

  /** Past the dot it is closed whatever happens: if the lease is gone, as a word to the successor that came too soon. */
  #awaitReply(delivery: Delivery, positions: readonly number[], reply: Reply | 'lost'): void {
    const { sites, ledger } = this.#host
    this.#host.later(sites.replyTime(), () => {
      const lost = reply === 'lost' || !this.#host.reachesSites()
      if (lost) for (const position of positions) ledger.countPossibleDuplicate(...this.#identity(delivery, position))
      this.#close(delivery, positions, lost ? 'deferred' : reply)
    })
  }

  #park(delivery: Delivery, ms: number): void {
    this.#deliveries.delete(delivery)
    const { partition, batch, record, positions } = delivery
    const destination = this.#host.sites.destination(this.#address(batch, record, positions[0]!))
    this.#host.close(partition, batch, record, positions, { how: 'parked', due: this.#host.wall() + ms, destination })
  }

  #close(delivery: Delivery, positions: readonly number[], reply: Reply): void {
    const { partition, batch, record } = delivery
    const { attempts } = batch.records[record]!.envelope
    this.#host.close(partition, batch, record, positions, this.#outcome(delivery, positions, reply, attempts.count))
  }

  #outcome(delivery: Delivery, positions: readonly number[], reply: Reply, attempts: number): Outcome {
    if (reply === 'taken') return { how: 'delivered', facts: FACTS }
    const how = reply === 'refused' ? 'bounced' : attempts + 1 >= MOST_ATTEMPTS ? 'expired' : 'deferred'
    const { batch, record } = delivery
    if (how === 'deferred') {
      const destination = this.#host.sites.destination(this.#address(batch, record, positions[0]!))
      return { how, facts: FACTS, due: this.#host.wall() + this.#host.random.spread(500, 20_000), destination }
    }
    const bounce = this.#bounceOf(batch.records[record]!, positions)
    return bounce === undefined ? { how, facts: FACTS } : { how, facts: FACTS, bounce }
  }

  #bounceOf({ envelope }: MailRecord, positions: readonly number[]): Bounce | undefined {
    const { from, id, facts } = envelope
    if (from === '') return undefined
    const record: MailRecord = {
      envelope: {
        id: `b${this.#host.newId()}`,
        from: '',
        recipients: [{ address: from, index: 0 }],
        acceptedAt: 0,
        storedAt: 0,
        origin: 0,
        attempts: { count: 0 },
        facts,
        report: { record: id, recipients: positions.map((position) => envelope.recipients[position]!.index) },
      },
      content: EMPTY,
    }
    return { record, destination: this.#host.sites.destination(from) }
  }

  #address(batch: OpenBatch, record: number, position: number): string {
    return batch.records[record]!.envelope.recipients[position]!.address
  }
  #identity({ batch, record }: Delivery, position: number): [string, number] {
    const { envelope } = batch.records[record]!
    return [envelope.id, envelope.recipients[position]!.index]
  }
  #name({ batch, record, positions: all }: Delivery, positions = all): string {
    const { id, recipients } = batch.records[record]!.envelope
    return `${id}/${positions.map((position) => recipients[position]!.index).join()}`
  }
}

const EMPTY = new Uint8Array(0)
