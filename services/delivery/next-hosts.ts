/**
 * Which hosts take the mail of a destination, with their addresses, in the order to try: those of the settings, else
 * those that the DNS says, by route.ts.
 */
import { isIP } from 'node:net'
import type { NetworkList } from '@posthouse/core/network'
import { planAddresses, planRoute, withoutAddresses } from '@posthouse/core/route'
import type { NextHop, RouteTable } from '@posthouse/core/route-table'
import type { Dns } from './dns.ts'
import { unreachable, unroutable } from './no-connection.ts'
import type { NoConnection } from './no-connection.ts'

export interface Candidate {
  readonly host: string
  readonly address: string
  readonly port: number
}

export interface NextHostsOptions {
  readonly routes: RouteTable
  /** Port of MX hosts. */
  readonly port: number
  readonly isOwnName: (host: string) => boolean
  readonly ownAddresses: NetworkList
  readonly dns: Dns
  readonly chance: () => number
}

export type Found =
  /** At least one. `areOurs`: the settings name them, and whoever wrote those knows where the mail comes out. */
  { readonly is: 'found'; readonly candidates: readonly Candidate[]; readonly areOurs: boolean } | NoConnection

/** The addresses of so many hosts are asked for. */
const MOST_HOSTS = 8

export class NextHosts {
  readonly #options: NextHostsOptions

  constructor(options: NextHostsOptions) {
    this.#options = options
  }

  find(destination: string): Promise<Found> {
    const hosts = this.#options.routes.hostsOf(destination)
    return hosts === undefined ? this.#ofDns(destination) : this.#ofSettings(hosts)
  }

  async #ofSettings(hosts: readonly NextHop[]): Promise<Found> {
    const candidates: Candidate[] = []
    let reason = ''
    for (const { host, port } of hosts) {
      const answer = await this.#options.dns.machine(host)
      if (answer.is === 'found') for (const address of answer.addresses) candidates.push({ host, address, port })
      else reason = answer.is === 'failed' ? `${host}: ${answer.reason}` : `the host ${host} has no address`
    }
    // A name that cannot be found is a mistake in the settings or the DNS, never a reason to return mail.
    return candidates.length > 0 ? { is: 'found', candidates, areOurs: true } : unreachable('4.4.3', reason)
  }

  async #ofDns(domain: string): Promise<Found> {
    const { dns, port, isOwnName, ownAddresses, chance } = this.#options
    const isOwn = (address: string): boolean => ownAddresses.has(address)
    if (domain.startsWith('[')) {
      const address = domain.slice(1, -1).replace(/^IPv6:/i, '')
      if (isIP(address) === 0) return unroutable('5.1.3', `${domain} is no address`)
      if (isOwn(address)) return unroutable('5.4.6', `mail for ${domain} would come back to this host`)
      return found([{ host: address, address, port }])
    }
    if (domain === '') return unroutable('5.1.3', 'the address has no domain')
    const route = planRoute(domain, await dns.mx(domain), isOwnName, chance)
    if (route.is !== 'hosts')
      return route.is === 'unknown' ? unreachable(route.status, route.reason) : unroutable(route.status, route.reason)
    const candidates: Candidate[] = []
    const missing: { unknown: boolean; reason: string }[] = []
    const hosts = route.hosts.slice(0, MOST_HOSTS)
    const answers = await Promise.all(hosts.map((host) => Promise.all([dns.v4(host), dns.v6(host)])))
    for (const [index, [v4, v6]] of answers.entries()) {
      const host = hosts[index] ?? domain
      const plan = planAddresses(host, v4, v6, isOwn, chance)
      // Those after our own place in the list would give it back to us.
      if (plan.is === 'own') {
        missing.push({ unknown: false, reason: `${host} is this host: mail for ${domain} would come back` })
        break
      }
      if (plan.is === 'addresses') for (const address of plan.addresses) candidates.push({ host, address, port })
      else missing.push({ unknown: plan.is === 'unknown', reason: plan.reason })
    }
    if (candidates.length > 0) return found(candidates)
    const none = withoutAddresses(domain, missing)
    return none.is === 'unknown' ? unreachable(none.status, none.reason) : unroutable(none.status, none.reason)
  }
}

function found(candidates: readonly Candidate[]): Found {
  return { is: 'found', candidates, areOurs: false }
}
