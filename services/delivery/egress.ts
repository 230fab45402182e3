/**
 * How connections leave this machine: as it likes; from addresses of the settings, in turn; or through proxies, in the
 * order of the settings. A way out that fails is told once in the log, and tried last for a while: that it is dead is
 * no word on any destination.
 */
import { isIP } from 'node:net'
import type { LookupFunction } from 'node:net'
import type { AddressAnswer } from '@posthouse/core/route'
import { hopName } from '@posthouse/core/route-table'
import type { NextHop } from '@posthouse/core/route-table'
import type { SocksLogin, SocksTarget } from '@posthouse/core/socks5'
import type { Log } from '@posthouse/runtime/log'
import { HostHealth } from './host-health.ts'
import { SocksTunnel } from './socks-tunnel.ts'

export type Exit =
  | { readonly is: 'direct' }
  | { readonly is: 'address'; readonly address: string }
  | { readonly is: 'proxy'; readonly proxy: NextHop }

export interface EgressOptions {
  /** Source addresses; empty: those that the machine chooses. */
  readonly addresses: readonly string[]
  /** Empty: no proxy. Not both. */
  readonly proxies: readonly NextHop[]
  readonly login: SocksLogin | undefined
  /** The addresses of a proxy. */
  readonly resolve: (host: string) => Promise<AddressAnswer>
  readonly log: Log
  readonly now: () => number
}

const DIRECT: readonly Exit[] = [{ is: 'direct' }]
/** A proxy that opens nothing so many times in a row is no longer believed that it is the hosts. */
const MOST_DOUBTS = 5

export class Egress {
  readonly #options: EgressOptions
  readonly #health: HostHealth
  readonly #proxies: readonly Exit[]
  /** By family. */
  readonly #addresses = new Map<number, { readonly exits: readonly Exit[]; next: number }>()
  readonly #lookup: LookupFunction
  /** Failures in a row that are perhaps those of the proxy. */
  readonly #doubts = new Map<string, number>()
  readonly #told = new Set<string>()

  constructor(options: EgressOptions) {
    this.#options = options
    this.#health = new HostHealth(options.now)
    this.#proxies = options.proxies.map((proxy) => ({ is: 'proxy', proxy }))
    for (const family of [4, 6]) {
      const own = options.addresses.filter((address) => isIP(address) === family)
      this.#addresses.set(family, { exits: own.map((address) => ({ is: 'address', address })), next: 0 })
    }
    this.#lookup = lookupWith(options.resolve)
  }

  /** The ways out to an address, in the order to try; none: there is no source address of its family. */
  exits(to: string): readonly Exit[] {
    if (this.#proxies.length > 0) return this.#wellFirst(this.#proxies)
    if (this.#options.addresses.length === 0) return DIRECT
    const family = this.#addresses.get(isIP(to))
    if (family === undefined) return []
    const { exits, next } = family
    family.next = (next + 1) % Math.max(exits.length, 1)
    return this.#wellFirst([...exits.slice(next), ...exits.slice(0, next)])
  }

  canReach(address: string): boolean {
    if (this.#options.addresses.length === 0) return true
    return (this.#addresses.get(isIP(address))?.exits.length ?? 0) > 0
  }

  tunnel(exit: Exit, target: SocksTarget): SocksTunnel | undefined {
    if (exit.is !== 'proxy') return undefined
    return new SocksTunnel({ proxy: exit.proxy, login: this.#options.login, target, lookup: this.#lookup })
  }

  /** It led to a host. */
  works(exit: Exit): void {
    if (exit.is === 'direct') return
    const name = exitName(exit)
    this.#doubts.delete(name)
    this.#health.succeeded(name)
    if (this.#told.delete(name)) this.#options.log.info({ exit: name }, 'a way out works again')
  }

  /** It led to no host; `surely`: that was not for the host. */
  fails(exit: Exit, surely: boolean, reason: string): void {
    if (exit.is === 'direct') return
    const name = exitName(exit)
    const doubts = (this.#doubts.get(name) ?? 0) + 1
    this.#doubts.set(name, doubts)
    if (!surely && doubts < MOST_DOUBTS) return
    this.#doubts.delete(name)
    // What was under way when it failed learns the same: once is enough.
    if (!this.#health.isWell(name)) return
    this.#health.failed(name)
    this.#told.add(name)
    this.#options.log.warn({ exit: name, reason }, 'a way out fails')
  }

  /** Every source address and proxy of the settings, by its short name: 1 if it is avoided now, else 0. */
  *failing(): Generator<[exit: string, 0 | 1]> {
    const exits = [...this.#proxies, ...[...this.#addresses.values()].flatMap((family) => family.exits)]
    for (const exit of exits) yield [exitLabel(exit), this.#health.isWell(exitName(exit)) ? 0 : 1]
  }

  #wellFirst(exits: readonly Exit[]): readonly Exit[] {
    const isWell = (exit: Exit): boolean => this.#health.isWell(exitName(exit))
    return exits.every(isWell) ? exits : exits.toSorted((a, b) => Number(isWell(b)) - Number(isWell(a)))
  }
}

/** "gw.example:1080", "192.0.2.1" or "direct", for a label. */
export function exitLabel(exit: Exit): string {
  switch (exit.is) {
    case 'direct':
      return 'direct'
    case 'address':
      return exit.address
    case 'proxy':
      return hopName(exit.proxy)
  }
}

/** "the proxy gw.example:1080", as it stands in the log and in reasons. */
export function exitName(exit: Exit): string {
  switch (exit.is) {
    case 'direct':
      return 'this machine'
    case 'address':
      return `the source address ${exit.address}`
    case 'proxy':
      return `the proxy ${hopName(exit.proxy)}`
  }
}

function lookupWith(resolve: (host: string) => Promise<AddressAnswer>): LookupFunction {
  return (host, { all }, callback) => {
    const failed = (reason: string): void => callback(new Error(reason), '', 0)
    resolve(host).then(
      (answer) => {
        if (answer.is !== 'found') return failed(answer.is === 'failed' ? answer.reason : `${host} has no address`)
        const addresses = answer.addresses.map((address) => ({ address, family: isIP(address) }))
        const [first] = addresses
        if (first === undefined) return failed(`${host} has no address`)
        if (all === true) callback(null, addresses)
        else callback(null, first.address, first.family)
      },
      (error: unknown) => failed(String(error)),
    )
  }
}
