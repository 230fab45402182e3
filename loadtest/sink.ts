// The far end of the load: an SMTP server that takes everything, cheaply, and writes down what it took for whom, with the
// digest of the content. A script makes it behave badly every so many messages, to see what the relay makes of that.

import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { bouncedRecipients } from './bounce.ts'
import { DotReader } from './dot-stuffing.ts'
import type { Arrival } from './history.ts'
import { digestOf } from './message.ts'
import { stripTraceHeaders } from './trace-header.ts'

export interface SinkScript {
  /** Every nth final dot is answered 451; 0 = none. */
  readonly tempfailEvery?: number
  /** Every nth final dot is not answered; the connection stays open. The message was not taken. */
  readonly hangEvery?: number
  /** Every nth connection is dropped at the final dot instead of a reply. */
  readonly dropEvery?: number
  /** Whether what is dropped at the dot was taken all the same: then a second delivery is the relay's duty. */
  readonly dropTakes?: boolean
  /** Recipients whose address begins with this are refused with 550, for good. */
  readonly refusePrefix?: string
}

export interface SinkOptions extends SinkScript {
  readonly host?: string
  readonly port?: number
  /** Received fields that the relays on the way put on top. */
  readonly traceHeaders: number
  readonly record: (arrival: Arrival) => void
}

export interface Sink extends AsyncDisposable {
  readonly host: string
  readonly port: number
  readonly statistics: SinkStatistics
  close(): Promise<void>
}

export interface SinkStatistics {
  connections: number
  open: number
  mostOpen: number
  /** Final dots seen, whatever was answered. */
  messages: number
}

export async function startSink(options: SinkOptions): Promise<Sink> {
  const statistics: SinkStatistics = { connections: 0, open: 0, mostOpen: 0, messages: 0 }
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    statistics.connections++
    statistics.mostOpen = Math.max(statistics.mostOpen, ++statistics.open)
    socket.on('error', () => {}) // a relay that was killed resets its connections
    socket.on('close', () => {
      statistics.open--
      sockets.delete(socket)
    })
    new SinkSession(socket, options, statistics)
  })
  const { host = '127.0.0.1', port = 0 } = options
  await listen(server, host, port)
  const close = () => {
    for (const socket of sockets) socket.destroy()
    return new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return { host, port: (server.address() as AddressInfo).port, statistics, close, [Symbol.asyncDispose]: close }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, backlog: 1024 }, () => resolve())
  })
}

const EXTENSIONS = ['sink.example', 'PIPELINING', 'SIZE', '8BITMIME', 'SMTPUTF8', 'ENHANCEDSTATUSCODES']
const HELLO = EXTENSIONS.map((line, index) => `250${index === EXTENSIONS.length - 1 ? ' ' : '-'}${line}\r\n`).join('')

class SinkSession {
  readonly #socket: Socket
  readonly #options: SinkOptions
  readonly #statistics: SinkStatistics
  #pending: Buffer = Buffer.alloc(0)
  #sender: string | undefined
  #recipients: string[] = []
  #reading: DotReader | undefined
  #ended = false

  constructor(socket: Socket, options: SinkOptions, statistics: SinkStatistics) {
    this.#socket = socket
    this.#options = options
    this.#statistics = statistics
    socket.write('220 sink.example ESMTP\r\n')
    socket.on('data', (bytes: Buffer) => this.#take(bytes))
  }

  #take(bytes: Buffer): void {
    if (this.#ended) return
    let replies = ''
    let rest: Buffer | undefined = bytes
    while (rest !== undefined && rest.length > 0 && !this.#ended) {
      if (this.#reading !== undefined) {
        const read = this.#reading.push(rest)
        if (!read.done) break
        this.#reading = undefined
        rest = read.rest
        replies += this.#finalDot(read.content)
      } else {
        const line = this.#line(rest)
        if (line === undefined) break
        rest = line.rest
        replies += this.#command(line.text)
      }
    }
    if (replies !== '') this.#socket.write(replies, 'latin1')
  }

  #line(bytes: Buffer): { text: string; rest: Buffer } | undefined {
    const all = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes])
    const end = all.indexOf('\r\n')
    this.#pending = end < 0 ? all : Buffer.alloc(0)
    return end < 0 ? undefined : { text: all.toString('latin1', 0, end), rest: all.subarray(end + 2) }
  }

  #command(line: string): string {
    switch (line.slice(0, 4).toUpperCase()) {
      case 'EHLO':
        this.#reset()
        return HELLO
      case 'HELO':
        this.#reset()
        return '250 sink.example\r\n'
      case 'MAIL':
        this.#reset()
        this.#sender = addressIn(line)
        return '250 2.1.0 Ok\r\n'
      case 'RCPT':
        return this.#recipient(addressIn(line))
      case 'DATA':
        if (this.#recipients.length === 0) return '503 5.5.1 No recipients\r\n'
        this.#reading = new DotReader()
        return '354 Go on\r\n'
      case 'RSET':
        this.#reset()
        return '250 2.0.0 Ok\r\n'
      case 'NOOP':
        return '250 2.0.0 Ok\r\n'
      case 'QUIT':
        this.#ended = true
        this.#socket.end('221 2.0.0 Bye\r\n')
        return ''
      default:
        return '500 5.5.2 Unknown command\r\n'
    }
  }

  #recipient(address: string): string {
    if (this.#sender === undefined) return '503 5.5.1 No sender\r\n'
    const { refusePrefix } = this.#options
    if (refusePrefix !== undefined && address.startsWith(refusePrefix)) return '550 5.1.1 No such mailbox\r\n'
    this.#recipients.push(address)
    return '250 2.1.5 Ok\r\n'
  }

  #finalDot(content: Buffer): string {
    const turn = ++this.#statistics.messages
    const is = (every: number | undefined) => every !== undefined && every > 0 && turn % every === 0
    if (is(this.#options.hangEvery)) {
      this.#ended = true
      return ''
    }
    if (is(this.#options.dropEvery)) {
      if (this.#options.dropTakes === true) this.#record(content)
      this.#ended = true
      this.#socket.destroy()
      return ''
    }
    if (is(this.#options.tempfailEvery)) {
      this.#reset()
      return '451 4.3.0 Not now\r\n'
    }
    this.#record(content)
    this.#reset()
    return '250 2.0.0 Taken\r\n'
  }

  #record(content: Buffer): void {
    const at = performance.now()
    if (this.#sender === '') {
      for (const recipient of bouncedRecipients(content)) {
        this.#options.record({ kind: 'bounce', recipient, digest: '', at })
      }
      return
    }
    const stripped = stripTraceHeaders(content, this.#options.traceHeaders)
    const digest = stripped.ok ? digestOf(stripped.content) : null
    for (const recipient of this.#recipients) this.#options.record({ kind: 'mail', recipient, digest, at })
  }

  #reset(): void {
    this.#sender = undefined
    this.#recipients = []
  }
}

function addressIn(line: string): string {
  return /<([^>]*)>/.exec(line)?.[1] ?? line.slice(line.indexOf(':') + 1).trim()
}
