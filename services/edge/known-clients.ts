/**
 * Networks from which somebody logged in lately: their next connection need not wait for its greeting. Bounded; the
 * oldest is forgotten first.
 */
import { clientNetwork } from '@posthouse/core/network'

const remembered = 60 * 60 * 1000
const most = 10_000

export class KnownClients {
  readonly #until = new Map<string, number>()

  add(address: string, now: number): void {
    const key = clientNetwork(address)
    // Deleted first, so that the order of the map is that of the log-ins.
    this.#until.delete(key)
    this.#until.set(key, now + remembered)
    if (this.#until.size <= most) return
    const oldest = this.#until.keys().next()
    if (oldest.done !== true) this.#until.delete(oldest.value)
  }

  has(address: string, now: number): boolean {
    const until = this.#until.get(clientNetwork(address))
    return until !== undefined && until > now
  }
}
