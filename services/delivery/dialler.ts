/**
 * Opens a connection to a destination: the smarthosts in order, or the hosts of the domain by route.ts; the next address
 * when one cannot be reached or does not greet; plain when a TLS handshake fails. Resolves with a connection that is
 * ready for a transaction, or with the reason there is none.
 */
import { isIP } from 'node:net'
import { SMARTHOST } from '@posthouse/core/destination'
import type { NetworkList } from '@posthouse/core/network'
import { planAddresses, planRoute, withoutAddresses } from '@posthouse/core/route'
import { oneLine } from '@posthouse/core/reply-class'
import type { Dns } from './dns.ts'
import type { HostHealth } from './host-health.ts'
import { SmtpClient } from './smtp-client.ts'
import type { ClientTimeouts } from './phase-clock.ts'

export interface NoConnection {
  /** 'unroutable': no host will ever take it; 'unreachable': not now. */
  readonly is: 'unroutable' | 'unreachable'
  readonly status: string
  readonly diagnostic: string
  /** The diagnostic is what `host` said. */
  readonly isReply: boolean
  readonly host?: string
}
export type Dialled = { readonly is: 'open'; readonly client: SmtpClient } | NoConnection

export interface DiallerOptions {
  readonly hostname: string
  readonly smarthosts: readonly { readonly host: string; readonly port: number }[]
  readonly port: number
  readonly isOwnName: (host: string) => boolean
  readonly ownAddresses: NetworkList
  readonly useTls: boolean
  readonly timeouts: ClientTimeouts
  readonly dns: Dns
  readonly health: HostHealth
  readonly now: () => number
  readonly chance: () => number
  /** Every client from its first moment, so that its phases are limited. */
  readonly onClient: (client: SmtpClient) => void
}

interface Candidate {
  readonly host: string
  readonly address: string
  readonly port: number
}

/** So many addresses are tried in one attempt. */
const MOST_ADDRESSES = 8
/** How long a host whose TLS handshake failed is spoken to in plain. */
const PLAIN_MS = 60 * 60_000
const MOST_PLAIN = 10_000

export class Dialler {
  readonly #options: DiallerOptions
  readonly #plainUntil = new Map<string, number>()

  constructor(options: DiallerOptions) {
    this.#options = options
  }

  async dial(destination: string): Promise<Dialled> {
    const candidates = destination === SMARTHOST ? await this.#smarthosts() : await this.#mxHosts(destination)
    if (!Array.isArray(candidates)) return candidates
    const { health } = this.#options
    const well: Candidate[] = []
    const unwell: Candidate[] = []
    for (const candidate of candidates) (health.isWell(key(candidate)) ? well : unwell).push(candidate)
    let failure: NoConnection | undefined
    for (const candidate of [...well, ...unwell].slice(0, MOST_ADDRESSES)) {
      const dialled = await this.#open(candidate, destination !== SMARTHOST)
      if (dialled.is === 'open') {
        health.succeeded(key(candidate))
        return dialled
      }
      health.failed(key(candidate))
      failure = dialled
    }
    return failure ?? unreachable('4.4.1', 'no host to try')
  }

  async #smarthosts(): Promise<Candidate[] | NoConnection> {
    const candidates: Candidate[] = []
    let reason = ''
    for (const { host, port } of this.#options.smarthosts) {
      const answer = await this.#options.dns.machine(host)
      if (answer.is === 'found') for (const address of answer.addresses) candidates.push({ host, address, port })
      else reason = answer.is === 'failed' ? `${host}: ${answer.reason}` : `the smarthost ${host} has no address`
    }
    // A name that cannot be found is a mistake in the settings or the DNS, never a reason to return mail.
    return candidates.length > 0 ? candidates : unreachable('4.4.3', reason)
  }

  async #mxHosts(domain: string): Promise<Candidate[] | NoConnection> {
    const { dns, port, isOwnName, ownAddresses, chance } = this.#options
    const isOwn = (address: string): boolean => ownAddresses.has(address)
    if (domain.startsWith('[')) {
      const address = domain.slice(1, -1).replace(/^IPv6:/i, '')
      if (isIP(address) === 0) return unroutable('5.1.3', `${domain} is no address`)
      if (isOwn(address)) return unroutable('5.4.6', `mail for ${domain} would come back to this host`)
      return [{ host: address, address, port }]
    }
    if (domain === '') return unroutable('5.1.3', 'the address has no domain')
    const route = planRoute(domain, await dns.mx(domain), isOwnName, chance)
    if (route.is !== 'hosts')
      return route.is === 'unknown' ? unreachable(route.status, route.reason) : unroutable(route.status, route.reason)
    const candidates: Candidate[] = []
    const missing: { unknown: boolean; reason: string }[] = []
    const hosts = route.hosts.slice(0, MOST_ADDRESSES)
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
    if (candidates.length > 0) return candidates
    const none = withoutAddresses(domain, missing)
    return none.is === 'unknown' ? unreachable(none.status, none.reason) : unroutable(none.status, none.reason)
  }

  async #open(candidate: Candidate, guardLoop: boolean): Promise<Dialled> {
    const { useTls, now } = this.#options
    const tls = useTls && (this.#plainUntil.get(candidate.address) ?? 0) <= now()
    const first = await this.#connect(candidate, tls, guardLoop)
    if (first.is !== 'handshake failed') return first
    // nodemailer does not go on in plain after a failed handshake, nor could it: the connection is spoilt.
    this.#plainUntil.set(candidate.address, now() + PLAIN_MS)
    if (this.#plainUntil.size > MOST_PLAIN) this.#plainUntil.clear()
    const second = await this.#connect(candidate, false, guardLoop)
    return second.is === 'handshake failed' ? unreachable('4.7.5', second.reason, candidate.host) : second
  }

  #connect(
    { host, address, port }: Candidate,
    useTls: boolean,
    guardLoop: boolean,
  ): Promise<Dialled | { readonly is: 'handshake failed'; readonly reason: string }> {
    const { hostname, timeouts, now, onClient, isOwnName } = this.#options
    return new Promise((resolve) => {
      const client = new SmtpClient({ host, address, port, hostname, useTls, timeouts, now })
      client.onGone = (reason, response) => {
        if (client.isUpgrading) return resolve({ is: 'handshake failed', reason: reason ?? 'closed' })
        if (response === undefined)
          resolve(unreachable('4.4.1', `${client.label}: ${reason ?? 'the host closed the connection'}`, host))
        else
          resolve({
            is: 'unreachable',
            status: '4.3.2',
            diagnostic: oneLine(response),
            isReply: true,
            host,
          })
      }
      client.once('connect', () => {
        client.ready()
        if (guardLoop && isOwnName(client.greetedAs)) {
          client.onGone = undefined
          client.leave()
          return resolve(unroutable('5.4.6', `${host} greets as this host: its mail would come back`))
        }
        resolve({ is: 'open', client })
      })
      onClient(client)
      client.connect()
    })
  }
}

function key({ address, port }: Candidate): string {
  return `${address} ${port}`
}

function unreachable(status: string, reason: string, host?: string): NoConnection {
  const diagnostic = oneLine(reason)
  return host === undefined
    ? { is: 'unreachable', status, diagnostic, isReply: false }
    : { is: 'unreachable', status, diagnostic, isReply: false, host }
}

function unroutable(status: string, reason: string): NoConnection {
  return { is: 'unroutable', status, diagnostic: oneLine(reason), isReply: false }
}
