// The mailbox over HTTP: a page for people, JSON and the raw messages for programs.
//
//   GET /                          the page
//   GET /api/messages?after=N      {"messages": [...]}, newest first, those with an id above N
//   GET /api/messages/N            one with its header fields, text and attachments
//   GET /api/messages/N/raw        the content, byte for byte
//   DELETE /api/messages           empties the mailbox
//
// It shows what strangers wrote: the page builds text nodes only, and its policy allows no script, style or image but its own.

import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { readMessage } from './message-view.ts'
import type { MessageStore } from './message-store.ts'

const TYPES = { html: 'text/html', css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml' } as const
const PAGE = { '/': 'page.html', '/page.css': 'page.css', '/page.js': 'page.js', '/icon.svg': 'icon.svg' } as const
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

export interface Web {
  readonly port: number
  close(): Promise<void>
}

export async function startWeb(store: MessageStore, host: string, port: number): Promise<Web> {
  const files = new Map<string, { type: string; body: Buffer }>()
  for (const [path, name] of Object.entries(PAGE)) {
    const type = TYPES[name.split('.')[1] as keyof typeof TYPES]
    files.set(path, { type: `${type}; charset=utf-8`, body: readFileSync(join(import.meta.dirname, 'web', name)) })
  }
  const server = createServer((request, response) => {
    answer(store, files, request, response).catch((error: Error) => {
      if (response.headersSent) response.destroy()
      else json(response, 500, { error: error.message })
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(
  store: MessageStore,
  files: ReadonlyMap<string, { type: string; body: Buffer }>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.setHeader('content-security-policy', POLICY)
  response.setHeader('x-content-type-options', 'nosniff')
  response.setHeader('referrer-policy', 'no-referrer')
  response.setHeader('cache-control', 'no-store')
  if (!isOurName(request.headers.host)) return json(response, 421, { error: 'this page is for 127.0.0.1 only' })
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://mailbox')
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const file = files.get(pathname)
  if (method === 'GET' && file !== undefined) return send(response, 200, file.type, file.body)
  if (method === 'GET' && pathname === '/readyz') return json(response, 200, { ready: true, notReady: [] })
  if (pathname === '/api/messages') {
    if (method === 'DELETE') await store.clear()
    else if (method !== 'GET') return json(response, 405, { error: 'GET or DELETE' })
    const after = Number(searchParams.get('after') ?? 0)
    return json(response, 200, { messages: store.list().filter(({ id }) => id > after) })
  }
  const one = /^\/api\/messages\/(\d{1,15})(\/raw)?$/.exec(pathname)
  if (one === null || method !== 'GET') return json(response, 404, { error: 'there is nothing here' })
  const id = Number(one[1])
  const message = store.get(id)
  const content = store.content(id)
  if (message === undefined || content === undefined) return json(response, 404, { error: 'there is no such message' })
  if (one[2] === undefined) return json(response, 200, { ...message, ...(await readMessage(content)) })
  response.writeHead(200, {
    'content-type': 'message/rfc822',
    'content-length': message.size,
    'content-disposition': `attachment; filename="message-${id}.eml"`,
  })
  await pipeline(content, response)
}

/** Names under which a page of another site cannot reach this one (DNS rebinding). */
function isOurName(host: string | undefined): boolean {
  return /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host ?? '')
}

function json(response: ServerResponse, status: number, value: unknown): void {
  send(response, status, 'application/json; charset=utf-8', Buffer.from(`${JSON.stringify(value)}\n`))
}

function send(response: ServerResponse, status: number, type: string, body: Buffer): void {
  response.writeHead(status, { 'content-type': type, 'content-length': body.length })
  response.end(body)
}
