// How a remote load is steered and asked: JSON over HTTP. Whoever can reach the port may do so: it is a tool of tests.
//
//   GET  /livez                       answered as long as the process turns
//   GET  /status                      how things stand, with the phase that is on
//   POST /phase {name}                ends the phase that is on, answers with its summary, and begins the next
//   POST /rate {messagesPerSecond}    0 pauses
//   POST /stop {seconds}              ends sending; what is under way has so long to end (60)
//   POST /drain {seconds}             stops, and waits until everything accepted has arrived, so long at most
//   GET  /verdict?queued=N            the ledger, and all phases; N recipients are known to be in the queue still (0)

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { STOP_MS, type RemoteLoad } from './remote-load.ts'

/** An answer that is not 200, with a sentence. */
class Refusal extends Error {
  readonly status: number
  constructor(status: number, sentence: string) {
    super(sentence)
    this.status = status
  }
}

interface Asked {
  readonly query: URLSearchParams
  readonly body: Readonly<Record<string, unknown>>
}

type Route = (asked: Asked) => unknown

export interface Control extends AsyncDisposable {
  readonly port: number
}

export interface ControlOptions {
  readonly load: RemoteLoad
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Each phase that has ended. */
  readonly ended?: (summary: unknown) => void
}

const MOST_BODY = 64 * 1024
const LONGEST_NAME = 200
const MOST_RATE = 100_000
const MOST_SECONDS = 24 * 60 * 60
const MOST_QUEUED = 1e12

/** Rejects when the port cannot be had. */
export async function startControl({ load, host, port, ended }: ControlOptions): Promise<Control> {
  const routes = routesOf(load, ended ?? (() => {}))
  const server = createServer((request, response) => void answer(request, response, routes))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => resolve())
  })
  return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: () => close(server) }
}

function routesOf(load: RemoteLoad, ended: (summary: unknown) => void): Readonly<Record<string, Route>> {
  return {
    'GET /livez': () => ({ status: 'ok' }),
    'GET /status': () => load.status(),
    'GET /verdict': ({ query }) =>
      load.verdict(numberIn({ queued: Number(query.get('queued') ?? 0) }, 'queued', 0, MOST_QUEUED)),
    'POST /phase': ({ body }) => {
      const { name } = body
      if (typeof name !== 'string' || name === '' || name.length > LONGEST_NAME) {
        throw new Refusal(400, `{"name": …}: a name of 1 to ${LONGEST_NAME} characters is wanted`)
      }
      const begins = name !== load.phaseName
      const summary = load.beginPhase(name) ?? null
      if (begins) ended(summary)
      return summary
    },
    'POST /rate': ({ body }) => {
      const messagesPerSecond = numberIn(body, 'messagesPerSecond', 0, MOST_RATE)
      if (!load.setRate(messagesPerSecond)) throw new Refusal(409, 'the load has been stopped: there is no more')
      return { messagesPerSecond }
    },
    'POST /stop': async ({ body }) => {
      await load.stop(numberIn({ seconds: STOP_MS / 1000, ...body }, 'seconds', 0, MOST_SECONDS) * 1000)
      return load.status()
    },
    'POST /drain': async ({ body }) => {
      const drained = await load.drain(numberIn(body, 'seconds', 0, MOST_SECONDS) * 1000)
      if (drained === null) throw new Refusal(503, 'the load ends: nobody waits any more')
      return { ...drained, open: load.status().open }
    },
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, routes: Readonly<Record<string, Route>>) {
  try {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://control')
    const route = Object.hasOwn(routes, `${request.method} ${pathname}`)
      ? routes[`${request.method} ${pathname}`]
      : undefined
    if (route === undefined) throw unknownRoute(request.method ?? '', pathname, Object.keys(routes))
    const body = request.method === 'POST' ? await bodyOf(request) : {}
    send(response, 200, (await route({ query: searchParams, body })) ?? null)
  } catch (error) {
    send(response, error instanceof Refusal ? error.status : 500, { error: (error as Error).message })
  }
}

function unknownRoute(method: string, path: string, known: readonly string[]): Refusal {
  const other = known.find((route) => route.endsWith(` ${path}`))
  if (other !== undefined) return new Refusal(405, `${method} ${path}: it is ${other}`)
  return new Refusal(404, `${method} ${path}: there are ${known.join(', ')}`)
}

/** An absent body is an empty object. */
async function bodyOf(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const parts: Buffer[] = []
  let octets = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    octets += part.length
    if (octets > MOST_BODY) throw new Refusal(413, `the body may have ${MOST_BODY} octets`)
    parts.push(part)
  }
  const text = Buffer.concat(parts).toString()
  if (text.trim() === '') return {}
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // the same answer as to JSON of another kind
  }
  throw new Refusal(400, 'the body must be a JSON object')
}

function numberIn(values: Readonly<Record<string, unknown>>, name: string, least: number, most: number): number {
  const value = values[name]
  if (typeof value === 'number' && value >= least && value <= most) return value
  throw new Refusal(400, `${name}: a number from ${least} to ${most} is wanted`)
}

function send(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(`${JSON.stringify(value)}\n`)
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeAllConnections()
  await closed
}
