/**
 * One SMTP session: its connection, greeting, commands, replies and times. smtp-server gives it the socket, STARTTLS and
 * SASL; commands are looked up here and nowhere else, so that every reply has its right code. Replies to pipelined
 * commands leave in one write. The mail itself is in dialogue.ts.
 */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js'
import type { SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection.js'
import { reply } from '@posthouse/core/reply'
import type { Reply } from '@posthouse/core/reply'
import type { User } from '@posthouse/core/users'
import { Commands } from './commands.ts'
import type { EdgeContext } from './context.ts'
import { Dialogue } from './dialogue.ts'
import type { Listener } from './listener.ts'
import { Login } from './login.ts'
import { replies } from './replies.ts'
import type { ReplyName } from './replies.ts'
import { SessionClock } from './session-clock.ts'
import { SmtpInput } from './smtp-input.ts'
import type { InputReader } from './smtp-input.ts'

const mostErrors = 20
/** A session that is told no all the time does not fill the log. */
const mostLoggedRefusals = 30
export class Session extends SMTPConnection implements InputReader {
  readonly context: EdgeContext
  readonly listener: Listener
  /** The listener serves this client without a log-in. */
  readonly isListed: boolean
  readonly login = new Login(this)
  readonly #dialogue: Dialogue
  readonly #commands: Commands
  readonly #clock = new SessionClock()
  #out = ''
  #errors = 0
  #refusals = 0
  #tls: string | undefined
  /** We, not the client, are waited for: no time counts against it. */
  #ours = false

  constructor(listener: Listener, socket: Socket | TLSSocket, options: SMTPConnectionOptions) {
    super(listener, socket, options)
    this.context = listener.context
    this.listener = listener
    this.isListed = listener.serves(this.remoteAddress, options.remoteAddress !== undefined)
    this.#dialogue = new Dialogue(this)
    this.#commands = new Commands(this, this.#dialogue)
    if (this.secure) this.#isEncrypted(socket)
  }

  get user(): User | undefined {
    return (this.session.user as User | false | undefined) || undefined
  }
  get tls(): string | undefined {
    return this.#tls
  }
  get input(): SmtpInput | undefined {
    return (this._parser || undefined) as SmtpInput | undefined
  }
  get isOpen(): boolean {
    return !this._closing && !this._closed
  }

  // The connection.

  override init(): void {
    const { context, listener } = this
    this._setListeners(() => undefined)
    context.sessions.add(this)
    listener.series.connections.inc()
    if (context.activities.stopped) return this.refuseSession('shuttingDown')
    if (context.sessions.size > context.limits.connections) return this.refuseSession('nodeBusy')
    const trusted = this.isListed || listener.isBalancer(this.remoteAddress)
    if (!trusted && context.sessions.ofClient(this.remoteAddress) > context.limits.connectionsPerClient) {
      return this.refuseSession('clientBusy')
    }
    // Strangers wait: who talks before the greeting is no mail client.
    const known = trusted || context.known.has(this.remoteAddress, context.now())
    if (known || context.greetingDelay === 0) this.connectionReady()
    else setTimeout(() => this.connectionReady(), context.greetingDelay).unref()
  }

  override connectionReady(): void {
    if (!this.isOpen || this._ready) return
    this._ready = true
    this.#out += this.listener.greeting
    this.flush()
  }

  override _createParser(): SmtpInput {
    return new SmtpInput(this)
  }
  /** One timer for all sessions does it (sessions.ts). */
  override _armTimeout(): void {}
  override _resetSession(): void {
    // smtp-server says this when TLS has begun.
    this.#commands.forget()
    if (this.secure) this.#isEncrypted(this._socket)
  }

  #isEncrypted(socket: Socket | TLSSocket): void {
    this.#tls = describeTls(socket)
    if ('getProtocol' in socket) this.listener.series.encrypted(socket.getProtocol())
  }

  override _onError(error: Error & { code?: string | undefined }): void {
    const { context, id: session, remoteAddress: client } = this
    context.strangersLog.debug({ session, client, code: error.code }, 'connection lost')
    this.close()
  }
  override _onCloseEvent(): void {
    this._onClose()
  }
  override _onClose(): void {
    if (this._closed) return
    this._closed = true
    if (this._upgrading) this.context.metrics.tlsFailed.inc()
    clearTimeout(this._closeTimer)
    const input = this.input
    this._parser = false
    if (input !== undefined) {
      input.isClosed = true
      this._socket.unpipe(input)
    }
    this.context.sessions.delete(this)
    this._server.connections.delete(this)
    this.#dialogue.connectionLost()
  }

  override close(): void {
    this.flush()
    super.close()
    this.#dialogue.connectionLost()
  }
  /** No reply can be true: the client must be left in doubt. */
  dropWithoutReply(): void {
    this.#out = ''
    this._socket.destroy()
  }

  // What is said.

  put(to: Reply): void {
    this.#say(to.code, to.wire)
  }
  /** A reply as it is sent. */
  putLine(code: number, wire: string): void {
    this.#say(code, wire)
  }
  #say(code: number, wire: string): void {
    this.#out += wire
    this.listener.series.replied(code)
  }
  /** Says no, counts it and logs it. A 421 ends the session. */
  refuse(name: ReplyName, cause?: string, isLogged = false): void {
    const to: Reply = replies[name]
    const { context } = this
    this.#say(to.code, to.wire)
    context.metrics.refused.with({ reason: name }).inc()
    if (!isLogged && ++this.#refusals <= mostLoggedRefusals)
      context.strangersLog.info(
        { session: this.id, client: this.remoteAddress, user: this.user?.name, reason: name, code: to.code, cause },
        'refused',
      )
    if (to.code === 421) this.close()
    else if (to.code >= 500 && ++this.#errors >= mostErrors) this.refuse('tooManyErrors')
  }
  /** Says no to a message whose content has come: it has an id. */
  refuseMessage(name: ReplyName, id: string, trace?: string): void {
    const { context, remoteAddress: client, user } = this
    context.strangersLog.info(
      { id, trace, session: this.id, client, user: user?.name, reason: name, code: replies[name].code },
      'message refused',
    )
    this.refuse(name, undefined, true)
  }
  refuseSession(name: ReplyName): void {
    this._ready = true
    this.refuse(name)
  }
  /** A message was accepted: the errors before it are forgiven. */
  forgive(): void {
    this.#errors = 0
  }

  /** What smtp-server's SASL says. */
  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    const text = Array.isArray(data) ? data.join(' ') : (data ?? '')
    // smtp-server's 421 here means too many failed log-ins; its own code for that says "timeout".
    const enhanced = code === 421 ? '4.7.0' : this._getEnhancedStatusCode(code, context)
    this.put(reply(code, enhanced, text.replace(/^Error: /, '')))
    if (code === 421) this.close()
  }
  override _useEnhancedStatusCodes(): boolean {
    return true
  }

  flush(): void {
    const out = this.#out
    if (out === '') return
    this.#out = ''
    const socket = this._socket
    if (this._upgrading || socket.destroyed || !socket.writable) return
    // A client that never reads its replies is not read from either.
    if (!socket.write(out, 'latin1') && !this._closing) {
      this.input?.block('drain')
      socket.once('drain', () => this.input?.unblock('drain'))
    }
  }

  /** We have something to do before the next byte of the client can be looked at. */
  hold(): void {
    this.#ours = true
    this.input?.block('work')
  }
  release(): void {
    this.#ours = false
    this.#clock.heard()
    this.input?.unblock('work')
    this.leave()
    this.flush()
  }

  // What is heard.

  onIdle(): void {
    this.leave()
    this.flush()
  }
  onContent(piece: Buffer): void {
    this.#dialogue.onContent(piece)
  }
  onContentChunk(memory: ArrayBuffer | undefined): void {
    this.#dialogue.onContentChunk(memory)
  }
  onContentEnd(): void {
    this.#dialogue.onContentEnd()
  }
  onLineTooLong(): void {
    this.refuse('lineTooLong')
    this.close()
  }

  onLine(line: string, bareLf: boolean): void {
    this.#clock.heard()
    if (this._upgrading) return
    if (!this._ready) return this.refuse('tooEarly')
    if (bareLf && this.listener.bareNewlines === 'reject') return this.refuse('bareLineFeed')
    const next = this._nextHandler
    if (next !== false) {
      this._nextHandler = false
      this.hold()
      return next.call(this, Buffer.from(line), () => this.release())
    }
    this.#commands.hear(line)
  }

  get hasGreeted(): boolean {
    return this.#commands.hasGreeted
  }
  /** The beginning of the Received header of this session's messages. */
  trace(smtputf8: boolean): string {
    return this.#commands.trace(smtputf8)
  }

  /** The client's name in EHLO or HELO; '' before it. */
  get helo(): string {
    return this.#commands.helo
  }

  // Time.

  /** Once a second, with a monotonic time in ms. */
  tick(now: number): void {
    if (!this.isOpen) return
    const tooSlow = this.#ours ? undefined : this.#dialogue.tick()
    const up = this.#clock.tick(now, this.context.timeouts, this.#ours, tooSlow)
    if (up !== undefined) this.refuse(up)
  }

  /** Called whenever something is over: ends the session if the node stops and nothing of it is under way. */
  leave(): void {
    if (!this.context.activities.stopped || !this.isOpen) return
    // In the middle of a handshake nothing can be said; it is called again after it.
    if (this.#ours || this._upgrading || this.#dialogue.inTransaction) return
    this.refuse('shuttingDown')
  }
  cutOff(): void {
    if (this.isOpen && !this.#dialogue.awaitsFate) this.refuse('shuttingDown')
  }
}

function describeTls(socket: Socket | TLSSocket): string | undefined {
  if (!('getCipher' in socket)) return undefined
  return `${socket.getProtocol() ?? 'TLS'} with cipher ${socket.getCipher().name}`
}
