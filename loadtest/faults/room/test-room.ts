// A room with destinations, for its own tests: mail goes in at its doors, and who brought it to which recipient is told.

import { once, EventEmitter } from 'node:events'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import type { Arrival } from '../../history.ts'
import { composeMessage } from '../../message.ts'
import { seededRandom } from '../../random.ts'
import { ConnectionLost, SmtpClient } from '../../smtp-client.ts'
import type { Verdict } from '../../smtp-verdict.ts'
import { openRoom } from '../open-room.ts'
import type { Room, RoomOptions } from '../room.ts'
import type { Sites } from '../sites.ts'
import { startSites } from '../start-sites.ts'
import type { Role } from './ports.ts'

const WITHIN_MS = 60_000
const SIZE = 2000
const PATIENCE = { connectMs: 10_000, replyMs: 30_000 }

export class TestRoom implements AsyncDisposable {
  readonly room: Room
  readonly #resources: AsyncDisposableStack
  readonly #sites: Sites
  readonly #arrivals: Map<string, Arrival>
  readonly #news: EventEmitter
  readonly #random = seededRandom(1)
  #sent = 0

  private constructor(
    room: Room,
    resources: AsyncDisposableStack,
    sites: Sites,
    arrivals: Map<string, Arrival>,
    news: EventEmitter,
  ) {
    this.room = room
    this.#resources = resources
    this.#sites = sites
    this.#arrivals = arrivals
    this.#news = news
  }

  /** Everything runs. */
  static async start(options: Pick<RoomOptions, 'edges' | 'deliveries'> & Partial<RoomOptions>): Promise<TestRoom> {
    await using resources = new AsyncDisposableStack()
    const folder = resources.use(await temporaryFolder('room'))
    const signal = new AbortController().signal
    const room = resources.use(await openRoom({ dir: folder.path, signal, say: () => {}, ...options }))
    const arrivals = new Map<string, Arrival>()
    const news = new EventEmitter().setMaxListeners(0)
    const record = (arrival: Arrival) => {
      arrivals.set(arrival.recipient, arrival)
      news.emit('arrival')
    }
    const sites = await startSites({ ...room.sites, dns: room.dns, nameOf: (address) => room.nameOf(address), record })
    resources.use(sites)
    await room.start()
    return new TestRoom(room, resources.move(), sites, arrivals, news)
  }

  /** Sends one message, and again as a client would until it is told something; answers with that and the recipient. */
  async send(role: Role = 'relay'): Promise<{ told: Verdict['told']; recipient: string }> {
    const message = composeMessage(`room-${++this.#sent}`, {
      random: this.#random,
      size: SIZE,
      recipients: 1,
      sender: this.room.userAddress(),
      domain: this.#sites.domains[0] ?? '',
      date: new Date(),
    })
    const [recipient] = message.recipients as [string]
    const [target] = this.room.targets(role)
    if (target === undefined) throw new Error(`nobody listens for ${role}`)
    const deadline = performance.now() + WITHIN_MS
    for (;;) {
      try {
        const client = await SmtpClient.connect(target, PATIENCE)
        const { told } = await client.send(message)
        client.quit()
        if (told !== 'nothing') return { told, recipient }
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error
      }
      if (performance.now() > deadline) throw new Error('no connection in time')
    }
  }

  async arrived(recipient: string): Promise<Arrival> {
    const signal = AbortSignal.timeout(WITHIN_MS)
    for (;;) {
      const arrival = this.#arrivals.get(recipient)
      if (arrival !== undefined) return arrival
      await once(this.#news, 'arrival', { signal })
    }
  }

  /** Sends one that must be accepted and arrive. */
  async pass(role: Role = 'relay'): Promise<Arrival> {
    const { told, recipient } = await this.send(role)
    if (told !== 'accepted') throw new Error(`the client was told: ${told}`)
    return this.arrived(recipient)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#resources.disposeAsync()
  }
}
