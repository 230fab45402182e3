// Which recipients the sink sends away with 450 when they are offered to it first, and takes the next time: every so many, by
// their address, so that it does not depend on the order in which they come.

import { createHash } from 'node:crypto'

export class Deferrals {
  readonly #every: number
  readonly #deferred = new Set<string>()

  /** 0 = none. */
  constructor(every: number) {
    this.#every = every
  }

  /** True at most once for an address. */
  defers(address: string): boolean {
    if (this.#every === 0 || this.#deferred.has(address)) return false
    if (createHash('sha256').update(address).digest().readUInt32BE() % this.#every !== 0) return false
    this.#deferred.add(address)
    return true
  }

  wasDeferred(address: string): boolean {
    return this.#deferred.has(address)
  }
}
