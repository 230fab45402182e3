/**
 * One connection through a SOCKS 5 proxy: the socket to the proxy and the handshake on it. What comes out is the plain
 * socket, with nothing of ours left on it and with whatever the host has said already still to be read. It keeps no time:
 * whoever opened it abandons it.
 */
import { connect } from 'node:net'
import type { LookupFunction, Socket } from 'node:net'
import type { NextHop } from '@posthouse/core/route-table'
import { SocksHandshake } from '@posthouse/core/socks5'
import type { SocksFault, SocksLogin, SocksTarget } from '@posthouse/core/socks5'

export interface TunnelOptions {
  readonly proxy: NextHop
  readonly login: SocksLogin | undefined
  readonly target: SocksTarget
  readonly lookup: LookupFunction
}

export type TunnelEnd =
  { readonly is: 'open'; readonly socket: Socket } | { readonly is: 'failed'; readonly why: string }

/** A proxy of several addresses that does not answer at one of them is tried at the next one after so long. */
const NEXT_ADDRESS_MS = 2000

export class SocksTunnel {
  readonly #options: TunnelOptions
  readonly #handshake: SocksHandshake
  #socket: Socket | undefined
  #done: ((end: TunnelEnd) => void) | undefined
  #failure: SocksFault | undefined
  #isOpen = false

  constructor(options: TunnelOptions) {
    this.#options = options
    this.#handshake = new SocksHandshake(options.target, options.login)
  }

  /** Whose fault it is that the host has not been reached; undefined: it has. */
  get fault(): SocksFault | undefined {
    if (this.#isOpen) return undefined
    // A proxy that was asked and says nothing waits for the host, as far as anybody can tell.
    return this.#failure ?? (this.#handshake.hasAsked ? 'host' : 'proxy')
  }

  /** `done` is called once, never before this returns, and not after `abandon`. */
  open(done: (end: TunnelEnd) => void): void {
    const { proxy, lookup } = this.#options
    const socket = connect({
      host: proxy.host,
      port: proxy.port,
      lookup,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
      noDelay: true,
    })
    this.#socket = socket
    this.#done = done
    socket.once('connect', () => socket.write(this.#handshake.greeting()))
    socket.on('data', this.#onData)
    socket.on('error', this.#onError)
    socket.on('end', this.#onEnd)
    socket.on('close', this.#onEnd)
  }

  /** Gives it up. What has been handed over is no longer ours. */
  abandon(): void {
    this.#done = undefined
    if (!this.#isOpen) this.#socket?.destroy()
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#socket !== undefined) this.#take(this.#socket, chunk)
  }
  readonly #onError = (error: Error): void => this.#lost(error.message)
  readonly #onEnd = (): void => this.#lost('it closed the connection')

  #take(socket: Socket, chunk: Buffer): void {
    const step = this.#handshake.take(chunk)
    switch (step.is) {
      case 'partial':
        return
      case 'send':
        socket.write(step.bytes)
        return
      case 'failed':
        return this.#failed(step.whose, step.why)
      case 'open': {
        this.#isOpen = true
        // The next one to read begins where the proxy's own words end.
        socket.pause()
        socket.off('data', this.#onData)
        socket.off('error', this.#onError)
        socket.off('end', this.#onEnd)
        socket.off('close', this.#onEnd)
        if (step.rest.length > 0) socket.unshift(step.rest)
        const done = this.#done
        this.#done = undefined
        done?.({ is: 'open', socket })
      }
    }
  }

  /** Nobody knows why a proxy hangs up that was asked for a connection: some do so for want of a better answer. */
  #lost(why: string): void {
    this.#failed(this.#handshake.hasAsked ? 'this connection' : 'proxy', why)
  }

  #failed(whose: SocksFault, why: string): void {
    this.#failure ??= whose
    const done = this.#done
    this.abandon()
    done?.({ is: 'failed', why })
  }
}
