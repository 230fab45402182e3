/** A collector of traces of a test's own making: takes OTLP over HTTP in either encoding, and keeps what it was sent. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { spansOfJson, spansOfProtobuf } from './otlp-spans.ts'
import type { ReceivedSpan } from './otlp-spans.ts'

export class OtlpReceiver implements AsyncDisposable {
  readonly spans: ReceivedSpan[] = []
  /** Whole requests, answered or not. */
  requests = 0
  /** Takes requests and does not answer them. */
  hangs = false
  readonly #server: Server
  #held: ServerResponse[] = []
  #watchers: (() => void)[] = []

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const body = Buffer.concat(chunks)
        const isJson = request.headers['content-type'] === 'application/json'
        if (request.url !== '/v1/traces') return response.writeHead(404).end()
        this.spans.push(...(isJson ? spansOfJson(body.toString()) : spansOfProtobuf(body)))
        this.requests += 1
        if (this.hangs) this.#held.push(response)
        else answer(response)
        for (const wake of this.#watchers.splice(0)) wake()
        return undefined
      })
    })
  }

  static async start(): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver()
    receiver.#server.listen(0, '127.0.0.1')
    await once(receiver.#server, 'listening')
    return receiver
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Resolves as soon as the condition holds; it is looked at after each request. */
  async until(condition: (receiver: this) => boolean): Promise<void> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#watchers.push(resolve))
  }

  /** Answers what it has not answered, and hangs no more. */
  release(): void {
    this.hangs = false
    for (const response of this.#held.splice(0)) answer(response)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

/** An empty message is an empty ExportTraceServiceResponse. */
function answer(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
}
