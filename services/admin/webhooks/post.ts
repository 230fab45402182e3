/**
 * One request to a webhook: POST, the certificate verified, no redirect followed, the whole within a time. What it says of a
 * failure has neither the URL nor anything of the reply's body.
 */
import { Agent as HttpAgent, request as requestHttp } from 'node:http'
import type { IncomingMessage, RequestOptions } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'

/** What came of it. */
export type Posted =
  | { readonly is: 'delivered' }
  /** The receiver wants no more of these (410). */
  | { readonly is: 'gone'; readonly reason: string }
  /** `refused`: the receiver works, but does not like these events. `after`: it wants to be left alone so long, ms. */
  | { readonly is: 'failed'; readonly reason: string; readonly refused: boolean; readonly after?: number }

export interface Poster {
  post(body: string, headers: Readonly<Record<string, string>>): Promise<Posted>
  close(): void
}

export interface PosterOptions {
  readonly url: string
  /** PEM; undefined: the usual authorities. */
  readonly ca: string | undefined
  /** ms. */
  readonly timeout: number
  /** Connections at most. */
  readonly connections: number
}

/** Of a reply's body so much is read, so that the connection can be used again. */
const MOST_OF_REPLY = 64 * 1024

export function createPoster({ url, ca, timeout, connections }: PosterOptions): Poster {
  const target = new URL(url)
  const secure = target.protocol === 'https:'
  const pool = { keepAlive: true, maxSockets: connections, maxFreeSockets: connections }
  // Said explicitly: no variable of the environment may turn it off.
  const agent = secure
    ? new HttpsAgent({ ...pool, rejectUnauthorized: true, ...(ca !== undefined && { ca }) })
    : new HttpAgent(pool)
  const request = secure ? requestHttps : requestHttp
  return {
    post: (body, headers) =>
      new Promise((resolve) => {
        const options: RequestOptions = {
          method: 'POST',
          agent,
          headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
          signal: AbortSignal.timeout(timeout),
        }
        const outgoing = request(target, options, (reply) => {
          drain(reply)
          resolve(judge(reply))
        })
        outgoing.on('error', (error: NodeJS.ErrnoException) => {
          const reason =
            error.name === 'TimeoutError' || error.name === 'AbortError' ? 'no reply in time' : reasonOf(error)
          resolve({ is: 'failed', reason, refused: false })
        })
        outgoing.end(body)
      }),
    close: () => agent.destroy(),
  }
}

function judge({ statusCode = 0, headers }: IncomingMessage): Posted {
  if (statusCode >= 200 && statusCode < 300) return { is: 'delivered' }
  if (statusCode === 410) return { is: 'gone', reason: 'status 410' }
  // Timeout, too early, too many requests: nothing is wrong with the events.
  const refused = statusCode >= 400 && statusCode < 500 && ![408, 425, 429].includes(statusCode)
  const reason =
    statusCode >= 300 && statusCode < 400 ? `status ${statusCode}: redirects are not followed` : `status ${statusCode}`
  const after = /^\d{1,6}$/.test(headers['retry-after'] ?? '') ? Number(headers['retry-after']) * 1000 : undefined
  return { is: 'failed', reason, refused, ...(after !== undefined && { after }) }
}

function drain(reply: IncomingMessage): void {
  let read = 0
  reply.on('data', (chunk: Buffer) => {
    read += chunk.length
    if (read > MOST_OF_REPLY) reply.destroy()
  })
  reply.on('error', () => undefined)
}

/** The code, if there is one: messages of Node may repeat host names and addresses, which the log has as fields. */
function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  return code ?? message
}
