// A relay of a test's own making: a scripted host takes mail as the edge does, and what it took is handed on to one port, with a
// Received field on top, as a delivery node does. What it hands on can be planted: another message, several, none.
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import { FakeMx, USUAL_EXTENSIONS, type FakeMessage, type FakeMxOptions } from '@posthouse/testkit/fake-mx'

export interface Outgoing {
  readonly from: string
  readonly to: string
  readonly content: Buffer
}

export interface SmallRelayOptions {
  /** Where all mail goes. */
  readonly next: number
  readonly tls?: { readonly cert: string; readonly key: string }
  /** "NAME PASSWORD" of the one user; without it there is no log-in. */
  readonly login?: string
  readonly answer?: FakeMxOptions['answer']
  /** What goes on in place of the message (as it was sent), without the Received field. */
  readonly plant?: (message: Outgoing) => readonly Outgoing[]
}

export const RECEIVED =
  'Received: from client.example ([127.0.0.1])\r\n\tby relay.example with ESMTP id 7;\r\n\tnow\r\n'

export class SmallRelay implements AsyncDisposable {
  readonly mx: FakeMx
  /** What the next host said to each message handed on: its last reply. */
  readonly replies: string[] = []
  readonly #options: SmallRelayOptions

  private constructor(mx: FakeMx, options: SmallRelayOptions) {
    this.mx = mx
    this.#options = options
    void this.#work()
  }

  static async start(options: SmallRelayOptions): Promise<SmallRelay> {
    const { tls, login, answer } = options
    const mx = await FakeMx.start({
      name: 'edge.example',
      extensions: [...USUAL_EXTENSIONS, ...(login === undefined ? [] : ['AUTH PLAIN'])],
      ...(tls === undefined ? undefined : { tls }),
      answer: (command) => {
        const scripted = answer?.(command)
        if (scripted !== undefined || command.verb !== 'AUTH') return scripted
        const said = Buffer.from(command.line.split(' ')[2] ?? '', 'base64').toString()
        return said === `\0${login?.replace(' ', '\0')}` ? '235 2.7.0 welcome' : '535 5.7.8 wrong'
      },
    })
    return new SmallRelay(mx, options)
  }

  get port(): number {
    return this.mx.port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.mx.close()
  }

  async #work(): Promise<void> {
    const { plant = (message) => [message] } = this.#options
    for (let done = 0; ; done++) {
      await this.mx.until(({ messages }) => messages.length > done)
      for (const outgoing of plant(asSent(this.mx.messages[done]!))) {
        this.replies.push(await handOn({ ...outgoing, content: traced(outgoing.content) }, this.#options.next))
        // Whoever waits for replies looks whenever something happens at the host.
        this.mx.changed()
      }
    }
  }
}

export function traced(content: Buffer): Buffer {
  return Buffer.concat([Buffer.from(RECEIVED), content])
}

/** The last reply of the host at the port, whatever it was; the error in place of it if there was none. */
export function handOn({ from, to, content }: Outgoing, port: number): Promise<string> {
  const connection = new SMTPConnection({ host: '127.0.0.1', port, ignoreTLS: true, name: 'relay.example' })
  return new Promise((resolve) => {
    const failed = (error: Error & { response?: string | undefined }) => {
      connection.close()
      resolve(error.response ?? error.message)
    }
    connection.on('error', failed)
    connection.connect((error) => {
      if (error) return failed(error)
      connection.send({ from, to }, content, (refused, sent) => {
        if (refused) return failed(refused)
        connection.quit()
        resolve(sent?.response ?? '')
      })
    })
  })
}

function asSent({ mail, rcpt: [rcpt = ''], content }: FakeMessage): Outgoing {
  return { from: path(mail), to: path(rcpt), content }
}

function path(text: string): string {
  return /<(.*?)>/.exec(text)?.[1] ?? ''
}
