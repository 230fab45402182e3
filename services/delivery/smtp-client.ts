/**
 * A connection to a host: nodemailer's from the TCP connect to EHLO and STARTTLS, and for QUIT; in between mail
 * transactions of our own, because the fence, per-recipient replies and parameters, pipelining and content sent as it
 * lies need the socket. Each phase has its own time limit (RFC 5321 4.5.3.2), kept by the owner's tick.
 *
 *   opening -> idle <-> in a transaction -> gone
 */
import { isIP } from 'node:net'
import type { Socket } from 'node:net'
import { NOTHING, offersOf } from './offers.ts'
import type { Outgoing } from './outgoing.ts'
import { PhaseClock } from './phase-clock.ts'
import type { ClientTimeouts, Phase } from './phase-clock.ts'
import { ReplyReader } from './reply-reader.ts'
import { InnerConnection } from './smtp-connection.ts'
import type { SocksTunnel } from './socks-tunnel.ts'
import { Transaction } from './transaction.ts'
import type { TransactionResult } from './transaction.ts'

export interface ClientOptions {
  readonly address: string
  readonly port: number
  /** Name of the host, for TLS, the log and reports. */
  readonly host: string
  /** Our SMTP name. */
  readonly hostname: string
  readonly useTls: boolean
  /** The address it comes from; undefined: the machine chooses. */
  readonly localAddress?: string | undefined
  /** What it goes through; undefined: nothing. */
  readonly tunnel?: SocksTunnel | undefined
  /** How it leaves this machine, by its short name, for the metrics. */
  readonly exit?: string
  readonly timeouts: ClientTimeouts
  /** Monotonic clock, ms. */
  readonly now: () => number
}

/** A socket's handle, as far as it tells what the kernel has not taken. */
interface Handle {
  readonly writeQueueSize?: number
}

export class SmtpClient extends InnerConnection {
  /** Called once when the connection is gone, with the reason if it was not ours. */
  onGone: ((reason: string | undefined, response?: string) => void) | undefined
  offers = NOTHING
  /** An unfinished transaction must be reset before the next. */
  needsReset = false
  /** Transactions that came to their end. */
  served = 0
  idleSince = 0
  /** The name in the greeting. */
  greetedAs = ''
  readonly label: string
  readonly hostName: string
  readonly address: string
  readonly exit: string
  readonly now: () => number
  readonly #clock: PhaseClock
  readonly #tunnel: SocksTunnel | undefined
  #transaction: Transaction | undefined
  #reader = new ReplyReader()
  /** Under TLS, the socket that carries it. */
  #carrier: Socket | undefined
  #spoiled = false
  #leaving = false
  #tls: string | undefined
  #gone = false
  #systemError: string | undefined

