// Hands the message of a probe to the edge, as any mail program would: connect, STARTTLS or TLS, log-in, MAIL, RCPT, DATA. One
// try comes to one of four ends; what was surely not stored, and not refused for good, is tried again each second until
// the deadline.
import { once } from 'node:events'
import { connect, isIP, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import { printable } from './human.ts'
import type { ProbeMessage } from './probe-message.ts'
import { hostPort } from './probe-sink.ts'

export interface Edge {
  readonly host: string
  readonly port: number
  readonly tls: 'starttls' | 'implicit' | 'none'
  /** Authorities to trust in place of the usual ones, PEM. */
  readonly ca?: string
  /** Name in the edge's certificate, if it is not the host. */
  readonly serverName?: string
  /** Takes any certificate. */
  readonly insecure: boolean
  readonly login?: { readonly user: string; readonly password: string }
}

export type Handed =
  | {
      readonly is: 'accepted'
      /** The edge's name for itself. */
      readonly edge: string
      readonly reply: string
      /** "TLSv1.3" */
      readonly tls: string | undefined
      /** When MAIL was said, by the monotonic clock, and how long the reply to the message took from there; ms. */
      readonly begun: number
      readonly ms: number
    }
  /** Surely not stored. */
  | { readonly is: 'not now' | 'refused'; readonly why: string }
  /** The content was sent and not answered: it may be stored. */
  | { readonly is: 'unknown'; readonly why: string }

const PAUSE_MS = 1000
/** nodemailer's own limits only stand behind the deadline. */
const NEVER_MS = 86_400_000
/** An edge that fell silent does not keep us when we leave. */
const CLOSE_MS = 1000
/** The edge stops, or its queue is unavailable; 454 says the same of TLS and log-ins. */
const NOT_NOW = new Set([421, 451, 454])

/** Codes of OpenSSL and Node for a certificate that does not please us, and for bytes that are no TLS. */
const CERTIFICATE = /CERT|VERIFY|HOSTNAME|_CA\b|CA_/
const NO_TLS = /^ERR_SSL/

type Phase = 'greeting' | 'log-in' | 'envelope' | 'content'
type ConnectError = Error & { readonly code?: string }
type SmtpError = Error & { readonly originalCode?: string } & Pick<
    SMTPConnection.SMTPError,
    'code' | 'response' | 'responseCode' | 'command'
  >

/** Tries until the signal ends it. `note` hears why it is tried again, each reason once. */
export async function handOver(
  edge: Edge,
  message: ProbeMessage,
  deadline: AbortSignal,
  note: (line: string) => void,
): Promise<Handed> {
  let last: string | undefined
  for (let tries = 1; ; tries++) {
    const handed = await handOverOnce(edge, message, deadline)
    if (handed.is !== 'not now') return handed
    if (handed.why !== last && !deadline.aborted) note(`${handed.why}; trying again each second`)
    last = handed.why
    await sleep(PAUSE_MS, undefined, { signal: deadline }).catch(() => {})
    if (deadline.aborted)
      return { is: 'refused', why: `${handed.why}; given up after ${tries} ${tries === 1 ? 'try' : 'tries'}` }
  }
}

async function handOverOnce(edge: Edge, message: ProbeMessage, deadline: AbortSignal): Promise<Handed> {
  const { host, port, login } = edge
  const name = hostPort(host, port)
  let socket: Socket
  try {
    socket = await connected(host, port, deadline)
  } catch (error) {
    if (deadline.aborted) return { is: 'refused', why: `${name} does not answer: no connection in time` }
    const { code, message: text } = error as ConnectError
    const why = `${name} does not answer: ${code === 'ECONNREFUSED' ? 'connection refused' : text || code}`
    return { is: code === 'ENOTFOUND' ? 'refused' : 'not now', why }
  }
  const connection = new Connection(edge, socket, deadline)
  let phase: Phase = 'greeting'
  try {
    await connection.step((done) => connection.smtp.connect(done))
    const said = connection.greetedAs
    if (login !== undefined) {
      phase = 'log-in'
      // Whatever offers none shall not be told a password.
      if (!connection.offersLogin) return { is: 'refused', why: `${name} offers no log-in` }
      await connection.step((done) => connection.smtp.login({ user: login.user, pass: login.password }, done))
    }
    phase = 'envelope'
    // A stream is read only after the reply to DATA: from then on the edge may have all of it.
    const content = new Readable({
      read() {
        phase = 'content'
        this.push(message.content)
        this.push(null)
      },
    })
    const begun = performance.now()
    const envelope = { from: message.from, to: message.to, size: message.content.length }
    const { response } = await connection.step<SMTPConnection.SentMessageInfo>((done) =>
      connection.smtp.send(envelope, content, done),
    )
    const ms = performance.now() - begun
    connection.smtp.quit()
    return { is: 'accepted', edge: said, reply: oneLine(response), tls: connection.tls, begun, ms }
  } catch (error) {
    return judge(error as SmtpError, phase, { edge, message, name, isTls: connection.isUpgrading, deadline })
  } finally {
    connection.close()
  }
}

function judge(
  error: SmtpError,
  phase: Phase,
  facts: { edge: Edge; message: ProbeMessage; name: string; isTls: boolean; deadline: AbortSignal },
): Handed {
  const { name, edge, message, isTls, deadline } = facts
  if (error.response !== undefined) {
    const reply = oneLine(error.response)
    if (NOT_NOW.has(error.responseCode ?? 0)) return { is: 'not now', why: `${name} says ${reply}` }
    return { is: 'refused', why: `${name} refuses ${whatWasRefused(error, phase, edge, message)}: ${reply}` }
  }
  const silent = deadline.aborted ? 'no reply in time' : printable(error.message)
  if (phase === 'content')
    return { is: 'unknown', why: `${name} took the message and did not say what became of it (${silent})` }
  if (deadline.aborted) {
    // A port for implicit TLS waits for the client to speak first.
    const hint = phase === 'greeting' && edge.tls === 'starttls' ? '; is it a port for --tls implicit?' : ''
    return { is: 'refused', why: `${name} does not answer: ${silent}${hint}` }
  }
  const hint = isTls ? hintFor(error.originalCode ?? '') : undefined
  // Node's text goes on with advice of its own.
  if (hint !== undefined) return { is: 'refused', why: `no TLS with ${name}: ${silent.split(';', 1)[0]}; ${hint}` }
  return { is: 'not now', why: `${name} does not answer: ${silent}` }
}

/** What to do about a handshake that will not do better next time; undefined if it was only cut off. */
function hintFor(code: string): string | undefined {
  if (NO_TLS.test(code)) return 'is --tls right for this port?'
  if (!CERTIFICATE.test(code)) return undefined
  return '--ca-file names the authority that signed it, --server-name the name in it, --insecure takes any certificate'
}

function whatWasRefused({ command }: SmtpError, phase: Phase, { login }: Edge, { from, to }: ProbeMessage): string {
  if (phase === 'greeting') return command === 'STARTTLS' ? 'STARTTLS' : 'the connection'
  if (phase === 'log-in') return `the log-in of ${printable(login?.user ?? '')}`
  if (command === 'MAIL FROM') return `the sender <${from}>`
  if (command === 'RCPT TO') return `the recipient <${to}>`
  return 'the message'
}

/** Rejects with the system's error, or when the deadline comes. */
async function connected(host: string, port: number, deadline: AbortSignal): Promise<Socket> {
  const socket = connect({ host, port })
  try {
    await once(socket, 'connect', { signal: deadline })
    return socket
  } catch (error) {
    socket.on('error', () => {})
    socket.destroy()
    throw error
  }
}

/** nodemailer's connection, step by step. */
class Connection {
  readonly smtp: SMTPConnection
  readonly #lost: Promise<never>
  readonly #closed = new AbortController()

  constructor({ host, tls, ca, serverName, insecure }: Edge, socket: Socket, deadline: AbortSignal) {
    const servername = serverName ?? (isIP(host) === 0 ? host : undefined)
    this.smtp = new SMTPConnection({
      host,
      connection: socket,
      secure: tls === 'implicit',
      requireTLS: tls === 'starttls',
      ignoreTLS: tls === 'none',
      connectionTimeout: NEVER_MS,
      greetingTimeout: NEVER_MS,
      socketTimeout: NEVER_MS,
      socketCloseTimeout: CLOSE_MS,
      tls: {
        rejectUnauthorized: !insecure,
        ...(ca === undefined ? undefined : { ca }),
        ...(servername === undefined ? undefined : { servername }),
      },
    })
    this.#lost = new Promise((_, reject) => {
      this.smtp.on('error', reject)
      // It may be the next thing that nodemailer does to say why.
      this.smtp.on('end', () => setImmediate(reject, new Error('the connection was closed')))
      deadline.addEventListener('abort', () => reject(new Error('no reply in time')), { signal: this.#closed.signal })
    })
    this.#lost.catch(() => {}) // it is closed in the end, whatever came before
  }

  /** One step, which takes a callback; rejects with its error, when the connection is lost and at the deadline. */
  step<T = unknown>(begin: (done: (error?: Error | null, result?: T) => void) => void): Promise<T> {
    const done = new Promise<T>((resolve, reject) =>
      begin((error, result) => (error ? reject(error) : resolve(result as T))),
    )
    return Promise.race([done, this.#lost])
  }

  /** Whatever was written still goes out. */
  close(): void {
    this.#closed.abort()
    this.smtp.close()
  }

  /** The name in the reply to EHLO. */
  get greetedAs(): string {
    return printable(/^\d{3}[ -](\S+)/.exec(this.smtp.lastServerResponse || '')?.[1] ?? this.smtp.host)
  }
  get offersLogin(): boolean {
    return this.smtp.allowsAuth
  }
  /** A TLS handshake was begun and has not come to its end. */
  get isUpgrading(): boolean {
    return this.smtp.upgrading === true
  }
  get tls(): string | undefined {
    return this.smtp.secure ? ((this.smtp._socket as TLSSocket).getProtocol() ?? undefined) : undefined
  }
}

function oneLine(reply: string): string {
  return printable(reply.replace(/\r?\n/g, ' / '))
}
