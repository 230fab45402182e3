/** A bare SMTP client for tests: sends bytes, reads replies, hides nothing. */
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { TLSSocket } from 'node:tls'

export class Client {
  #socket: Socket
  #text = ''
  #wake: (() => void) | undefined
  #ended = false

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#listen()
  }

  static async open(port: number): Promise<Client> {
    const socket = connect({ port, host: '127.0.0.1' })
    await once(socket, 'connect')
    return new Client(socket)
  }
  /** On a connection that is there already, with whatever was sent on it. */
  static over(socket: Socket): Client {
    return new Client(socket)
  }
  /** The greeting read, EHLO said. */
  static async greeted(port: number): Promise<Client> {
    const client = await Client.open(port)
    await client.reply()
    await client.command('EHLO client.example')
    return client
  }
  static async secure(port: number): Promise<Client> {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    return new Client(socket)
  }

  async startTls(): Promise<TLSSocket> {
    await this.command('STARTTLS')
    this.#socket.removeAllListeners()
    const socket = connectTls({ socket: this.#socket, rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    this.#socket = socket
    this.#listen()
    return socket
  }

  get socket(): Socket {
    return this.#socket
  }
  write(bytes: string | Uint8Array): boolean {
    return this.#socket.write(bytes)
  }
  /** The next reply without its last newline; '' when the connection has ended. */
  async reply(): Promise<string> {
    for (;;) {
      const end = /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/.exec(this.#text)
      if (end !== null) {
        this.#text = this.#text.slice(end[0].length)
        return end[0].trimEnd()
      }
      if (this.#ended) return ''
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
  async command(line: string): Promise<string> {
    this.write(`${line}\r\n`)
    return this.reply()
  }
  /** The replies to several commands sent in one write. */
  async commands(...lines: string[]): Promise<string[]> {
    this.write(lines.map((line) => `${line}\r\n`).join(''))
    const replies: string[] = []
    for (const _ of lines) replies.push(await this.reply())
    return replies
  }
  /** MAIL, RCPT, DATA and `content` (transparent already, with its final dot): the last reply. */
  async mail(from: string, to: string, content: string | Uint8Array): Promise<string> {
    for (const line of [`MAIL FROM:<${from}>`, `RCPT TO:<${to}>`, 'DATA']) {
      const answer = await this.command(line)
      if (!/^[23]/.test(answer)) return answer
    }
    this.write(content)
    return this.reply()
  }
  async login(user: string, password: string): Promise<string> {
    return this.command(`AUTH PLAIN ${Buffer.from(`\0${user}\0${password}`).toString('base64')}`)
  }
  close(): void {
    this.#socket.destroy()
  }

  #listen(): void {
    const wake = (): void => this.#wake?.()
    this.#socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString()
      wake()
    })
    const end = (): void => {
      this.#ended = true
      wake()
    }
    this.#socket.on('end', end)
    this.#socket.on('close', end)
    this.#socket.on('error', end)
  }
}
