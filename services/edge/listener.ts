/**
 * One listening socket with its role: who may send there, what it offers, and the sessions on it. smtp-server's server
 * with our sessions.
 */
import type { Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { SMTPServer } from 'smtp-server'
import type { SMTPServerAuthentication, SMTPServerSession, SMTPServerAuthenticationResponse } from 'smtp-server'
import type { SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection.js'
import type { NetworkList } from '@posthouse/core/network'
import type { Balancers } from './balancers.ts'
import type { EdgeContext } from './context.ts'
import { ListenerSeries } from './listener-series.ts'
import { replies } from './replies.ts'
import type { Role } from './role.ts'
import { Session } from './session.ts'

export interface ListenerOptions {
  readonly role: Role
  readonly host: string
  readonly port: number
  readonly reusePort: boolean
  /** For the role relay: whom it serves. */
  readonly networks: NetworkList
  /** Those of them that are believed without a load balancer's word. */
  readonly believed: NetworkList
  /** Whose connections begin with a PROXY header. */
  readonly balancers: Balancers
  readonly bareNewlines: 'reject' | 'normalise'
  /** PEM; without it TLS is not offered. */
  readonly tls: TlsFiles | undefined
}
export interface TlsFiles {
  readonly cert: string | Buffer
  readonly key: string | Buffer
}

/** A TLS handshake that takes longer is given up. */
const handshakeTimeout = 30_000
const backlog = 1024

export class Listener extends SMTPServer {
  readonly context: EdgeContext
  readonly role: Role
  readonly bareNewlines: 'reject' | 'normalise'
  readonly offersTls: boolean
  readonly greeting: string
  readonly series: ListenerSeries
  readonly #options: ListenerOptions
  readonly #prefix: string
  #count = 0
  /** smtp-server's SASL knows its session object only. */
  readonly #owners = new WeakMap<SMTPServerSession, Session>()

  constructor(context: EdgeContext, options: ListenerOptions) {
    super({
      name: context.hostname,
      secure: options.role === 'submissions',
      ...(options.tls === undefined ? {} : { cert: options.tls.cert, key: options.tls.key }),
      minVersion: 'TLSv1.2',
      authMethods: ['PLAIN', 'LOGIN'],
      hideENHANCEDSTATUSCODES: false,
      disableReverseLookup: true,
      socketTimeout: handshakeTimeout,
      noDelay: true,
      logger: false,
    })
    this.context = context
    this.#options = options
    this.role = options.role
    this.bareNewlines = options.bareNewlines
    this.offersTls = options.tls !== undefined
    this.greeting = `220 ${context.hostname} ESMTP Posthouse\r\n`
    this.series = new ListenerSeries(context.metrics, options.role)
    this.#prefix = context.nextId()
    this.on('error', (error: Error & { code?: string }) => {
      context.strangersLog.debug({ role: options.role, code: error.code, reason: error.message }, 'connection failed')
    })
  }

  /**
   * `named`: a load balancer says that this is the client. A balancer is never served for its own address, whatever the
   * networks are: others' mail may come from there.
   */
  serves(address: string, named: boolean): boolean {
    const { networks, believed } = this.#options
    return this.role === 'relay' && (named ? networks : believed).has(address) && !this.isBalancer(address)
  }
  isBalancer(address: string): boolean {
    return this.#options.balancers.has(address)
  }

  /** Resolves with the port when it listens; rejects with the system's error. */
  async open(): Promise<number> {
    const { host, port, reusePort } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject)
      this.listen({ host, port, reusePort, backlog }, () => {
        this.server.off('error', reject)
        resolve()
      })
    })
    return (this.server.address() as AddressInfo).port
  }

  /** Takes no more connections; those there are go on. */
  stopListening(): void {
    this.server.close()
    for (const socket of this._pendingSockets.values()) socket.destroy()
  }

  override connect(socket: Socket | TLSSocket, options?: SMTPConnectionOptions | null): void {
    const session = new Session(this, socket, options ?? {})
    this.connections.add(session)
    this.#owners.set(session.session, session)
    session.init()
  }

  override _expectsProxyHeader(socket: Socket): boolean {
    return this.isBalancer(socket.remoteAddress ?? '')
  }
  /** Called before TLS begins. */
  override _handleProxy(
    socket: Socket,
    callback: (error: Error | null, options?: SMTPConnectionOptions & { id: string }) => void,
  ): void {
    // A health check may be gone before it is taken, and nobody can say any more where it came from.
    if (socket.remoteAddress === undefined) {
      socket.destroy()
      return callback(new Error('gone'))
    }
    this.#count += 1
    const id = `${this.#prefix}-${this.#count}`
    if (!this._expectsProxyHeader(socket)) return callback(null, { id })
    this.#options.balancers.ask(socket, socket.remoteAddress, (origin) => {
      if (origin === undefined) callback(new Error('no PROXY header'))
      else callback(null, { id, ...origin })
    })
  }

  override _upgrade(socket: Socket, callback: (error: Error | null, tls?: TLSSocket) => void): void {
    super._upgrade(socket, (error, tls) => {
      if (error !== null) this.context.metrics.tlsFailed.inc()
      callback(error, tls)
    })
  }

  override onAuth(
    auth: SMTPServerAuthentication,
    session: SMTPServerSession,
    callback: (error: Error | null | undefined, response?: SMTPServerAuthenticationResponse) => void,
  ): void {
    const owner = this.#owners.get(session)
    owner?.login.check(auth.username ?? '', auth.password ?? '', (user, refusal = 'authenticationInvalid') => {
      if (user !== undefined) return callback(null, { user })
      owner.context.metrics.refused.with({ reason: refusal }).inc()
      const to = replies[refusal]
      callback(Object.assign(new Error(to.text), { responseCode: to.code }))
    })
  }

  override onSecure(_socket: unknown, _session: unknown, callback: () => void): void {
    callback()
  }
  override onClose(): void {}
}
