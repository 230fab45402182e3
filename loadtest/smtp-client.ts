// A plain SMTP client without pipelining, for load: one command, one reply, little CPU. It says of every message exactly what
// is known: accepted, refused, surely not sent, or unknown because the connection was lost after the final dot.

import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import type { Message } from './message.ts'
import { ReplyReader, type Reply } from './smtp-reply.ts'
import type { No, Refused, Stage, Verdict } from './smtp-verdict.ts'

export interface Target {
  readonly host: string
  readonly port: number
  readonly tls: 'none' | 'starttls' | 'implicit'
  readonly user?: string
  readonly password?: string
  /** PEM: whose certificates are trusted; absent: any certificate will do. */
  readonly ca?: string
  /** The name that the certificate must have; absent: the host's. */
  readonly serverName?: string
  /** An address of this machine to connect from; absent: the kernel's choice. */
  readonly from?: string
}

export interface Patience {
  /** From connecting to the end of the greetings, TLS and log-in included. */
  readonly connectMs: number
  readonly replyMs: number
  /** For the reply to the final dot; absent: as for the others. */
  readonly finalMs?: number
}

/** The connection ended, broke or stayed silent too long before the reply that was waited for. */
export class ConnectionLost extends Error {}

/** What the server answered with something else than yes before the first message. */
export type Step = 'greeting' | 'EHLO' | 'STARTTLS' | 'AUTH'

/** The server answered the greeting, EHLO, STARTTLS or AUTH with something else than yes. */
export class Unwelcome extends Error {
  readonly code: number
  readonly step: Step
  constructor(step: Step, code: number, text: string) {
    super(text)
    this.code = code
    this.step = step
  }
}

/** For the final reply longer than a relay asks its queue about the fate of a message. */
export const PATIENT: Patience = { connectMs: 10_000, replyMs: 30_000, finalMs: 330_000 }

/** Who says 421 closes the connection, and has done so by then. */
const CLOSING_MS = 1000

export class SmtpClient {
  #socket: Socket
  #reader = new ReplyReader()
  #replies: Reply[] = []
  #waiting: { resolve: (reply: Reply) => void; reject: (lost: ConnectionLost) => void } | undefined
  #lost: ConnectionLost | undefined
  readonly #over = Promise.withResolvers<void>()
  #farewell: string | undefined
  #peer: string
  #extensions: ReadonlySet<string> = new Set()
  readonly #patience: Patience

  private constructor(socket: Socket, target: Target, patience: Patience) {
    this.#socket = socket
    this.#peer = nameOf(target)
    this.#patience = patience
    this.#listen()
  }

