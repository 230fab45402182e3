// A plain SMTP client without pipelining, for load: one command, one reply, little CPU. It says of every message exactly what
// is known: accepted, refused, surely not sent, or unknown because the connection was lost after the final dot.

import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Message } from './message.ts'
import { ReplyReader, type Reply } from './smtp-reply.ts'

export interface Target {
  readonly host: string
  readonly port: number
  readonly tls: 'none' | 'starttls' | 'implicit'
  readonly user?: string
  readonly password?: string
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

/** The server answered the greeting, EHLO, STARTTLS or AUTH with something else than yes. */
export class Unwelcome extends Error {
  readonly code: number
  constructor(code: number, text: string) {
    super(text)
    this.code = code
  }
}

export type Verdict =
  | {
      readonly told: 'accepted'
      readonly code: number
      readonly recipients: readonly string[]
      readonly refused: Refused[]
      readonly queueId?: string
    }
  | { readonly told: 'refused'; readonly refused: Refused[] }
  | { readonly told: 'unknown'; readonly recipients: readonly string[]; readonly refused: Refused[] }
  /** The connection was lost before the final dot: the message was surely not accepted. */
  | { readonly told: 'nothing' }

export interface Refused {
  readonly recipient: string
  readonly code: number
}

/** For the final reply longer than a relay asks its queue about the fate of a message. */
export const PATIENT: Patience = { connectMs: 10_000, replyMs: 30_000, finalMs: 330_000 }

export class SmtpClient {
  #socket: Socket
  #reader = new ReplyReader()
  #replies: Reply[] = []
  #waiting: { resolve: (reply: Reply) => void; reject: (lost: ConnectionLost) => void } | undefined
  #lost: ConnectionLost | undefined
  #extensions: ReadonlySet<string> = new Set()
  readonly #patience: Patience

  private constructor(socket: Socket, patience: Patience) {
    this.#socket = socket
    this.#patience = patience
    this.#listen()
  }

  /** Connects and greets; rejects with ConnectionLost or Unwelcome. */
  static async connect(target: Target, patience: Patience = PATIENT): Promise<SmtpClient> {
    const from = target.from === undefined ? {} : { localAddress: target.from }
    const at = { host: target.host, port: target.port, ...from }
    const socket = target.tls === 'implicit' ? connectTls({ ...at, rejectUnauthorized: false }) : connectPlain(at)
    const client = new SmtpClient(socket, patience)
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

  async send(message: Message): Promise<Verdict> {
    let dotSent = false
    const accepted: string[] = []
    const refused: Refused[] = []
    try {
      const eightBit = message.eightBit && this.#extensions.has('8BITMIME') ? ' BODY=8BITMIME' : ''
      const from = await this.command(`MAIL FROM:<${message.sender}>${eightBit}`)
      if (from.code !== 250) return this.#refuseAll(message, from.code)
      for (const recipient of message.recipients) {
        const to = await this.command(`RCPT TO:<${recipient}>`)
        if (to.code === 250 || to.code === 251) accepted.push(recipient)
        else refused.push({ recipient, code: to.code })
      }
      if (accepted.length === 0) {
        await this.command('RSET')
        return { told: 'refused', refused }
      }
      const data = await this.command('DATA')
      if (data.code !== 354) return this.#refuseAll(message, data.code)
      dotSent = true // from the first octet on: what a socket has taken, nobody takes back
      this.#socket.setTimeout(this.#patience.finalMs ?? this.#patience.replyMs)
      this.#socket.write(message.wire)
      const final = await this.#reply()
      this.#socket.setTimeout(this.#patience.replyMs)
      if (final.code >= 200 && final.code < 300) {
        const queueId = queueIdIn(final)
        const known = queueId === undefined ? {} : { queueId }
        return { told: 'accepted', code: final.code, recipients: accepted, refused, ...known }
      }
      return this.#refuseAll(message, final.code)
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error
      return dotSent ? { told: 'unknown', recipients: accepted, refused } : { told: 'nothing' }
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
    expectCode(await this.#reply(), 220)
    await this.#hello()
    if (target.tls === 'starttls') {
      expectCode(await this.command('STARTTLS'), 220)
      this.#socket.removeAllListeners()
      this.#socket = connectTls({ socket: this.#socket, rejectUnauthorized: false })
      this.#listen()
      await this.#hello()
    }
    if (target.user !== undefined) {
      const secret = Buffer.from(`\0${target.user}\0${target.password ?? ''}`).toString('base64')
      expectCode(await this.command(`AUTH PLAIN ${secret}`), 235)
    }
  }

  async #hello(): Promise<void> {
    const reply = expectCode(await this.command('EHLO client.load.example'), 250)
    this.#extensions = new Set(reply.lines.slice(1).map((line) => (line.split(' ')[0] ?? '').toUpperCase()))
  }

  #refuseAll(message: Message, code: number): Verdict {
    return { told: 'refused', refused: message.recipients.map((recipient) => ({ recipient, code })) }
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
    if (waiting === undefined || this.#replies.length === 0) return
    this.#waiting = undefined
    waiting.resolve(this.#replies.shift() as Reply)
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
    this.#waiting?.reject(this.#lost)
    this.#waiting = undefined
    this.#socket.destroy()
  }
}

function queueIdIn(reply: Reply): string | undefined {
  return /\bqueued as (\S+)/.exec(reply.lines.join(' '))?.[1]
}

function expectCode(reply: Reply, code: number): Reply {
  if (reply.code !== code) throw new Unwelcome(reply.code, reply.lines.join(' '))
  return reply
}
