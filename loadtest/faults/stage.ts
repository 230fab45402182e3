// A room with its far ends, kept for several faults one after the other: each gets a history of its own, and of the logs only
// what is new since the last.

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { MailEvent } from '@posthouse/core/event'
import type { EventCursor } from '@posthouse/queue/event-feed'
import { drain } from '../drain.ts'
import { History } from '../history.ts'
import { queueCount } from '../queue-count.ts'
import { bringUp } from './bring-up.ts'
import type { Mark } from './fault.ts'
import { readLogEvents, type LogEvent } from './log-events.ts'
import { readTold } from './read-told.ts'
import { possibleDuplicatesIn, type PossibleDuplicate } from './node-logs.ts'
import { openRoom } from './open-room.ts'
import type { Room, RoomOptions } from './room.ts'
import type { Sites } from './sites.ts'
import { startSites } from './start-sites.ts'

const READY_MS = 120_000
const QUIET_MS = 15_000

/** What became of a run's mail, once nothing moves any more. */
export interface Aftermath {
  readonly history: History
  /** Recipients still queued; null when nobody could be asked. */
  readonly queued: number | null
  readonly events: readonly LogEvent[]
  /** What a reader of events was told since the last time. */
  readonly told: readonly MailEvent[]
  /** Why the logs could not be read; then there are no events. */
  readonly unreadable?: string
  readonly possible: readonly PossibleDuplicate[]
}

export class Stage implements AsyncDisposable {
  readonly room: Room
  readonly sites: Sites
  /** Marks of the run before: what it broke may still be felt. */
  formerMarks: readonly Mark[] = []
  readonly #delayable: boolean
  readonly #history: { now: History }
  #toldTo: EventCursor = []
  readonly #seen = { events: new Map<number, number>(), possible: new Map<string, number>() }

  private constructor(room: Room, sites: Sites, history: { now: History }, delayable: boolean) {
    this.#delayable = delayable
    this.room = room
    this.sites = sites
    this.#history = history
  }

  static async open(options: RoomOptions): Promise<Stage> {
    const room = await openRoom(options)
    const history = { now: new History() }
    try {
      const sites = await startSites({
        addresses: room.sites.addresses,
        port: room.sites.port,
        dns: room.dns,
        nameOf: (address) => room.nameOf(address),
        record: (arrival) => history.now.arrivals.push(arrival),
      })
      const stage = new Stage(room, sites, history, options.delayable === true)
      await room.start()
      return stage
    } catch (error) {
      await room[Symbol.asyncDispose]()
      throw error
    }
  }

  get history(): History {
    return this.#history.now
  }

  /** Whatever still hangs, is down or cut is put right; resolves when every node is ready. */
  async heal(): Promise<void> {
    this.sites.heal()
    if (this.#delayable) this.room.delay(0)
    if (this.room.isolated) await this.room.links.healAll()
    for (const node of this.room.nodes()) node.thaw()
    await bringUp(this.room.nodes(), READY_MS)
  }

  /** Waits until what was accepted has found its end. */
  async settle(timeoutMs: number, signal: AbortSignal): Promise<Aftermath> {
    const { history, room } = this
    const ask = () => queueCount({ config: room.queueFile })
    const queued = await drain({ history, queued: ask, timeoutMs, quietMs: QUIET_MS, signal })
    const possible = await this.#newPossibleDuplicates()
    this.#history.now = new History()
    try {
      return { history, queued, possible, events: await this.#newEvents(), told: await this.#newTold() }
    } catch (error) {
      return { history, queued, possible, events: [], told: [], unreadable: (error as Error).message }
    }
  }

  async #newEvents(): Promise<LogEvent[]> {
    const seen = this.#seen.events
    const events = (await readLogEvents(this.room.queueFile)).filter(
      ({ partition, seq }) => seq > (seen.get(partition) ?? 0),
    )
    for (const { partition, seq } of events) seen.set(partition, Math.max(seq, seen.get(partition) ?? 0))
    return events
  }

  async #newTold(): Promise<MailEvent[]> {
    const { events, cursor } = await readTold(this.room.queueFile, this.#toldTo)
    this.#toldTo = cursor
    return events
  }

  async #newPossibleDuplicates(): Promise<PossibleDuplicate[]> {
    const seen = this.#seen.possible
    const found: PossibleDuplicate[] = []
    // Of all nodes there ever were: one that was removed may have counted before.
    for (const name of await readdir(this.room.dir)) {
      if (!/^delivery-.*\.log$/.test(name)) continue
      const logFile = join(this.room.dir, name)
      const all = await possibleDuplicatesIn(logFile)
      found.push(...all.slice(seen.get(logFile) ?? 0))
      seen.set(logFile, all.length)
    }
    return found
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sites[Symbol.asyncDispose]()
    await this.room[Symbol.asyncDispose]()
  }
}
