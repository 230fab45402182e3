/**
 * The sessions of a node: how many there are in all and for each client, and what time does to them. One timer looks at
 * all of them once a second, so that a session needs none of its own.
 */
import { clientKey } from '@posthouse/core/network'
import type { Session } from './session.ts'

export class Sessions {
  readonly #sessions = new Set<Session>()
  readonly #perClient = new Map<string, number>()
  #lastIsGone: (() => void) | undefined

  get size(): number {
    return this.#sessions.size
  }

  ofClient(address: string): number {
    return this.#perClient.get(clientKey(address)) ?? 0
  }

  add(session: Session): void {
    this.#sessions.add(session)
    const key = clientKey(session.remoteAddress)
    this.#perClient.set(key, (this.#perClient.get(key) ?? 0) + 1)
  }

  delete(session: Session): void {
    if (!this.#sessions.delete(session)) return
    const key = clientKey(session.remoteAddress)
    const left = (this.#perClient.get(key) ?? 1) - 1
    if (left === 0) this.#perClient.delete(key)
    else this.#perClient.set(key, left)
    if (this.#sessions.size === 0) this.#lastIsGone?.()
  }

  /** Called once a second with a monotonic time in ms. */
  tick(now: number): void {
    for (const session of this.#sessions) session.tick(now)
  }

  /** The node stops: sessions in no transaction are told so and closed; the others do it after theirs. */
  leave(): void {
    for (const session of this.#sessions) session.leave()
  }

  /** The stop takes too long: closes all that do not wait for the queue's answer. */
  cutOff(): void {
    for (const session of this.#sessions) session.cutOff()
  }

  /** Resolves when every connection has been closed by both sides, or after so many ms. */
  async gone(within: number): Promise<void> {
    if (this.#sessions.size === 0) return
    await new Promise<void>((resolve) => {
      this.#lastIsGone = resolve
      setTimeout(resolve, within).unref()
    })
  }
}