  /** Connects and greets; rejects with ConnectionLost or Unwelcome. */
  static async connect(target: Target, patience: Patience = PATIENT): Promise<SmtpClient> {
    const from = target.from === undefined ? {} : { localAddress: target.from }
    const at = { host: target.host, port: target.port, ...from }
    const socket = target.tls === 'implicit' ? connectTls({ ...at, ...trustOf(target) }) : connectPlain(at)
    const client = new SmtpClient(socket, target, patience)
    const tooLate = setTimeout(() => client.#end('no greeting in time'), patience.connectMs)
    try {
      await client.#greet(target)
      return client
    } catch (error) {
      client.close()
      throw error
    } finally {
      clearTimeout(tooLate)
    }
  }

  get usable(): boolean {
    return this.#lost === undefined
  }

  /** Address and port of the server, and the name in its greeting. */
  get peer(): string {
    return this.#peer
  }

  async send(message: Message): Promise<Verdict> {
    let at: Stage | 'idle' = this.usable ? 'MAIL' : 'idle'
    const accepted: string[] = []
    const refused: Refused[] = []
    const noes: No[] = []
    const no = (recipients: readonly string[], { code, lines }: Reply): Verdict => {
      noes.push({ stage: at as Stage, code, text: lines.join(' ') })
      refused.push(...recipients.map((recipient) => ({ recipient, code })))
      if (code === 421) this.#end('closed by the server with 421')
      return { told: 'refused', refused, noes }
    }
    try {
      const eightBit = message.eightBit && this.#extensions.has('8BITMIME') ? ' BODY=8BITMIME' : ''
      const from = await this.command(`MAIL FROM:<${message.sender}>${eightBit}`)
      if (from.code === 421 && (await this.#closes())) return this.#notSent(at, noes, from)
      if (from.code !== 250) return no(message.recipients, from)
      at = 'RCPT'
      for (const [index, recipient] of message.recipients.entries()) {
        const to = await this.command(`RCPT TO:<${recipient}>`)
        if (to.code === 421) return no([...accepted, ...message.recipients.slice(index)], to)
        if (to.code === 250 || to.code === 251) accepted.push(recipient)
        else no([recipient], to)
      }
      if (accepted.length === 0) {
        await this.command('RSET').catch(ifLost)
        return { told: 'refused', refused, noes }
      }
      at = 'DATA'
      const data = await this.command('DATA')
      if (data.code !== 354) return no(accepted, data)
      at = 'dot' // from the first octet on: what a socket has taken, nobody takes back
      this.#socket.setTimeout(this.#patience.finalMs ?? this.#patience.replyMs)
      this.#socket.write(message.wire)
      const final = await this.#reply()
      this.#socket.setTimeout(this.#patience.replyMs)
      if (final.code < 200 || final.code >= 300) return no(accepted, final)
      const queueId = queueIdIn(final)
      const known = queueId === undefined ? {} : { queueId }
      return { told: 'accepted', code: final.code, recipients: accepted, refused, noes, ...known }
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error
      if (at !== 'dot') return this.#notSent(at, noes)
      return { told: 'unknown', recipients: accepted, refused, noes, why: error.message }
    }
  }

  async command(line: string): Promise<Reply> {
    if (this.#lost !== undefined) throw this.#lost
    this.#socket.write(`${line}\r\n`, 'latin1')
    return this.#reply()
  }

  /** Says QUIT without waiting for the answer. */
  quit(): void {
    if (this.usable) this.#socket.end('QUIT\r\n')
  }

  close(): void {
    this.#socket.destroy()
  }

  async #greet(target: Target): Promise<void> {
    const greeting = expectCode('greeting', await this.#reply(), 220)
    const { remoteAddress, remotePort } = this.#socket // once it has ended, nobody can tell
    if (remoteAddress !== undefined) this.#peer = nameOf({ host: remoteAddress, port: remotePort ?? 0 })
    this.#peer += ` ${greeting.lines[0]?.split(' ')[0] ?? ''}`
    await this.#hello()
    if (target.tls === 'starttls') {
      expectCode('STARTTLS', await this.command('STARTTLS'), 220)
      this.#socket.removeAllListeners()
      this.#socket = connectTls({ socket: this.#socket, host: target.host, ...trustOf(target) })
      this.#listen()
      await this.#hello()
    }
    if (target.user !== undefined) {
      const secret = Buffer.from(`\0${target.user}\0${target.password ?? ''}`).toString('base64')
      expectCode('AUTH', await this.command(`AUTH PLAIN ${secret}`), 235)
    }
  }

  async #hello(): Promise<void> {
    const reply = expectCode('EHLO', await this.command('EHLO client.load.example'), 250)
    this.#extensions = new Set(reply.lines.slice(1).map((line) => (line.split(' ')[0] ?? '').toUpperCase()))
  }

  /** It was lost, or the server said 421 and closed. */
  #notSent(at: Stage | 'idle', noes: readonly No[], said?: Reply): Verdict {
    const farewell = said === undefined ? this.#farewell : said.lines.join(' ')
    const known = { told: 'nothing', at, noes, why: this.#lost?.message ?? 'closed' } as const
    return farewell === undefined ? known : { ...known, farewell }
  }

  async #closes(): Promise<boolean> {
    const tooLate = Promise.withResolvers<void>()
    const timer = setTimeout(() => tooLate.resolve(), CLOSING_MS)
    await Promise.race([this.#over.promise, tooLate.promise])
    clearTimeout(timer)
    return !this.usable
  }

  #listen(): void {
    this.#socket.setNoDelay(true)
    this.#socket.on('data', (bytes: Buffer) => this.#take(bytes))
    this.#socket.on('error', (error) => this.#end(error.message))
    this.#socket.on('end', () => this.#end('closed by the server'))
    this.#socket.on('close', () => this.#end('closed'))
    this.#socket.setTimeout(this.#patience.replyMs, () => this.#end('no reply in time'))
  }

  #take(bytes: Buffer): void {
    this.#replies.push(...this.#reader.push(bytes))
    const waiting = this.#waiting
    if (waiting !== undefined && this.#replies.length > 0) {
      this.#waiting = undefined
      waiting.resolve(this.#replies.shift() as Reply)
    }
    // Nobody asked for it: the server says that it closes.
    const unasked = this.#replies.find(({ code }) => code === 421)
    if (unasked === undefined) return
    this.#farewell = unasked.lines.join(' ')
    this.#end('closed by the server with 421')
  }

  #reply(): Promise<Reply> {
    const ready = this.#replies.shift()
    if (ready !== undefined) return Promise.resolve(ready)
    if (this.#lost !== undefined) return Promise.reject(this.#lost)
    return new Promise((resolve, reject) => (this.#waiting = { resolve, reject }))
  }

  #end(why: string): void {
    if (this.#lost !== undefined) return
    this.#lost = new ConnectionLost(why)
    this.#over.resolve()
    this.#waiting?.reject(this.#lost)
    this.#waiting = undefined
    this.#socket.destroy()
  }
}

function queueIdIn(reply: Reply): string | undefined {
  return /\bqueued as (\S+)/.exec(reply.lines.join(' '))?.[1]
}

function nameOf({ host, port }: Pick<Target, 'host' | 'port'>): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`
}

function trustOf({ host, ca, serverName = host }: Target): ConnectionOptions {
  const name = isIP(serverName) === 0 ? { servername: serverName } : {}
  return ca === undefined ? { rejectUnauthorized: false, ...name } : { ca, ...name }
}

function ifLost(error: unknown): void {
  if (!(error instanceof ConnectionLost)) throw error
}

function expectCode(step: Step, reply: Reply, code: number): Reply {
  if (reply.code !== code) throw new Unwelcome(step, reply.code, reply.lines.join(' '))
  return reply
}
