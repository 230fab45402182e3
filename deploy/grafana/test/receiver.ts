// Somebody who gets events, or traces, over HTTP and is content with all of them.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

const HOST = '127.0.0.1'

export class Receiver {
  readonly url: string
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    this.url = `http://${HOST}:${(server.address() as AddressInfo).port}/`
  }

  static async start(): Promise<Receiver> {
    const server = createServer((request, response) => {
      request.resume().once('end', () => response.writeHead(200).end())
    })
    await once(server.listen(0, HOST), 'listening')
    return new Receiver(server)
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
