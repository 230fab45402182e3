/**
 * The delivery side of the queue: one machine per partition, run on the store, and the membership that says which
 * partitions this node should own. The contract is in port.ts.
 */
import { randomBytes } from 'node:crypto'
import type { EntryHeader } from '@posthouse/core/entry'
import { connectStore, type StoreOptions } from './jetstream/jetstream-store.ts'
import { SILENT, type QueueLog } from './log.ts'
import { Membership } from './membership.ts'
import { PartitionShell } from './partition-shell.ts'
import type { DeliverPort, DeliveryEngine, Readiness } from './port.ts'
import type { Store } from './store.ts'

/** For counters; called once per entry, never per message. */
export interface DeliverObserver {
  entryStored?(kind: 'outcome' | 'later', header: EntryHeader, ms: number): void
  possibleDuplicates?(tasks: number): void
  /** The log is full: readers may never hear of so many events. */
  eventsLost?(events: number): void
  /** Bodies that no message refers to were purged. */
  bodiesSwept?(bodies: number): void
}

export interface DeliverQueueOptions {
  /** Node name; others rank it. */
  readonly name: string
  readonly log?: QueueLog
  readonly observer?: DeliverObserver
  /** Bytes of open batches in memory, over all partitions of this node. */
  readonly openBytes?: number
  /** A body that no message refers to is purged when it is so old, ms: longer than an edge takes to store its message. */
  readonly sweepBodiesAfter?: number
}

const FIGURES_EVERY_MS = 2000
const OPEN_BYTES = 96 * 1024 * 1024

export interface OwnedPartition {
  readonly partition: number
  readonly phase: PartitionShell['phase']
  readonly ready: number
  readonly later: number
  readonly bytes: number
}

export class DeliverQueue implements DeliverPort {
  readonly #store: Store
  readonly #options: DeliverQueueOptions
  readonly #node = randomBytes(9).toString('base64url')
  #membership: Membership | undefined
  #shells: PartitionShell[] = []
  #stopHearing: (() => void) | undefined
  #figures: NodeJS.Timeout | undefined

  constructor(store: Store, options: DeliverQueueOptions) {
    this.#store = store
    this.#options = options
  }

  async start(engine: DeliveryEngine): Promise<void> {
    const { name, log = SILENT, observer = {}, openBytes = OPEN_BYTES, sweepBodiesAfter } = this.#options
    const store = this.#store
    const membership = new Membership(store, { node: this.#node, name })
    this.#membership = membership
    let ids = 0
    const newId = () => `${this.#node}.${(ids++).toString(36)}`
    for (let partition = 0; partition < store.partitions; partition++) {
      this.#shells.push(
        new PartitionShell({
          store,
          partition,
          node: this.#node,
          name,
          newId,
          openBytes: Math.ceil(openBytes / store.partitions),
          sweepBodiesAfter,
          engine,
          rank: () => membership.rank(partition),
          log,
          observer,
        }),
      )
    }
    this.#figures = setInterval(() => this.#tellFigures(), FIGURES_EVERY_MS)
    this.#stopHearing = store.onLease((partition, lease) => {
      if (lease.node !== this.#node) this.#shells[partition]?.heard(lease.released)
    })
  }

  async stop(drainMs: number): Promise<void> {
    this.#membership?.abstain()
    let timer: NodeJS.Timeout | undefined
    const deadline = new Promise<void>((resolve) => (timer = setTimeout(resolve, drainMs)))
    await Promise.race([Promise.all(this.#shells.map((shell) => shell.stop())), deadline])
    clearTimeout(timer)
    for (const shell of this.#shells) if (shell.phase !== 'stopped') shell.abandon()
    this.#stopHearing?.()
    clearInterval(this.#figures)
    this.#membership?.close()
    for (const shell of this.#shells) shell.close()
    await this.#store.close()
  }

  #tellFigures(): void {
    for (const shell of this.#shells) {
      const figures = shell.figures()
      if (figures === undefined) continue
      this.#store.announceFigures({ partition: shell.partition, owner: this.#options.name, ...figures })
    }
  }

  notReady(): Readiness {
    const reason = this.#store.disconnected()
    return reason === undefined ? undefined : { why: 'unavailable', reason }
  }

  /** What this node owns or is about to. */
  owned(): OwnedPartition[] {
    return this.#shells
      .filter(({ phase }) => phase !== 'following' && phase !== 'stopped')
      .map(({ partition, phase, backlog }) => ({ partition, phase, ...backlog }))
  }
}

/** Resolves when the streams exist; rejects with one clear line (see connectStore) when they cannot. */
export async function connectDeliverQueue(options: StoreOptions & DeliverQueueOptions): Promise<DeliverQueue> {
  return new DeliverQueue(await connectStore({ ...options, as: 'delivery' }), options)
}

/** For tests, and for a store that is connected already. The queue owns the store from here on and closes it. */
export function deliverQueueOn(store: Store, options: DeliverQueueOptions): DeliverQueue {
  return new DeliverQueue(store, options)
}
