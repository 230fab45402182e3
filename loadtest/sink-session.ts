// One session of the sink: takes what it is given, or misbehaves as the script of the moment says.

import type { Socket } from 'node:net'
import { ArrivingContent } from './arriving-content.ts'
import { bouncedRecipients, queueIdOfBounce } from './bounce.ts'
import { DotStream } from './dot-stuffing.ts'
import type { Arrival } from './history.ts'
import type { SinkScript } from './sink.ts'

export interface SinkSessionOptions {
  /** Received fields that the relays on the way put on top. */
  readonly traceHeaders: number
  /** What the peer is called, by its address and by what it says in EHLO: `Arrival.from`. */
  readonly nameOf?: (address: string, hello: string) => string | undefined
  readonly record: (arrival: Arrival) => void
  /** Whether a recipient is answered 450 this time. */
  readonly defers?: (address: string) => boolean
}

/** What the sessions of one sink share. */
export interface Shared {
  readonly options: SinkSessionOptions
  readonly statistics: { messages: number; recipients: number }
  readonly silenced: Set<Socket>
  script: SinkScript
}

const EXTENSIONS = ['sink.example', 'PIPELINING', 'SIZE', '8BITMIME', 'SMTPUTF8', 'ENHANCEDSTATUSCODES']
const HELLO = EXTENSIONS.map((line, index) => `250${index === EXTENSIONS.length - 1 ? ' ' : '-'}${line}\r\n`).join('')

export class SinkSession {
  readonly #socket: Socket
  readonly #shared: Shared
  readonly #peer: string
  #hello = ''
  #pending: Buffer = Buffer.alloc(0)
  #sender: string | undefined
  #recipients: string[] = []
  #reading: DotStream | undefined
  /** A bounce is kept whole, for what it reports; of other content there is only the digest. */
  #content: ArrivingContent | Buffer[] = []
  #ended = false

  constructor(socket: Socket, shared: Shared) {
    this.#socket = socket
    this.#shared = shared
    this.#peer = socket.remoteAddress ?? '' // once it has ended, nobody can tell
    if (shared.script.silent === true) this.#silence()
    else socket.write('220 sink.example ESMTP\r\n')
    socket.on('data', (bytes: Buffer) => this.#take(bytes))
  }

  #take(bytes: Buffer): void {
    if (this.#shared.script.silent === true) this.#silence()
    if (this.#ended) return
    let replies = ''
    let rest: Buffer | undefined = bytes
    while (rest !== undefined && rest.length > 0 && !this.#ended) {
      if (this.#reading !== undefined) {
        rest = this.#reading.push(rest)
        if (rest === undefined) break
        this.#reading = undefined
        replies += this.#finalDot()
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
        this.#hello = line.slice(5).trim()
        return HELLO
      case 'HELO':
        this.#reset()
        this.#hello = line.slice(5).trim()
        return '250 sink.example\r\n'
      case 'MAIL':
        this.#reset()
        this.#sender = addressIn(line)
        return '250 2.1.0 Ok\r\n'
      case 'RCPT':
        return this.#recipient(addressIn(line))
      case 'DATA':
        if (this.#recipients.length === 0) return '503 5.5.1 No recipients\r\n'
        this.#reading = this.#reader()
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
    const { refusePrefix, tempfailRecipientEvery } = this.#shared.script
    if (isTurn(++this.#shared.statistics.recipients, tempfailRecipientEvery)) return '451 4.2.0 Not now\r\n'
    if (refusePrefix !== undefined && address.startsWith(refusePrefix)) return '550 5.1.1 No such mailbox\r\n'
    if (this.#shared.options.defers?.(address) === true) return '450 4.2.1 Not yet\r\n'
    this.#recipients.push(address)
    return '250 2.1.5 Ok\r\n'
  }

  #reader(): DotStream {
    if (this.#sender === '') {
      const parts: Buffer[] = []
      this.#content = parts
      return new DotStream((part) => parts.push(part))
    }
    const content = new ArrivingContent(this.#shared.options.traceHeaders)
    this.#content = content
    return new DotStream((part) => content.take(part))
  }

  #finalDot(): string {
    const turn = ++this.#shared.statistics.messages
    const { hangEvery, dropEvery, dropTakes, tempfailEvery } = this.#shared.script
    if (isTurn(turn, hangEvery)) {
      this.#silence()
      return ''
    }
    if (isTurn(turn, dropEvery)) {
      if (dropTakes === true) this.#record(true)
      this.#ended = true
      this.#socket.destroy()
      return ''
    }
    if (isTurn(turn, tempfailEvery)) {
      this.#reset()
      return '451 4.3.0 Not now\r\n'
    }
    this.#record(false)
    this.#reset()
    return '250 2.0.0 Taken\r\n'
  }

  /** Whatever comes is thrown away. */
  #silence(): void {
    this.#ended = true
    this.#shared.silenced.add(this.#socket)
  }

  #record(unanswered: boolean): void {
    const { nameOf, record } = this.#shared.options
    const from = nameOf?.(this.#peer, this.#hello)
    const known = {
      at: performance.now(),
      ...(from === undefined ? {} : { from }),
      ...(unanswered ? { unanswered } : {}),
    }
    if (this.#content instanceof ArrivingContent) {
      const { digest, queueId } = this.#content.end()
      const kept = { kind: 'mail', digest, ...(queueId === undefined ? {} : { queueId }), ...known } as const
      for (const recipient of this.#recipients) record({ ...kept, recipient })
      return
    }
    const bounce = Buffer.concat(this.#content)
    const queueId = queueIdOfBounce(bounce)
    const kept = { kind: 'bounce', digest: '', ...(queueId === undefined ? {} : { queueId }), ...known } as const
    for (const recipient of bouncedRecipients(bounce)) record({ ...kept, recipient })
  }

  #reset(): void {
    this.#sender = undefined
    this.#recipients = []
    this.#content = []
  }
}

function isTurn(turn: number, every: number | undefined): boolean {
  return every !== undefined && every > 0 && turn % every === 0
}

function addressIn(line: string): string {
  return /<([^>]*)>/.exec(line)?.[1] ?? line.slice(line.indexOf(':') + 1).trim()
}
