/**
 * The delivery engine: takes deliveries from the queue, splits them by destination, and runs the lanes within the node's
 * limit of connections. All that happens by time (limits of phases, parking, idle connections, held jobs) happens in one
 * tick. It keeps nothing on its own account: what it drops, the queue gives again.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { RouteTable } from '@posthouse/core/route-table'
import { keptTrace } from '@posthouse/core/traceparent'
import type { Delivery, DeliveryEngine } from '@posthouse/queue/port'
import type { Metrics } from '@posthouse/runtime/metrics/registry'
import { takeCensus } from './census.ts'
import type { Census } from './census.ts'
import type { Closer } from './closer.ts'
import type { Dialled } from './dialler.ts'
import { DeliveryStart } from './job.ts'
import type { Job } from './job.ts'
import { Lane } from './lane.ts'
import type { LaneHost, LaneLimits, Waiting } from './lane-host.ts'
import type { metricsTable } from './metrics.ts'
import type { SmtpClient } from './smtp-client.ts'

export interface EngineOptions {
  readonly routes: RouteTable
  readonly closer: Closer
  readonly limits: LaneLimits
  /** Connections of the node. */
  readonly connections: number
  readonly recipientsPerTransaction: number
  readonly dial: (destination: string) => Promise<Dialled>
  /** Transactions of hosts that took too long for a node that stops. */
  readonly onLetGo: (transactions: number) => void
  readonly metrics: Metrics<typeof metricsTable>
  readonly now: () => number
  readonly chance: () => number
}

const TICK_MS = 250
/** When it closes, connections that are gone are noticed this often. */
const CLOSING_MS = 10
/** A held job is looked at this often. */
const HELD_MS = 50

export class Engine implements DeliveryEngine, LaneHost {
  readonly closer: Closer
  readonly limits: LaneLimits
  readonly #options: EngineOptions
  readonly #lanes = new Map<string, Lane>()
  /** Every connection from its first moment to its last. */
  readonly #clients = new Set<SmtpClient>()
  readonly #waiting = new Set<Waiting>()
  #called: Waiting | undefined
  #held: Job[] = []
  #heldTimer: NodeJS.Timeout | undefined
  #places: number
  readonly #ticker: NodeJS.Timeout
  readonly #opened
  readonly #tls
  #census: Census | undefined
  #closing = false
  #lettingGo: 'unsent' | 'all' | undefined

