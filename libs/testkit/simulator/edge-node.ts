/**
 * An edge node: the committer, carried out on the simulated servers, and the bodies of large messages. It tells every client
 * what became of its message, unless it dies before.
 */
import type { PublishAnswer } from '@posthouse/core/answer'
import { Committer, COMMITTER_DEFAULTS, type Effect, type ItemFate } from '@posthouse/core/committer'
import { TRY_TIMEOUT_MS, type Batch } from '@posthouse/core/pending-batch'
import type { MailRecord } from '@posthouse/core/record'
import type { Cluster } from './cluster.ts'
import type { Ledger } from './ledger.ts'
import type { Process } from './process.ts'
import type { Random } from './random.ts'
import type { Story } from './story.ts'
import type { Timeline } from './timeline.ts'
import { Link, type Caller } from './wire.ts'

export interface EdgeWorld {
  readonly timeline: Timeline
  readonly random: Random
  readonly cluster: Cluster
  readonly ledger: Ledger
  readonly story: Story | undefined
  /** A batch is refused only if every try of it was (rule 'everyTryRefused'). */
  readonly everyTryRefused: boolean
  /** Records that fit into a batch. */
  readonly batchRecords: number
  readonly giveUpMs: number
  /** A body that took longer is refused (body-writer.ts). */
  readonly longestBodyMs: number
  newId(): string
  step(process: Process): void
}

const HINTS_EVERY_MS = 1_000
const SIZE = 1_000
/** How often a chunk is tried, and how long to wait in between. */
const CHUNK_TRIES = 4
const CHUNK_WAIT_MS = 300

export class EdgeNode implements Caller {
  readonly process: Process
  readonly link = new Link()
  /** Chance that a client goes on sending for a while when the body is stored. */
  slowUpload = 0
  readonly #world: EdgeWorld
  #committer: Committer<MailRecord> | undefined
  #wakeAt = Infinity
  #pumpIsDue = false
  /** Tries of each batch that was begun. */
  #tries = new Map<string, number>()

  constructor(process: Process, world: EdgeWorld) {
    this.process = process
    this.#world = world
    world.cluster.onLease(this, (partition, lease) =>
      this.#call(() => this.#committer?.lease(partition, lease, this.#now)),
    )
  }

