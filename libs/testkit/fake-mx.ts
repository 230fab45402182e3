/**
 * A mail host of a test's own making: speaks SMTP as the script says, and keeps what it was told and sent. Without a
 * script it takes everything. Replies go out in the order of the commands, so pipelining needs no care in a script.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'

export interface FakeCommand {
  /** CONNECT and DOT stand for the connection itself and for the end of a content. */
  readonly verb: string
  /** The whole line; '' for CONNECT and DOT. */
  readonly line: string
  readonly session: FakeSession
}

/** A reply (without CRLF; several lines with CRLF between), or what to do instead. */
export type FakeAction = string | { readonly do: 'drop' | 'hang' | 'reset' } | Promise<string>

export interface FakeMxOptions {
  readonly name?: string
  readonly host?: string
  readonly port?: number
  readonly extensions?: readonly string[]
  /** Offers STARTTLS. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** Undefined: the usual answer. */
  readonly answer?: ((command: FakeCommand) => FakeAction | undefined) | undefined
}

export interface FakeMessage {
  /** What follows "MAIL FROM:" and "RCPT TO:". */
  readonly mail: string
  readonly rcpt: readonly string[]
  /** Without dot-stuffing. */
  readonly content: Buffer
  readonly tls: boolean
  readonly session: number
}

export const USUAL_EXTENSIONS = ['PIPELINING', 'SIZE 104857600', '8BITMIME', 'SMTPUTF8', 'DSN', 'ENHANCEDSTATUSCODES']

export class FakeMx implements AsyncDisposable {
  readonly options: FakeMxOptions
  /** Messages whose dot was answered with 2xx. */
  readonly messages: FakeMessage[] = []
  /** Every final dot seen, whatever the answer. */
  dots = 0
  /** Contents that ended with the connection instead of a dot. */
  readonly unfinished: Buffer[] = []
  /** All command lines of all sessions, in order. */
  readonly commands: string[] = []
  readonly sessions: FakeSession[] = []
  readonly #server: Server
  #watchers: (() => void)[] = []