  constructor(options: ClientOptions) {
    const { timeouts } = options
    super({
      host: options.address,
      port: options.port,
      name: options.hostname,
      ignoreTLS: !options.useTls,
      opportunisticTLS: true,
      // Whoever offers TLS gets it, whatever the certificate (RFC 7435).
      tls: { rejectUnauthorized: false },
      // RFC 6066: an address is no server name.
      ...(isIP(options.host) === 0 ? { servername: options.host } : undefined),
      ...(options.localAddress === undefined ? undefined : { localAddress: options.localAddress }),
      // The limits of the phases are kept by tick(); these only stand behind them.
      connectionTimeout: timeouts.connect + timeouts.greeting + timeouts.command,
      greetingTimeout: timeouts.greeting + timeouts.command,
      socketTimeout: timeouts.command + timeouts.final,
      allowInternalNetworkInterfaces: true,
    })
    this.now = options.now
    this.#clock = new PhaseClock(timeouts, options.now)
    this.#tunnel = options.tunnel
    this.hostName = options.host
    this.address = options.address
    this.exit = options.exit ?? 'direct'
    this.label = `${options.host}[${options.address}]:${options.port}`
    this.on('error', (error: Error & { response?: string; originalCode?: string }) => {
      this.#systemError = error.originalCode
      this.#isGone(error.message, error.response)
    })
    this.on('end', () => this.#isGone(undefined))
  }

  /** Once. The time for a connection runs since this was made, and over the tunnel, too. */
  override connect(): void {
    const tunnel = this.#tunnel
    if (tunnel === undefined) return super.connect()
    tunnel.open((end) => {
      if (end.is === 'failed') return this.#fail(end.why)
      this.options.connection = end.socket
      super.connect()
    })
  }

  /** After 'connect': what the host offers is known. */
  ready(): void {
    this.offers = offersOf(this._supportedExtensions, this._maxAllowedSize)
    const socket = this._socket
    if (socket) {
      socket.setTimeout(0)
      if (this.#carrier !== undefined && 'getProtocol' in socket) this.#tls = describeTls(socket as never)
    }
    this.idleSince = this.now()
  }

  /** "TLSv1.3 TLS_AES_256_GCM_SHA384"; undefined for plain. */
  get tls(): string | undefined {
    return this.#tls
  }
  get isEncrypted(): boolean {
    return this.#carrier !== undefined
  }
  /** STARTTLS was agreed on and has not come to an end. */
  get isUpgrading(): boolean {
    return this.upgrading === true
  }
  get isUsable(): boolean {
    return !this.#gone && !this.#spoiled && !this._destroyed
  }
  get isGone(): boolean {
    return this.#gone
  }
  /** What the system said ("ECONNREFUSED") when the connection was lost or could not be had. */
  get systemError(): string | undefined {
    return this.#systemError
  }
  get transaction(): Transaction | undefined {
    return this.#transaction
  }

  /** `done` is called exactly once, possibly before this returns. */
  transact(outgoing: Outgoing, done: (result: TransactionResult) => void): void {
    this.#reader = new ReplyReader()
    const transaction = new Transaction(this, outgoing, done)
    this.#transaction = transaction
    transaction.start()
  }

  transactionOver(): void {
    this.#transaction = undefined
    this.served += 1
    this.idleSince = this.now()
    // Nothing may come now: it would be taken for the answer to what is sent next.
    if (this.#reader.hasMore) this.#spoiled = true
  }

  phase(phase: Phase): void {
    this.#clock.enter(phase)
  }

  command(commands: string): void {
    this.phase(commands === 'DATA\r\n' ? 'data' : 'command')
    const socket = this._socket
    if (socket) socket.write(commands, 'utf8')
  }

  /** `done` is called when the kernel has it (true), or will never have it. */
  write(bytes: Buffer, done: (taken: boolean) => void): void {
    const socket = this._socket
    if (!socket) return done(false)
    socket.write(bytes, (error) => done(!error))
  }

  /** Bytes that wait in this process. */
  get unwritten(): number {
    const socket = this._socket
    return socket ? socket.writableLength + queued(this.#carrier) : 0
  }

  /** Writes, and says whether the kernel took all of it before this returned. If not, the connection must be dropped. */
  writeAtOnce(bytes: Buffer): boolean {
    const socket = this._socket
    if (!socket || !socket.writable) return false
    socket.write(bytes)
    // A TLS socket reports later, even if its carrier has written: ask the carrier.
    return this.#carrier === undefined ? socket.writableLength === 0 : queued(this.#carrier) === 0
  }

  /** Destroys the connection at once: nothing that waits in this process is sent. */
  drop(): void {
    this.#tunnel?.abandon()
    this.#carrier?.destroy()
    if (this._socket) this._socket.destroy()
    this.close()
  }

  /** Ends the connection in good order. */
  leave(): void {
    if (this.#leaving || this.#gone) return
    this.#spoiled = true
    this.#leaving = true
    this.quit()
    this.phase('quit')
  }

  /** Often: enforces the limit of the phase and retries a held dot. */
  tick(now: number): void {
    const transaction = this.#transaction
    transaction?.tick(now)
    // A connection that only waits for work is the owner's to end.
    const waits = transaction !== undefined || this.offers === NOTHING || this.#leaving
    const awaited = waits ? this.#clock.overdue(now) : undefined
    if (awaited === undefined) return
    const reason = `timeout while waiting for ${awaited}`
    if (transaction !== undefined) transaction.lost(reason)
    else this.#fail(reason)
  }

  #fail(reason: string): void {
    this.#isGone(reason)
    this.drop()
  }

  #isGone(reason: string | undefined, response?: string): void {
    if (this.#gone) return
    this.#gone = true
    this.#transaction?.lost(reason ?? 'the host closed the connection')
    this.onGone?.(reason, response)
  }

  override _actionGreeting(greeting: string): void {
    this.greetedAs = (/^220[ -](\S*)/.exec(greeting)?.[1] ?? '').toLowerCase()
    super._actionGreeting(greeting)
  }

  override _onConnect(): void {
    this.phase('greeting')
    super._onConnect()
  }

  override _sendCommand(command: string, forLog?: string): void {
    this.phase('command')
    super._sendCommand(command, forLog)
  }

  override _upgradeConnection(callback: (error: Error | null, secured?: boolean) => void): void {
    this.phase('handshake')
    if (this._socket) this.#carrier = this._socket
    super._upgradeConnection(callback)
  }

  override _onData(chunk: Buffer): void {
    if (this.#transaction === undefined) return super._onData(chunk)
    const reader = this.#reader
    reader.add(chunk)
    // A reply may end the transaction and even begin the next one, with a reader of its own.
    while (reader === this.#reader) {
      const transaction: Transaction | undefined = this.#transaction
      if (transaction === undefined) return
      const reply = reader.next()
      if (reply === undefined) return
      if (reply === 'broken') return transaction.lost('the host sent what is no reply')
      this.#clock.renew()
      transaction.reply(reply)
    }
  }
}

function queued(socket: Socket | undefined): number {
  const handle = (socket as unknown as { _handle?: Handle | null } | undefined)?._handle
  return handle?.writeQueueSize ?? 0
}

function describeTls(socket: import('node:tls').TLSSocket): string {
  return `${socket.getProtocol() ?? 'TLS'} ${socket.getCipher().name}`
}
