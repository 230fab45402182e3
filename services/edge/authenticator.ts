/**
 * Checks log-ins against the users file. Hashing runs on the thread pool, a few at a time; a right password is
 * remembered for a minute as a keyed digest, so that a client that connects for every message does not cost a hash each
 * time. An unknown user costs as much time as a wrong password. Who fails too often is not even checked.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { dummyHash, parsePasswordHash, verifyPassword } from '@posthouse/core/password'
import { clientKey } from '@posthouse/core/network'
import type { User } from '@posthouse/core/users'

export type LoginResult =
  | { readonly is: 'ok'; readonly user: User; readonly cached: boolean }
  | { readonly is: 'wrong' }
  /** Too many log-ins are being checked. */
  | { readonly is: 'busy' }
  /** Too many failures from this client. */
  | { readonly is: 'blocked' }

const rememberedMs = 60_000
const mostRemembered = 10_000
const mostAtOnce = 2
const mostWaiting = 200
const failureWindowMs = 10 * 60_000
const mostFailures = 30
const mostFailingClients = 10_000

export class Authenticator {
  readonly #users: () => ReadonlyMap<string, User>
  readonly #now: () => number
  readonly #secret = randomBytes(32)
  readonly #noUser = dummyHash()
  readonly #remembered = new Map<string, number>()
  readonly #failures = new Map<string, { count: number; until: number }>()
  readonly #waiting: (() => void)[] = []
  #running = 0

  /** `users` is asked every time, so that a changed file counts at once. */
  constructor(users: () => ReadonlyMap<string, User>, now: () => number) {
    this.#users = users
    this.#now = now
  }

  async login(name: string, password: string, client: string): Promise<LoginResult> {
    const user = this.#users().get(name)
    const digest = user === undefined ? '' : this.#digest(user, password)
    const until = this.#remembered.get(digest)
    if (user !== undefined && until !== undefined && until > this.#now()) return { is: 'ok', user, cached: true }
    if (this.#isBlocked(client)) return { is: 'blocked' }
    if (this.#waiting.length >= mostWaiting) return { is: 'busy' }
    await this.#enter()
    let right: boolean
    try {
      right = await verifyPassword(password, (user && parsePasswordHash(user.hash)) ?? this.#noUser)
    } finally {
      this.#leave()
    }
    if (!right || user === undefined) {
      this.#failed(client)
      return { is: 'wrong' }
    }
    this.#remember(digest)
    return { is: 'ok', user, cached: false }
  }

  #digest(user: User, password: string): string {
    // The stored hash is part of it: a changed password is not remembered.
    const parts = JSON.stringify([user.name, user.hash, password])
    return createHmac('sha256', this.#secret).update(parts).digest('base64')
  }

  #remember(digest: string): void {
    this.#remembered.delete(digest)
    this.#remembered.set(digest, this.#now() + rememberedMs)
    dropOldest(this.#remembered, mostRemembered)
  }

  #isBlocked(client: string): boolean {
    const failures = this.#failures.get(clientKey(client))
    return failures !== undefined && failures.until > this.#now() && failures.count >= mostFailures
  }

  #failed(client: string): void {
    const key = clientKey(client)
    const failures = this.#failures.get(key)
    if (failures !== undefined && failures.until > this.#now()) {
      failures.count += 1
      return
    }
    this.#failures.delete(key)
    this.#failures.set(key, { count: 1, until: this.#now() + failureWindowMs })
    dropOldest(this.#failures, mostFailingClients)
  }

  async #enter(): Promise<void> {
    if (this.#running >= mostAtOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#running += 1
  }

  /** Hands its place to the next that waits. */
  #leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#running -= 1
    else next()
  }
}

function dropOldest(map: Map<string, unknown>, most: number): void {
  if (map.size <= most) return
  const oldest = map.keys().next()
  if (oldest.done !== true) map.delete(oldest.value)
}
