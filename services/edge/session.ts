/**
 * One SMTP session: its connection, greeting, commands, replies and times. smtp-server gives it the socket, STARTTLS and
 * SASL; commands are looked up here and nowhere else, so that every reply has its right code. Replies to pipelined
 * commands leave in one write. The mail itself is in dialogue.ts.
 */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js'
import type { SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection.js'
import { receivedPrefix } from '@posthouse/core/received'
import { reply } from '@posthouse/core/reply'
import type { Reply } from '@posthouse/core/reply'
import type { User } from '@posthouse/core/users'
import type { EdgeContext } from './context.ts'
import { Dialogue } from './dialogue.ts'
import { ehloReply } from './ehlo.ts'
import type { Listener } from './listener.ts'
import { replies } from './replies.ts'
import type { ReplyName } from './replies.ts'
import { SmtpInput } from './smtp-input.ts'
import type { InputReader } from './smtp-input.ts'

const mostErrors = 20
/** A session that is told no all the time does not fill the log. */
const mostLoggedRefusals = 30
const mostFailedLogins = 3
const httpRequest = /^(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|CONNECT|PATCH|TRACE) \S+ HTTP\/\d/i

export class Session extends SMTPConnection implements InputReader {
  readonly context: EdgeContext
  readonly listener: Listener
  /** The listener serves this client without a log-in. */
  readonly isListed: boolean
  readonly #dialogue: Dialogue
  #out = ''
  #errors = 0
  #refusals = 0
  #failedLogins = 0
  #helo = ''
  #extended = false
  #tls: string | undefined
  #trace: string | undefined
  /** We, not the client, are waited for: no time counts against it. */
  #ours = false
  #startedAt: number | undefined
  #lastCommandAt = 0
  #hadCommand = false

  constructor(listener: Listener, socket: Socket | TLSSocket, options: SMTPConnectionOptions) {
    super(listener, socket, options)
    this.context = listener.context
    this.listener = listener
    this.isListed = listener.serves(this.remoteAddress)
    this.#dialogue = new Dialogue(this)
    if (this.secure) this.#tls = describeTls(socket)
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
    listener.connectionsSeries.inc()
    if (context.activities.stopped) return this.refuseSession('shuttingDown')
    if (context.sessions.size > context.limits.connections) return this.refuseSession('nodeBusy')
    if (!this.isListed && context.sessions.ofClient(this.remoteAddress) > context.limits.connectionsPerClient) {
      return this.refuseSession('clientBusy')
    }
    // Strangers wait: who talks before the greeting is no mail client.
    const known = this.isListed || context.known.has(this.remoteAddress, context.now())
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
    // smtp-server says this when TLS has begun (RFC 3207 4.2): all that was heard before is forgotten.
    this.#dialogue?.reset()
    this.#helo = ''
    this.#extended = false
    this.#trace = undefined
    if (this.secure) this.#tls = describeTls(this._socket)
  }

  override _onError(error: Error & { code?: string | undefined }): void {
    this.context.log.debug({ session: this.id, client: this.remoteAddress, code: error.code }, 'connection lost')
    this.close()
  }
  override _onCloseEvent(): void {
    this._onClose()
  }
  override _onClose(): void {
    if (this._closed) return
    this._closed = true
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
    this.#out += to.wire
  }
  putLine(wire: string): void {
    this.#out += wire
  }
  /** Says no, counts it and logs it. A 421 ends the session. */
  refuse(name: ReplyName, cause?: string): void {
    const to: Reply = replies[name]
    const { context } = this
    this.#out += to.wire
    context.metrics.refused.with({ reason: name }).inc()
    if (++this.#refusals <= mostLoggedRefusals)
      context.log.info(
        { session: this.id, client: this.remoteAddress, user: this.user?.name, reason: name, code: to.code, cause },
        'refused',
      )
    if (to.code === 421) this.close()
    else if (to.code >= 500 && ++this.#errors >= mostErrors) this.refuse('tooManyErrors')
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
    this.#out += reply(code, enhanced, text.replace(/^Error: /, '')).wire
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
    this.#hadCommand = true
    this.input?.unblock('work')
    this.flush()
  }

  // What is heard.

  onIdle(): void {
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
    this.#hadCommand = true
    if (this._upgrading) return
    if (!this._ready) return this.refuse('tooEarly')
    if (bareLf && this.listener.bareNewlines === 'reject') return this.refuse('bareLineFeed')
    const next = this._nextHandler
    if (next !== false) {
      this._nextHandler = false
      return this.#sasl(() => next.call(this, Buffer.from(line), () => this.release()))
    }
    const space = line.indexOf(' ')
    const verb = (space < 0 ? line : line.slice(0, space)).toUpperCase()
    const rest = space < 0 ? '' : line.slice(space + 1).trim()
    switch (verb) {
      case 'MAIL':
        return this.#dialogue.mail(rest)
      case 'RCPT':
        return this.#dialogue.rcpt(rest)
      case 'DATA':
        return rest === '' ? this.#dialogue.data() : this.refuse('noArgument')
      case 'EHLO':
      case 'HELO':
        return this.#greet(rest, verb === 'EHLO')
      case 'RSET':
        this.#dialogue.reset()
        return this.put(replies.ok)
      case 'NOOP':
        return this.put(replies.ok)
      case 'QUIT':
        this.put(replies.bye)
        return this.close()
      case 'STARTTLS':
        return this.#startTls(rest)
      case 'AUTH':
        return this.#auth(line)
      case 'VRFY':
        return this.put(replies.cannotVerify)
      case 'HELP':
        return this.put(replies.help)
      case 'EXPN':
      case 'TURN':
        return this.refuse('notImplemented')
      default:
        return this.refuse(httpRequest.test(line) ? 'httpRequest' : 'notRecognised')
    }
  }

  #greet(name: string, extended: boolean): void {
    if (name === '' || name.length > 255 || /[^!-~\u00a0-\u{10ffff}]/u.test(name)) return this.refuse('badHelo')
    this.#dialogue.reset()
    this.#helo = name
    this.#extended = extended
    this.#trace = undefined
    const { hostname, limits } = this.context
    if (!extended) return this.put(reply(250, '', hostname))
    this.put(
      ehloReply({
        hostname,
        size: limits.messageSize,
        startTls: this.#offersTls(),
        auth: this.#offersAuth() && this.secure && this.user === undefined,
      }),
    )
  }

  #startTls(rest: string): void {
    if (rest !== '') return this.refuse('noArgument')
    if (this.secure) return this.refuse('tlsActive')
    if (!this.#offersTls()) return this.refuse('notImplemented')
    this.put(replies.startTls)
    this.flush()
    this.upgrade(() => undefined)
  }
  #offersTls(): boolean {
    return !this.secure && this.listener.offersTls
  }
  #offersAuth(): boolean {
    return this.listener.role !== 'relay' && this.context.authenticator !== undefined
  }

  #auth(line: string): void {
    if (this.#helo === '') return this.refuse('greetFirst')
    if (!this.#offersAuth()) return this.refuse('notImplemented')
    if (!this.secure) return this.refuse('tlsForAuth')
    if (this.#dialogue.inTransaction) return this.refuse('authenticationInTransaction')
    this.#sasl(() => this.handler_AUTH(Buffer.from(line), () => this.release()))
  }
  #sasl(step: () => void): void {
    this.hold()
    step()
  }

  /** What SASL found out is checked; smtp-server puts the user into the session. */
  authenticate(name: string, password: string, done: (user: User | undefined, refusal?: ReplyName) => void): void {
    const { authenticator, metrics, known, log, now } = this.context
    if (authenticator === undefined) return done(undefined, 'notImplemented')
    authenticator.login(name, password, this.remoteAddress).then(
      (result) => {
        metrics.logins.with({ result: result.is === 'ok' && result.cached ? 'cached' : result.is }).inc()
        if (result.is === 'ok') {
          known.add(this.remoteAddress, now())
          this.#trace = undefined
          return done(result.user)
        }
        log.info({ session: this.id, client: this.remoteAddress, user: name, result: result.is }, 'log-in refused')
        if (result.is !== 'wrong') return done(undefined, 'authenticationBusy')
        this.#failedLogins += 1
        const last = this.#failedLogins >= mostFailedLogins
        const delay = this.context.failedLoginDelay * 2 ** (this.#failedLogins - 1)
        setTimeout(() => done(undefined, last ? 'tooManyFailedLogins' : 'authenticationInvalid'), delay).unref()
      },
      (error: unknown) => {
        log.error({ err: error, session: this.id }, 'a log-in could not be checked')
        done(undefined, 'authenticationBusy')
      },
    )
  }

  get hasGreeted(): boolean {
    return this.#helo !== ''
  }
  /** The beginning of the Received header of this session's messages. */
  trace(smtputf8: boolean): string {
    const session = {
      helo: this.#helo,
      clientAddress: this.remoteAddress,
      by: this.context.hostname,
      extended: this.#extended,
      tls: this.#tls,
      authenticated: this.user !== undefined,
      smtputf8,
    }
    return smtputf8 ? receivedPrefix(session) : (this.#trace ??= receivedPrefix(session))
  }

  // Time.

  /** Once a second, with a monotonic time in ms. */
  tick(now: number): void {
    this.#startedAt ??= now
    if (!this.isOpen) return
    if (this.#hadCommand || this.#ours) {
      this.#hadCommand = false
      this.#lastCommandAt = now
    } else if (this.#lastCommandAt === 0) this.#lastCommandAt = now
    if (this.#ours) return
    const { timeouts } = this.context
    if (now - this.#startedAt > timeouts.session) return this.refuse('sessionTooLong')
    const tooSlow = this.#dialogue.tick()
    if (tooSlow === undefined) {
      if (now - this.#lastCommandAt > timeouts.command) this.refuse('idle')
    } else if (tooSlow) this.refuse('tooSlow')
  }

  drain(): void {
    if (this.isOpen && !this.#ours && !this.#dialogue.inTransaction) this.refuse('shuttingDown')
  }
  cutOff(): void {
    if (this.isOpen && !this.#dialogue.awaitsFate) this.refuse('shuttingDown')
  }
}

function describeTls(socket: Socket | TLSSocket): string | undefined {
  if (!('getCipher' in socket)) return undefined
  return `${socket.getProtocol() ?? 'TLS'} with cipher ${socket.getCipher().name}`
}
