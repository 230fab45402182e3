/**
 * The load balancers in front of a listener. They are trusted to say whose a connection is, and must say so at its
 * beginning: a connection of theirs without a PROXY header is closed without a reply, because nobody could tell for whom
 * it speaks. One that they open and close, as a health check does, is nothing to talk about.
 */
import type { Socket } from 'node:net'
import type { NetworkList } from '@posthouse/core/network'
import type { EdgeContext } from './context.ts'
import { takeProxyHeader } from './proxy-header-reader.ts'
import type { Role } from './role.ts'

/** The specification asks for 3 s at least, so that one lost packet can be sent again. */
const patience = 5000
/** A balancer that is set up wrongly does not fill the log. */
const silence = 60_000

/** Where the client is, by its header; or the balancer, if it speaks for itself. */
export interface Origin {
  readonly remoteAddress: string
  readonly remotePort?: number
}

export class Balancers {
  readonly #context: EdgeContext
  readonly #role: Role
  readonly #networks: NetworkList
  #silentUntil = 0
  #unlogged = 0

  constructor(context: EdgeContext, role: Role, networks: NetworkList) {
    this.#context = context
    this.#role = role
    this.#networks = networks
  }

  has(address: string): boolean {
    return this.#networks.has(address)
  }

  /** `done` is called once; without an origin the connection is closed. */
  ask(socket: Socket, balancer: string, done: (origin: Origin | undefined) => void): void {
    takeProxyHeader(socket, patience, (result) => {
      this.#context.metrics.proxyHeaders.with({ result: result.is }).inc()
      switch (result.is) {
        case 'client':
          return done({ remoteAddress: result.address, remotePort: result.port })
        case 'local':
          return done({ remoteAddress: balancer })
        case 'invalid':
        case 'late':
          this.#complain(balancer, result.is === 'late' ? 'late' : result.why)
          break
        case 'closed':
      }
      socket.destroy()
      done(undefined)
    })
  }

  #complain(balancer: string, why: string): void {
    const { log, now } = this.#context
    if (now() < this.#silentUntil) {
      this.#unlogged += 1
      return
    }
    log.warn({ role: this.#role, balancer, why, unlogged: this.#unlogged }, 'no PROXY header: connection closed')
    this.#silentUntil = now() + silence
    this.#unlogged = 0
  }
}
