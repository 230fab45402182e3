/**
 * Opens a connection to a destination: to its hosts in order (next-hosts.ts), out by the ways that egress.ts knows; the
 * next address when one cannot be reached or does not greet; plain when a TLS handshake fails. Resolves with a connection
 * that is ready for a transaction, or with the reason there is none.
 */
import type { SocksFault } from '@posthouse/core/socks5'
import { exitLabel, exitName } from './egress.ts'
import type { Egress, Exit } from './egress.ts'
import type { HostHealth } from './host-health.ts'
import type { Candidate, NextHosts } from './next-hosts.ts'
import { cutOff, refused, unreachable, unroutable } from './no-connection.ts'
import type { NoConnection } from './no-connection.ts'
import type { ClientTimeouts } from './phase-clock.ts'
import { SmtpClient } from './smtp-client.ts'

export type Dialled = { readonly is: 'open'; readonly client: SmtpClient } | NoConnection

export interface DiallerOptions {
  readonly hostname: string
  readonly hosts: NextHosts
  readonly egress: Egress
  readonly isOwnName: (host: string) => boolean
  readonly useTls: boolean
  readonly timeouts: ClientTimeouts
  readonly health: HostHealth
  readonly now: () => number
  /** Every client from its first moment, so that its phases are limited. */
  readonly onClient: (client: SmtpClient) => void
}

/** What became of one address. */
type Opened =
  | Dialled
  | { readonly is: 'handshake failed'; readonly reason: string }
  /** No way out leads there; `isDead`: nor anywhere else. */
  | { readonly is: 'shut out'; readonly reason: string; readonly isDead: boolean }

/** So many addresses are tried in one attempt. */
const MOST_ADDRESSES = 8
/** How long a host whose TLS handshake failed is spoken to in plain. */
const PLAIN_MS = 60 * 60_000
const MOST_PLAIN = 10_000
/** What the system says when it is this machine that lacks something: an address, a port, a descriptor, memory. */
const OURS = new Set(['EADDRNOTAVAIL', 'EADDRINUSE', 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'])

export class Dialler {
  readonly #options: DiallerOptions
  readonly #plainUntil = new Map<string, number>()

  constructor(options: DiallerOptions) {
    this.#options = options
  }

  async dial(destination: string): Promise<Dialled> {
    const { hosts, egress, health } = this.#options
    const found = await hosts.find(destination)
    if (found.is !== 'found') return found
    const well: Candidate[] = []
    const unwell: Candidate[] = []
    for (const candidate of found.candidates) {
      if (!egress.canReach(candidate.address)) continue
      if (health.isWell(key(candidate))) well.push(candidate)
      else unwell.push(candidate)
    }
    let failure: NoConnection | undefined
    let shutOut = `egress.addresses has none of the family of ${found.candidates.map(({ address }) => address).join(', ')}`
    for (const candidate of [...well, ...unwell].slice(0, MOST_ADDRESSES)) {
      const opened = await this.#open(candidate, !found.areOurs)
      if (opened.is === 'open') {
        health.succeeded(key(candidate))
        return opened
      }
      if (opened.is === 'shut out') {
        shutOut = opened.reason
        if (opened.isDead) break
      } else {
        health.failed(key(candidate))
        failure = opened
      }
    }
    // A host that was tried and failed says more of the destination than one that could not be tried.
    return failure ?? cutOff(shutOut)
  }

  async #open(candidate: Candidate, guardLoop: boolean): Promise<Exclude<Opened, { is: 'handshake failed' }>> {
    const { useTls, now } = this.#options
    const tls = useTls && (this.#plainUntil.get(candidate.address) ?? 0) <= now()
    const first = await this.#goOut(candidate, tls, guardLoop)
    if (first.is !== 'handshake failed') return first
    // nodemailer does not go on in plain after a failed handshake, nor could it: the connection is spoilt.
    this.#plainUntil.set(candidate.address, now() + PLAIN_MS)
    if (this.#plainUntil.size > MOST_PLAIN) this.#plainUntil.clear()
    const second = await this.#goOut(candidate, false, guardLoop)
    return second.is === 'handshake failed' ? unreachable('4.7.5', second.reason, candidate.host) : second
  }

  /** By one way out after the other, until one leads to the host or to its closed door. */
  async #goOut(candidate: Candidate, useTls: boolean, guardLoop: boolean): Promise<Opened> {
    let reason = 'no way out'
    let isDead = true
    for (const exit of this.#options.egress.exits(candidate.address)) {
      const opened = await this.#connect(candidate, exit, useTls, guardLoop)
      if (opened.is !== 'shut out') return opened
      reason = opened.reason
      isDead &&= opened.isDead
    }
    return { is: 'shut out', reason, isDead }
  }

  #connect({ host, address, port }: Candidate, exit: Exit, useTls: boolean, guardLoop: boolean): Promise<Opened> {
    const { hostname, egress, timeouts, now, onClient, isOwnName } = this.#options
    return new Promise((resolve) => {
      const tunnel = egress.tunnel(exit, { address, port })
      const localAddress = exit.is === 'address' ? exit.address : undefined
      const way = { localAddress, tunnel, exit: exitLabel(exit) }
      const client = new SmtpClient({ host, address, port, hostname, useTls, ...way, timeouts, now })
      client.onGone = (lost, response) => {
        const reason = lost ?? 'the host closed the connection'
        const fault = tunnel === undefined ? ownFault(client) : tunnel.fault
        // Without a reason it was given up by us, which teaches nothing.
        if (fault === undefined) egress.works(exit)
        else if (lost !== undefined) egress.fails(exit, fault === 'proxy', reason)
        switch (fault) {
          case 'proxy':
            return resolve({ is: 'shut out', reason: `${exitName(exit)}: ${reason}`, isDead: tunnel !== undefined })
          case 'this connection':
            return resolve({ is: 'shut out', reason: `${exitName(exit)} to ${client.label}: ${reason}`, isDead: false })
          case 'host':
            return resolve(unreachable('4.4.1', `${client.label} by ${exitName(exit)}: ${reason}`, host))
          case undefined:
            if (client.isUpgrading) return resolve({ is: 'handshake failed', reason: lost ?? 'closed' })
            if (response !== undefined) return resolve(refused(response, host))
            resolve(unreachable('4.4.1', `${client.label}: ${reason}`, host))
        }
      }
      client.once('connect', () => {
        egress.works(exit)
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

/** Without a tunnel: the way out is to blame for what this machine could not even begin. */
function ownFault({ systemError }: SmtpClient): SocksFault | undefined {
  return systemError !== undefined && OURS.has(systemError) ? 'proxy' : undefined
}

function key({ address, port }: Candidate): string {
  return `${address} ${port}`
}
