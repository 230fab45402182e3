// Which links of a room are cut or lossy, and the firewall rules that make them so. All rules are at the receiving end: the
// sender is told nothing, as on a broken line (a rule at the sender's would give it an error at once).

import type { Party } from '../room.ts'
import { CLIENTS, DNS, SITES_NETWORK } from './addresses.ts'
import { SMTP_PORTS } from './ports.ts'

/** Address of a node by its name; throws for a name that is none. */
export type AddressOf = (name: string) => string

interface Cut {
  readonly from: Party
  readonly to: Party
  /** 1 = everything is lost. */
  readonly share: number
}

const OUTSIDE: Readonly<Record<string, string>> = { sites: SITES_NETWORK, dns: DNS, clients: CLIENTS }

export function isOutside(party: Party): boolean {
  return OUTSIDE[party] !== undefined
}

export class Cuts {
  readonly #cuts = new Map<string, Cut>()
  readonly #addressOf: AddressOf

  constructor(addressOf: AddressOf) {
    this.#addressOf = addressOf
  }

  set(from: Party, to: Party, share: number): void {
    if (!(share >= 0 && share <= 1)) throw new Error(`${share} is no share`)
    this.#check(from, to)
    if (share === 0) this.#cuts.delete(key(from, to))
    else this.#cuts.set(key(from, to), { from, to, share })
  }

  /** Who received over links that are bad. */
  get receivers(): Set<Party> {
    return new Set([...this.#cuts.values()].map(({ to }) => to))
  }

  clear(): void {
    this.#cuts.clear()
  }

  /** Forgets everything about a party that is gone; answers with those that no longer need rules against it. */
  forget(party: Party): Set<Party> {
    const receivers = new Set<Party>()
    for (const [name, { from, to }] of this.#cuts) {
      if (from !== party && to !== party) continue
      this.#cuts.delete(name)
      if (to !== party) receivers.add(to)
    }
    return receivers
  }

  /** Rules of the receiving end: a node's, or those of all outside parties together. */
  rulesAt(receiver: Party): string[] {
    const isHere = (to: Party) => (isOutside(receiver) ? isOutside(to) : to === receiver)
    return [...this.#cuts.values()].filter(({ to }) => isHere(to)).map((cut) => this.#rule(cut))
  }

  #rule({ from, to, share }: Cut): string {
    const parts = ['-A INPUT', '-s', this.#address(from), '-d', this.#address(to)]
    // Health and metrics are asked for from the address of the clients: only mail is theirs.
    if (from === 'clients') parts.push('-p tcp -m multiport --dports', MAIL_PORTS)
    if (to === 'clients') parts.push('-p tcp -m multiport --sports', MAIL_PORTS)
    if (share < 1) parts.push('-m statistic --mode random --probability', share.toFixed(6))
    return [...parts, '-j DROP'].join(' ')
  }

  #check(from: Party, to: Party): void {
    if (from === to || (isOutside(from) && isOutside(to))) throw new Error(`there is no link from ${from} to ${to}`)
    for (const party of [from, to]) this.#address(party)
  }

  #address(party: Party): string {
    return OUTSIDE[party] ?? this.#addressOf(party)
  }
}

const MAIL_PORTS = Object.values(SMTP_PORTS).join(',')

function key(from: Party, to: Party): string {
  return `${from} ${to}`
}
