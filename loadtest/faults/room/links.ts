// The links of a room: those of namespaces can be cut by their firewalls, those of loopback cannot.

import type { Links, Party } from '../room.ts'
import { Cuts, isOutside, type AddressOf } from './cuts.ts'
import { setIncomingRules } from './namespace.ts'

export class NamespaceLinks implements Links {
  readonly #cuts: Cuts
  /** Rules are replaced as a whole: one after the other, so that the last word wins. */
  #turn: Promise<void> = Promise.resolve()

  constructor(addressOf: AddressOf) {
    this.#cuts = new Cuts(addressOf)
  }

  async cutOneWay(from: Party, to: Party): Promise<void> {
    await this.lose(1, from, to)
  }

  async cut(a: Party, b: Party): Promise<void> {
    this.#cuts.set(a, b, 1)
    this.#cuts.set(b, a, 1)
    await this.#apply([a, b])
  }

  async lose(share: number, from: Party, to: Party): Promise<void> {
    this.#cuts.set(from, to, share)
    await this.#apply([to])
  }

  async heal(a: Party, b: Party): Promise<void> {
    this.#cuts.set(a, b, 0)
    this.#cuts.set(b, a, 0)
    await this.#apply([a, b])
  }

  async healAll(): Promise<void> {
    const receivers = this.#cuts.receivers
    this.#cuts.clear()
    await this.#apply([...receivers])
  }

  /** A node is gone for good, with its namespace. */
  forget(name: string): Promise<void> {
    return this.#apply([...this.#cuts.forget(name)])
  }

  #apply(receivers: readonly Party[]): Promise<void> {
    const done = this.#turn.then(async () => {
      await Promise.all(receivers.map((party) => this.#applyAt(party)))
    })
    this.#turn = done.catch(() => {}) // who asked learns of it
    return done
  }

  #applyAt(receiver: Party): Promise<void> {
    return setIncomingRules(isOutside(receiver) ? undefined : receiver, this.#cuts.rulesAt(receiver))
  }
}

const refuse = () => Promise.reject(new Error('links can be cut in a room of namespaces only'))

/** Healing what cannot be broken is no mistake. */
export const noLinks: Links = {
  cutOneWay: refuse,
  cut: refuse,
  lose: refuse,
  heal: () => Promise.resolve(),
  healAll: () => Promise.resolve(),
}
