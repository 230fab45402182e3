/**
 * The commands of a session that are not about a mail: who the client says it is, STARTTLS, AUTH and the small ones. The
 * mail commands are handed on to the dialogue. What is not in the table here is not recognised, whatever smtp-server
 * would make of it.
 */
import { receivedPrefix } from '@posthouse/core/received'
import { reply } from '@posthouse/core/reply'
import type { Dialogue } from './dialogue.ts'
import { ehloReply } from './ehlo.ts'
import { replies } from './replies.ts'
import type { Session } from './session.ts'

const httpRequest = /^(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|CONNECT|PATCH|TRACE) \S+ HTTP\/\d/i
const badHelo = /[^!-~\u00a0-\u{10ffff}]/u

export class Commands {
  readonly #session: Session
  readonly #dialogue: Dialogue
  #helo = ''
  #extended = false
  #trace: string | undefined

  constructor(session: Session, dialogue: Dialogue) {
    this.#session = session
    this.#dialogue = dialogue
  }

  get hasGreeted(): boolean {
    return this.#helo !== ''
  }

  /** TLS has begun: all that was heard before is forgotten (RFC 3207 4.2). */
  forget(): void {
    this.#dialogue.reset()
    this.#helo = ''
    this.#extended = false
    this.#trace = undefined
  }

  hear(line: string): void {
    const session = this.#session
    const space = line.indexOf(' ')
    const verb = (space < 0 ? line : line.slice(0, space)).toUpperCase()
    const rest = space < 0 ? '' : line.slice(space + 1).trim()
    switch (verb) {
      case 'MAIL':
        return this.#dialogue.mail(rest)
      case 'RCPT':
        return this.#dialogue.rcpt(rest)
      case 'DATA':
        return rest === '' ? this.#dialogue.data() : session.refuse('noArgument')
      case 'EHLO':
      case 'HELO':
        return this.#greet(rest, verb === 'EHLO')
      case 'RSET':
        this.#dialogue.reset()
        return session.put(replies.ok)
      case 'NOOP':
        return session.put(replies.ok)
      case 'QUIT':
        session.put(replies.bye)
        return session.close()
      case 'STARTTLS':
        return this.#startTls(rest)
      case 'AUTH':
        return this.#auth(line)
      case 'VRFY':
        return session.put(replies.cannotVerify)
      case 'HELP':
        return session.put(replies.help)
      case 'EXPN':
      case 'TURN':
        return session.refuse('notImplemented')
      default:
        return session.refuse(httpRequest.test(line) ? 'httpRequest' : 'notRecognised')
    }
  }

  #greet(name: string, extended: boolean): void {
    const session = this.#session
    if (name === '' || name.length > 255 || badHelo.test(name)) return session.refuse('badHelo')
    this.forget()
    this.#helo = name
    this.#extended = extended
    const { hostname, limits } = session.context
    if (!extended) return session.put(reply(250, '', hostname))
    const { messageSize: size } = limits
    const auth = this.#offersAuth() && session.secure && session.user === undefined
    session.put(ehloReply({ hostname, size, startTls: this.#offersTls(), auth }))
  }

  #startTls(rest: string): void {
    const session = this.#session
    if (rest !== '') return session.refuse('noArgument')
    if (session.secure) return session.refuse('tlsActive')
    if (!this.#offersTls()) return session.refuse('notImplemented')
    session.put(replies.startTls)
    session.flush()
    session.upgrade(
      () => undefined,
      () => session.leave(),
    )
  }
  #offersTls(): boolean {
    return !this.#session.secure && this.#session.listener.offersTls
  }

  #auth(line: string): void {
    const session = this.#session
    if (!this.hasGreeted) return session.refuse('greetFirst')
    if (!this.#offersAuth()) return session.refuse('notImplemented')
    if (!session.secure) return session.refuse('tlsForAuth')
    if (this.#dialogue.inTransaction) return session.refuse('authenticationInTransaction')
    this.#trace = undefined
    session.hold()
    session.handler_AUTH(Buffer.from(line), () => session.release())
  }
  #offersAuth(): boolean {
    return this.#session.listener.role !== 'relay' && this.#session.context.authenticator !== undefined
  }

  get helo(): string {
    return this.#helo
  }

  /** The beginning of the Received header of this session's messages; made once. */
  trace(smtputf8: boolean): string {
    if (!smtputf8 && this.#trace !== undefined) return this.#trace
    const { remoteAddress, context, tls, user } = this.#session
    const prefix = receivedPrefix({
      helo: this.#helo,
      clientAddress: remoteAddress,
      by: context.hostname,
      extended: this.#extended,
      tls,
      authenticated: user !== undefined,
      smtputf8,
    })
    if (!smtputf8) this.#trace = prefix
    return prefix
  }
}
