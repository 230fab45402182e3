/**
 * The sites that mail goes to, and what DNS says of them today. A site takes a message, defers or refuses it, or the
 * connection breaks after the final dot: then it may have the message or not, and nobody but the site knows.
 */
import type { Random } from './random.ts'

export type Reply = 'taken' | 'deferred' | 'refused'

export interface SiteHabits {
  deferred: number
  refused: number
  /** Broken connections after the dot. */
  broken: number
  /** Replies that take up to so many ms. */
  slow: number
  longest: number
  /** Connections that take seconds, and how many ms. */
  slowConnect: number
  connects: readonly [number, number]
}

const DOMAINS = 4
const SITES = 3

export class Sites {
  readonly habits: SiteHabits = {
    deferred: 0,
    refused: 0.1,
    broken: 0,
    slow: 0,
    longest: 0,
    slowConnect: 0,
    connects: [0, 0],
  }
  readonly #random: Random
  readonly #sites: number[]
  /** Destinations without room for more, until when (true time). */
  readonly #busyUntil = new Map<string, number>()

  constructor(random: Random) {
    this.#random = random
    this.#sites = Array.from({ length: DOMAINS }, (_, domain) => domain % SITES)
  }

  address(): string {
    return `${this.#random.pick(['ann', 'bob', 'eve'])}@d${this.#random.whole(0, DOMAINS - 1)}`
  }

  /** The destination key of an address, by today's MX records. */
  destination(address: string): string {
    return `s${this.#sites[Number(address.slice(address.indexOf('@d') + 2))] ?? 0}`
  }

  changeDns(): void {
    const domain = this.#random.whole(0, DOMAINS - 1)
    this.#sites[domain] = this.#random.whole(0, SITES - 1)
  }

  fill(ms: number, now: number): void {
    this.#busyUntil.set(`s${this.#random.whole(0, SITES - 1)}`, now + ms)
  }
  hasRoom(destination: string, now: number): boolean {
    return (this.#busyUntil.get(destination) ?? 0) <= now
  }

  /** To RCPT TO, or to the dot. */
  reply(): Reply {
    const { deferred, refused } = this.habits
    const at = this.#random.next()
    return at < refused ? 'refused' : at < refused + deferred ? 'deferred' : 'taken'
  }

  breaks(): boolean {
    return this.#random.chance(this.habits.broken)
  }
  replyTime(): number {
    return this.#random.chance(this.habits.slow)
      ? this.#random.spread(5_000, this.habits.longest)
      : this.#random.spread(1, 300)
  }

  connectTime(): number {
    return this.#random.chance(this.habits.slowConnect)
      ? this.#random.between(...this.habits.connects)
      : this.#random.between(1, 30)
  }

  calm(): void {
    this.habits.deferred = 0
    this.habits.broken = 0
    this.habits.slow = 0
    this.habits.slowConnect = 0
    this.#busyUntil.clear()
  }
}
