// What a process says about itself over HTTP: /livez (the event loop turns), /readyz (200, or 503 with the list of why not)
// and /metrics. Each part of a service owns a named condition; the process is ready when all of them are.
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { StartError } from './start-error.ts'

export interface Condition {
  readonly name: string
  readonly isReady: boolean
  ready(): void
  /** Says why, in words for the person who reads /readyz: "3 of 6 partitions have no leader". */
  notReady(reason: string): void
}

export interface WhyNot {
  readonly condition: string
  readonly reason: string
}

export class Health {
  readonly #conditions = new Map<string, string | undefined>()
  readonly #listeners: ((ready: boolean, why: readonly WhyNot[]) => void)[] = []
  #was = false

  /** A new condition; not ready ("starting") until its owner says otherwise. */
  condition(name: string): Condition {
    if (this.#conditions.has(name)) throw new Error(`condition ${name} is there twice`)
    this.#change(name, 'starting')
    const conditions = this.#conditions
    return {
      name,
      get isReady() {
        return conditions.get(name) === undefined
      },
      ready: () => this.#change(name, undefined),
      notReady: (reason) => this.#change(name, reason),
    }
  }

  get isReady(): boolean {
    return this.whyNot().length === 0
  }

  whyNot(): WhyNot[] {
    const why: WhyNot[] = []
    for (const [condition, reason] of this.#conditions) if (reason !== undefined) why.push({ condition, reason })
    return why
  }

  /** Calls back whenever the process as a whole becomes ready or ceases to be. */
  onChange(listener: (ready: boolean, why: readonly WhyNot[]) => void): void {
    this.#listeners.push(listener)
  }

  #change(name: string, reason: string | undefined): void {
    this.#conditions.set(name, reason)
    const why = this.whyNot()
    const now = why.length === 0
    if (now === this.#was) return
    this.#was = now
    for (const listener of this.#listeners) listener(now, why)
  }
}

export interface HealthServerOptions {
  readonly host: string
  readonly port: number
  readonly health: Health
  /** The text for this Accept header. */
  readonly metrics: {
    page(accept: string | undefined): Promise<{ readonly contentType: string; readonly text: string }>
  }
}

export interface HealthServer {
  readonly host: string
  readonly port: number
  close(): Promise<void>
}

/** Listens. Fails with a StartError that names the setting when the port is taken or the address is not ours. */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const server = createServer((request, response) => {
    answer(options, request, response).catch(() => response.destroy())
  })
  server.keepAliveTimeout = 30_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, options)))
    server.listen(options.port, options.host, resolve)
  })
  const { address, port } = server.address() as AddressInfo
  return {
    host: address,
    port,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listenError(error: NodeJS.ErrnoException, { host, port }: HealthServerOptions): StartError {
  if (error.code === 'EADDRINUSE')
    return new StartError('http.port', `port ${port} on ${host} is taken by another process`, { cause: error })
  if (error.code === 'EACCES')
    return new StartError('http.port', `no permission to listen on port ${port}`, { cause: error })
  return new StartError('http.host', `cannot listen on ${host}:${port}: ${error.message}`, { cause: error })
}

async function answer(
  { health, metrics }: HealthServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = request.url?.split('?', 1)[0]
  if (request.method !== 'GET' && request.method !== 'HEAD') return send(response, 405, 'text/plain', 'GET only\n')
  switch (path) {
    case '/livez':
      return send(response, 200, 'text/plain', 'alive\n')
    case '/readyz': {
      const notReady = health.whyNot()
      const ready = notReady.length === 0
      return send(response, ready ? 200 : 503, 'application/json', `${JSON.stringify({ ready, notReady })}\n`)
    }
    case '/metrics': {
      const { contentType, text } = await metrics.page(request.headers.accept)
      return send(response, 200, contentType, text)
    }
    default:
      return send(response, 404, 'text/plain', 'here are /livez, /readyz and /metrics\n')
  }
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) })
  response.end(body)
}