  private constructor(options: FakeMxOptions) {
    this.options = options
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.sessions.push(new FakeSession(this, socket, this.sessions.length))
    })
  }

  static async start(options: FakeMxOptions = {}): Promise<FakeMx> {
    const mx = new FakeMx(options)
    mx.#server.listen(options.port ?? 0, options.host ?? '127.0.0.1')
    await once(mx.#server, 'listening')
    return mx
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }
  get openSessions(): number {
    return this.sessions.filter((session) => session.isOpen).length
  }

  /** Resolves as soon as the condition holds; it is looked at whenever something happens here. */
  async until(condition: (mx: this) => boolean): Promise<void> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#watchers.push(resolve))
  }

  /** Something happened. */
  changed(): void {
    for (const wake of this.#watchers.splice(0)) wake()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return
    for (const session of this.sessions) session.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

const END = Buffer.from('\r\n.\r\n')

export class FakeSession {
  readonly number: number
  /** For scripts that count. */
  readonly seen = new Map<string, number>()
  isOpen = true
  mail = ''
  rcpt: string[] = []
  readonly #mx: FakeMx
  #socket: Socket
  #input = Buffer.alloc(0)
  /** The content so far, with an empty line in front so that a first dot is found too. */
  #data: Buffer[] | undefined
  #tail = Buffer.alloc(0)
  #isTls = false
  #working: Promise<void> = Promise.resolve()

  constructor(mx: FakeMx, socket: Socket, number: number) {
    this.#mx = mx
    this.#socket = socket
    this.number = number
    this.#listen(socket)
    this.#then(() => this.#answer('CONNECT', ''))
    mx.changed()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** From now on nothing is taken from the network: the sender's buffers fill up. */
  stopReading(): void {
    this.#socket.pause()
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk) => this.#then(() => this.#take(chunk)))
    socket.on('error', () => socket.destroy())
    socket.on('end', () => this.#then(() => void socket.end()))
    socket.on('close', () => {
      if (socket !== this.#socket) return
      this.isOpen = false
      if (this.#data !== undefined) this.#mx.unfinished.push(Buffer.concat(this.#data))
      this.#data = undefined
      this.#mx.changed()
    })
  }

  /** One thing after the other. */
  #then(work: () => Promise<void> | void): void {
    this.#working = this.#working.then(work)
  }

  async #take(chunk: Buffer): Promise<void> {
    let rest: Buffer | undefined = chunk
    while (rest !== undefined && rest.length > 0) {
      if (this.#data !== undefined) {
        rest = await this.#content(rest)
        continue
      }
      this.#input = Buffer.concat([this.#input, rest])
      rest = undefined
      const end = this.#input.indexOf('\r\n')
      if (end < 0) break
      const line = this.#input.subarray(0, end).toString('utf8')
      rest = this.#input.subarray(end + 2)
      this.#input = Buffer.alloc(0)
      this.#mx.commands.push(line)
      this.#mx.changed()
      await this.#command(line)
    }
    this.#mx.changed()
  }

  async #content(chunk: Buffer): Promise<Buffer> {
    const data = this.#data ?? []
    const joined = Buffer.concat([this.#tail, chunk])
    const at = joined.indexOf(END)
    if (at < 0) {
      data.push(chunk)
      this.#tail = joined.subarray(-4)
      return Buffer.alloc(0)
    }
    const end = at + END.length - this.#tail.length
    data.push(chunk.subarray(0, end))
    this.#data = undefined
    this.#mx.dots += 1
    this.#mx.changed()
    // Without the dot and its CRLF; the CRLF before it belongs to the last line.
    const content = unstuffed(Buffer.concat(data).subarray(0, -3))
    const { mail, rcpt } = this
    await this.#answer('DOT', '', (code) => {
      if (code === 2) this.#mx.messages.push({ mail, rcpt: [...rcpt], content, tls: this.#isTls, session: this.number })
    })
    this.mail = ''
    this.rcpt = []
    return chunk.subarray(end)
  }

  async #command(line: string): Promise<void> {
    const verb = (/^[A-Za-z]+/.exec(line)?.[0] ?? '').toUpperCase()
    const path = line.slice(line.indexOf(':') + 1)
    await this.#answer(verb, line, (code) => {
      if (verb === 'MAIL' && code === 2) this.mail = path
      if (verb === 'RCPT' && code === 2) this.rcpt.push(path)
      if (verb === 'RSET' || verb === 'EHLO' || verb === 'HELO') {
        this.mail = ''
        this.rcpt = []
      }
      if (verb === 'DATA' && code === 3) {
        this.#data = []
        this.#tail = Buffer.from('\r\n')
      }
      if (verb === 'STARTTLS' && code === 2) this.#startTls()
      if (verb === 'QUIT') this.#socket.end()
    })
  }

  async #answer(verb: string, line: string, then?: (codeClass: number) => void): Promise<void> {
    this.seen.set(verb, (this.seen.get(verb) ?? 0) + 1)
    const action = this.#mx.options.answer?.({ verb, line, session: this }) ?? this.#usual(verb)
    if (typeof action === 'object' && 'do' in action) {
      this.#mx.changed()
      if (action.do === 'drop') this.#socket.end()
      else if (action.do === 'reset') this.#socket.resetAndDestroy()
      // Whatever comes next is not read any more.
      await new Promise<void>((resolve) => this.#socket.once('close', () => resolve()))
      return
    }
    const reply = await action
    if (this.#socket.writable) this.#socket.write(`${reply}\r\n`)
    then?.(Number(reply.charAt(0)))
    this.#mx.changed()
  }

  #usual(verb: string): string {
    const { name = 'mx.test', extensions = USUAL_EXTENSIONS, tls } = this.#mx.options
    switch (verb) {
      case 'CONNECT':
        return `220 ${name} ESMTP`
      case 'EHLO': {
        const lines = [name, ...extensions, ...(tls !== undefined && !this.#isTls ? ['STARTTLS'] : [])]
        return lines.map((text, index) => `250${index < lines.length - 1 ? '-' : ' '}${text}`).join('\r\n')
      }
      case 'HELO':
        return `250 ${name}`
      case 'STARTTLS':
        return tls === undefined ? '502 5.5.1 not here' : '220 2.0.0 go ahead'
      case 'MAIL':
        return '250 2.1.0 Ok'
      case 'RCPT':
        return '250 2.1.5 Ok'
      case 'DATA':
        return this.rcpt.length > 0 ? '354 go ahead' : '554 5.5.1 no valid recipients'
      case 'DOT':
        return `250 2.0.0 Ok: queued as ${this.#mx.dots}`
      case 'RSET':
      case 'NOOP':
        return '250 2.0.0 Ok'
      case 'QUIT':
        return '221 2.0.0 bye'
      default:
        return '502 5.5.2 unknown'
    }
  }

  #startTls(): void {
    const plain = this.#socket
    plain.removeAllListeners('data')
    plain.removeAllListeners('end')
    const secure = new TLSSocket(plain, {
      isServer: true,
      secureContext: createSecureContext(this.#mx.options.tls ?? {}),
    })
    this.#socket = secure
    this.#isTls = true
    this.#listen(secure)
  }
}

function unstuffed(data: Buffer): Buffer {
  const text = data.toString('latin1')
  return Buffer.from((text.startsWith('.') ? text.slice(1) : text).replaceAll('\r\n.', '\r\n'), 'latin1')
}
