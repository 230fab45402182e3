// A client's connection that stays open and says one line at a time.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface, type Interface } from 'node:readline'

export class SmtpTalk {
  readonly greeting: string
  readonly closed: Promise<unknown>
  readonly #socket: Socket
  readonly #lines: AsyncIterator<string>

  private constructor(socket: Socket, lines: AsyncIterator<string>, greeting: string) {
    this.#socket = socket
    this.#lines = lines
    this.greeting = greeting
    this.closed = once(socket, 'close')
  }

  static async open(port: number, localAddress: string): Promise<SmtpTalk> {
    const socket = connect({ host: '127.0.0.1', port, localAddress })
    socket.on('error', () => undefined)
    const reader: Interface = createInterface({ input: socket })
    const lines = reader[Symbol.asyncIterator]()
    const { value } = (await lines.next()) as { value: string | undefined }
    return new SmtpTalk(socket, lines, value ?? '')
  }

  /** The last line of the reply; empty if the connection ended. */
  async say(line: string): Promise<string> {
    this.#socket.write(`${line}\r\n`)
    for (;;) {
      const next = (await this.#lines.next()) as { done?: boolean; value: string }
      if (next.done === true) return ''
      if (next.value.charAt(3) !== '-') return next.value
    }
  }

  destroy(): void {
    this.#socket.destroy()
  }
}
