/** Somebody who gets events over HTTP, and does with each request what a test says. */
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { MailEvent } from '@posthouse/core/event'

export interface Got {
  readonly body: string
  readonly headers: IncomingHttpHeaders
  readonly path: string
  readonly events: readonly MailEvent[]
}

type Answer = (got: Got, response: ServerResponse) => void | Promise<void>

export class Receiver implements AsyncDisposable {
  /** All requests, and ids of the events of those that were answered with 200, in order. */
  readonly got: Got[] = []
  readonly taken: string[] = []
  /** Says the status; undefined: it has answered itself. */
  status: (got: Got) => number | undefined | Promise<number | undefined> = () => 200
  readonly port: number
  readonly #server: ReturnType<typeof createServer>
  #changed = Promise.withResolvers<void>()

  private constructor(server: ReturnType<typeof createServer>, setAnswer: (answer: Answer) => void) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
    setAnswer(async (got, response) => {
      this.got.push(got)
      const status = await this.status(got)
      if (status === 200) this.taken.push(...got.events.map(({ id }) => id))
      if (status !== undefined) response.writeHead(status, { location: '/elsewhere' }).end('thank you')
      this.#changed.resolve()
      this.#changed = Promise.withResolvers()
    })
  }

  static async start(tls?: { readonly cert: string; readonly key: string }): Promise<Receiver> {
    let answer: Answer | undefined
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      let body = ''
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
      request.on('end', () => {
        const { events } = JSON.parse(body) as { readonly events: readonly MailEvent[] }
        void answer?.({ body, headers: request.headers, path: request.url ?? '', events }, response)
      })
    }
    const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new Receiver(server, (its) => (answer = its))
  }

  /** Resolves when the condition holds; it is looked at after each request. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#changed.promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