  constructor(options: EngineOptions) {
    this.#options = options
    this.closer = options.closer
    this.limits = options.limits
    this.#places = options.connections
    const { connectionsOpened } = options.metrics
    const { tlsConnections } = options.metrics
    this.#tls = {
      v12: tlsConnections.with({ version: 'TLSv1.2' }),
      v13: tlsConnections.with({ version: 'TLSv1.3' }),
      other: tlsConnections.with({ version: 'other' }),
    }
    this.#opened = {
      tls: connectionsOpened.with({ result: 'tls' }),
      plain: connectionsOpened.with({ result: 'plain' }),
      failed: connectionsOpened.with({ result: 'failed' }),
    }
    this.#ticker = setInterval(() => this.#tick(), TICK_MS)
  }

  give(delivery: Delivery): void {
    const { routes, recipientsPerTransaction } = this.#options
    const { recipients } = delivery.envelope
    const address = (position: number): string => recipients[position]?.address ?? ''
    const groups = routes.split(delivery.recipients, address, recipientsPerTransaction)
    const start = new DeliveryStart(delivery, groups.length > 1)
    for (const group of groups)
      this.#lane(group.destination).add({
        delivery,
        start,
        positions: group.items,
        destination: group.destination,
        readyAt: 0,
        startedAt: 0,
        restarts: 0,
      })
  }

  hasRoom(destination: string): boolean {
    // It was stored when the settings may have been others.
    return this.#lanes.get(this.#options.routes.current(destination))?.hasRoom(this.now()) ?? true
  }

  revoke(partition: number): void {
    this.#held = this.#held.filter((job) => job.delivery.partition !== partition)
    for (const lane of this.#lanes.values()) lane.revoke(partition)
  }

  get connections(): number {
    return this.#options.connections - this.#places
  }
  get ready(): number {
    return this.#held.length + this.census.ready
  }
  get destinations(): number {
    return this.#lanes.size
  }

  /** What all lanes come to now; one pass for all that is asked in the same turn. */
  get census(): Census {
    if (this.#census === undefined) {
      this.#census = takeCensus(this.#lanes.values(), this.now())
      queueMicrotask(() => (this.#census = undefined))
    }
    return this.#census
  }

  /** Connections by the way they go out. */
  connectionsByExit(): ReadonlyMap<string, number> {
    const byExit = new Map<string, number>()
    for (const { exit, isGone } of this.#clients) if (!isGone) byExit.set(exit, (byExit.get(exit) ?? 0) + 1)
    return byExit
  }

  /** Ends all connections: in good order, and at once what is left after `patienceMs`. */
  async close(patienceMs: number): Promise<void> {
    this.#closing = true
    const deadline = this.now() + patienceMs
    for (this.#tick(); this.#clients.size > 0; this.#tick()) {
      for (const lane of this.#lanes.values()) lane.close()
      if (this.now() > deadline) for (const client of this.#clients) client.drop()
      else await sleep(CLOSING_MS)
    }
    clearTimeout(this.#heldTimer)
    clearInterval(this.#ticker)
  }

  /**
   * For a node that stops: from now on what has begun goes back to the queue instead of waiting for hosts, so that
   * nothing keeps the partitions from being released. 'unsent': but for what waits for the reply to its final dot.
   */
  letGo(what: 'unsent' | 'all'): void {
    this.#lettingGo = what
    this.#letGo(what)
  }

  #letGo(what: 'unsent' | 'all'): void {
    const begun = this.#held.filter(({ start }) => start.hasBegun)
    this.#held = this.#held.filter(({ start }) => !start.hasBegun)
    this.closer.park(begun, 0)
    let transactions = begun.length
    for (const lane of this.#lanes.values()) transactions += lane.letGo(what === 'all')
    if (transactions > 0) this.#options.onLetGo(transactions)
  }

  /** A connection begins to be opened. */
  watch(client: SmtpClient): void {
    this.#clients.add(client)
  }

  #lane(destination: string): Lane {
    let lane = this.#lanes.get(destination)
    if (lane === undefined) {
      lane = new Lane(destination, this)
      this.#lanes.set(destination, lane)
    }
    return lane
  }

  #tick(): void {
    const now = this.now()
    if (this.#lettingGo !== undefined) this.#letGo(this.#lettingGo)
    for (const client of this.#clients) {
      if (!client.isGone) client.tick(now)
      if (client.isGone) this.#clients.delete(client)
    }
    for (const [key, lane] of this.#lanes) {
      lane.sweep(now)
      if (lane.isForgettable(now)) {
        this.#lanes.delete(key)
        this.#waiting.delete(lane)
      }
    }
  }

  now(): number {
    return this.#options.now()
  }
  chance(): number {
    return this.#options.chance()
  }

  async dial(destination: string): Promise<Dialled> {
    const dialled = await this.#options.dial(destination)
    if (dialled.is !== 'open') this.#opened.failed.inc()
    else if (!dialled.client.isEncrypted) this.#opened.plain.inc()
    else {
      this.#opened.tls.inc()
      this.#countTls(dialled.client.tls ?? '')
    }
    return dialled
  }

  /** `tls` begins with the version. */
  #countTls(tls: string): void {
    const { v12, v13, other } = this.#tls
    const its = tls.startsWith('TLSv1.3 ') ? v13 : tls.startsWith('TLSv1.2 ') ? v12 : other
    its.inc()
  }

  takePlace(lane: Waiting): boolean {
    if (this.#closing) return false
    // Who was called takes one place; for a second it waits like the others.
    const isItsTurn = lane === this.#called || !this.othersWait(lane)
    this.#called = undefined
    // A connection that only waits for more of the same is worth less than one that is needed.
    if (isItsTurn && this.#places === 0) for (const other of this.#lanes.values()) if (other.giveUpIdle()) break
    if (!isItsTurn || this.#places === 0) {
      this.#waiting.add(lane)
      return false
    }
    this.#waiting.delete(lane)
    this.#places -= 1
    return true
  }

  freePlace(): void {
    this.#places += 1
    // In the next turn: who frees a place may be in the middle of something.
    if (this.#waiting.size > 0) setImmediate(() => this.#callWaiting())
  }

  /** Whoever waits longest comes first. */
  #callWaiting(): void {
    for (const lane of this.#waiting) {
      if (this.#places === 0) return
      this.#waiting.delete(lane)
      this.#called = lane
      lane.pump()
      this.#called = undefined
    }
  }

  othersWait(lane: Waiting): boolean {
    return this.#waiting.size > (this.#waiting.has(lane) ? 1 : 0)
  }

  hold(job: Job): void {
    this.#held.push(job)
    this.#heldTimer ??= setTimeout(() => this.#releaseHeld(), HELD_MS)
  }

  #releaseHeld(): void {
    this.#heldTimer = undefined
    const held = this.#held
    this.#held = []
    for (const job of held)
      if (job.delivery.mayFinish()) this.#lane(job.destination).add(job)
      else this.hold(job)
  }

  began(): void {
    this.#options.metrics.transactions.inc()
  }
  ended({ delivery, startedAt }: Job): void {
    const trace = keptTrace(delivery.envelope.traceparent)
    this.#options.metrics.transactionSeconds.observe((this.now() - startedAt) / 1000, trace)
  }

  fenced(): void {
    this.#options.metrics.fenced.inc()
  }
  lostAfterDot(): void {
    this.#options.metrics.lostAfterDot.inc()
  }
}