  get #now(): number {
    return this.process.clock.mono
  }

  /** Items without a fate. */
  get waiting(): number {
    return this.process.up ? (this.#committer?.items ?? 0) : 0
  }

  start(): void {
    const { process } = this
    const { cluster, random, newId, story, batchRecords, giveUpMs } = this.#world
    process.begin()
    story?.tell(process.name, `starts as ${process.id}`)
    const settings = {
      ...COMMITTER_DEFAULTS,
      partitions: cluster.partitions.length,
      giveUpMs,
      maxRecords: batchRecords,
      maxBytes: batchRecords * SIZE,
    }
    this.#committer = new Committer<MailRecord>(settings, () => random.next(), newId)
    this.#tries = new Map()
    this.#wakeAt = Infinity
    this.#pumpIsDue = false
    this.#hints()
  }

  /** A client has sent this message. */
  accept(record: MailRecord): void {
    const { process, link } = this
    process.run(process.incarnation, () => {
      const { body } = record.envelope
      this.#world.story?.tell(process.name, `is given ${record.envelope.id}`)
      if (body === undefined) {
        this.#offer(record, undefined)
        return
      }
      const partition = link.noticedAt <= this.#world.timeline.now ? undefined : this.#committer!.placeBody(this.#now)
      if (partition === undefined) this.#tell([record], { is: 'refused', why: 'unavailable' })
      else this.#putBody(record, body.id, partition, 1, this.#now)
    })
  }

  /** The chunk that stands for all of a body, tried since `begun`. */
  #putBody(record: MailRecord, body: string, partition: number, tries: number, begun: number): void {
    const { cluster, random, longestBodyMs } = this.#world
    cluster.putBody(this, partition, body, (answer) => {
      if (answer.is === 'stored') {
        const sends = random.chance(this.slowUpload) ? random.spread(100, longestBodyMs) : 0
        if (sends === 0) this.#finishBody(record, partition, begun)
        else this.#later(sends, () => this.#finishBody(record, partition, begun))
      } else if (tries >= CHUNK_TRIES) this.#refuse(record, partition)
      else this.#later(CHUNK_WAIT_MS, () => this.#putBody(record, body, partition, tries + 1, begun))
    })
  }

  #finishBody(record: MailRecord, partition: number, begun: number): void {
    if (this.#now - begun > this.#world.longestBodyMs) this.#refuse(record, partition)
    else this.#offer(record, partition)
  }

  #refuse(record: MailRecord, partition: number): void {
    this.#tell([record], { is: 'refused', why: 'unavailable' })
    this.#takeBack(record, partition)
  }

  #offer(record: MailRecord, bound: number | undefined): void {
    const refused = this.#committer!.offer(record, SIZE, this.#now, bound)
    if (refused !== undefined) this.#tell([record], refused)
    this.#pumpSoon()
  }

  #call(use: () => void): void {
    const { process } = this
    const { incarnation } = process
    this.#world.step(process)
    process.run(incarnation, () => {
      use()
      this.#carryOut(incarnation)
    })
  }

  #carryOut(incarnation: number): void {
    for (const effect of this.#committer!.take()) {
      this.process.run(incarnation, () => this.#do(effect))
      this.#world.step(this.process)
    }
  }

  #do(effect: Effect<MailRecord>): void {
    const { cluster, story } = this.#world
    switch (effect.do) {
      case 'publish': {
        const { batch, number } = effect
        this.#tries.set(batch.id, number + 1)
        story?.tell(this.process.name, `publishes batch ${batch.id} to ${batch.partition}, try ${number}`)
        cluster.appendMail(this, batch.partition, batch.id, batch.items, TRY_TIMEOUT_MS, (answer) =>
          this.#answered(batch, number, answer),
        )
        return
      }
      case 'nudge':
        cluster.nudge(this, effect.partition, effect.seq)
        return
      case 'done':
        this.#tell(effect.items, effect.fate)
        return
      case 'use':
      case 'strange':
    }
  }

  #answered(batch: Batch<MailRecord>, number: number, answer: PublishAnswer): void {
    if (answer.is !== 'stored') {
      const what = answer.is === 'refused' ? answer.why : answer.is
      this.#world.story?.tell(this.process.name, `try ${number} of batch ${batch.id}: ${what}`)
    }
    this.#call(() => {
      if (answer.is === 'refused' && answer.why !== 'in-flight' && !this.#world.everyTryRefused) {
        for (let other = 0; other < (this.#tries.get(batch.id) ?? 0); other++) {
          this.#committer!.answered(batch, other, answer, this.#now)
        }
      } else this.#committer!.answered(batch, number, answer, this.#now)
    })
    this.#pumpSoon()
  }

  #tell(records: readonly MailRecord[], fate: ItemFate): void {
    for (const record of records) {
      const { id } = record.envelope
      this.#world.story?.tell(this.process.name, `says ${fate.is} of ${id}`)
      this.#world.ledger.told(id, fate.is)
    }
    // A body may go only if its batch surely does not exist.
    if (fate.is === 'refused') for (const record of records) this.#takeBack(record, undefined)
  }

  #takeBack({ envelope: { body } }: MailRecord, partition: number | undefined): void {
    if (body === undefined) return
    const { cluster } = this.#world
    for (const { number } of cluster.partitions) {
      if (partition === undefined || partition === number) cluster.purgeBody(this, number, body.id, () => {})
    }
  }

  #hints(): void {
    const { cluster } = this.#world
    this.#call(() => {
      for (const { number, mail, log } of cluster.partitions) {
        const leader = mail.leader === 'up' && log.leader === 'up'
        this.#committer!.hint(number, { leader, used: mail.full === 'no' ? 0.1 : 0.9 }, this.#now)
      }
    })
    if (this.waiting > 0) this.#pumpSoon()
    this.#later(HINTS_EVERY_MS, () => this.#hints())
  }

  #pumpSoon(): void {
    if (this.#pumpIsDue) return
    this.#pumpIsDue = true
    this.#later(0, () => {
      this.#pumpIsDue = false
      this.#pump()
    })
  }

  #pump(): void {
    const { timeline } = this.#world
    this.#call(() => this.#committer!.pump(this.#now, this.link.noticedAt > timeline.now))
    const now = this.#now
    const wait = (this.#committer!.wakeAt(now) - now) / this.process.clock.rate
    if (wait === Infinity) return
    const at = timeline.now + Math.max(wait, 1)
    if (at >= this.#wakeAt && this.#wakeAt > timeline.now) return
    this.#wakeAt = at
    this.#later(at - timeline.now, () => {
      if (this.#wakeAt !== at) return
      this.#wakeAt = Infinity
      this.#pump()
    })
  }

  #later(ms: number, run: () => void): void {
    const { process } = this
    const { incarnation } = process
    this.#world.timeline.after(ms, () => process.run(incarnation, run))
  }
}
