// The far end of the load: an SMTP server that takes everything, cheaply, and writes down what it took for whom, with the
// digest of the content. A script makes it behave badly every so many messages, to see what the relay makes of that; the script may
// be changed while it runs.

import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { SinkSession, type Shared, type SinkSessionOptions } from './sink-session.ts'

export interface SinkScript {
  /** Every nth final dot is answered 451; 0 = none. */
  readonly tempfailEvery?: number
  /** Every nth final dot is not answered; the connection stays open. The message was not taken. */
  readonly hangEvery?: number
  /** Every nth connection is dropped at the final dot instead of a reply. */
  readonly dropEvery?: number
  /** Whether what is dropped at the dot was taken all the same: then a second delivery is the relay's duty. */
  readonly dropTakes?: boolean
  /** Every nth recipient is answered 451. */
  readonly tempfailRecipientEvery?: number
  /** Not a word any more, neither to new connections nor to those that are open. */
  readonly silent?: boolean
  /** Recipients whose address begins with this are refused with 550, for good. */
  readonly refusePrefix?: string
}

export interface SinkOptions extends SinkScript, SinkSessionOptions {
  readonly host?: string
  readonly port?: number
}

export interface Sink extends AsyncDisposable {
  readonly host: string
  readonly port: number
  readonly statistics: SinkStatistics
  /** From now on. */
  behave(script: SinkScript): void
  /** Drops the connections that by script will never get an answer. */
  dropSilenced(): void
  close(): Promise<void>
}

export interface SinkStatistics {
  connections: number
  open: number
  mostOpen: number
  /** Final dots seen, whatever was answered. */
  messages: number
  recipients: number
}

export async function startSink(options: SinkOptions): Promise<Sink> {
  const statistics: SinkStatistics = { connections: 0, open: 0, mostOpen: 0, messages: 0, recipients: 0 }
  const sockets = new Set<Socket>()
  const shared: Shared = { options, statistics, silenced: new Set(), script: options }
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    statistics.connections++
    statistics.mostOpen = Math.max(statistics.mostOpen, ++statistics.open)
    socket.on('error', () => {}) // a relay that was killed resets its connections
    socket.on('close', () => {
      statistics.open--
      sockets.delete(socket)
      shared.silenced.delete(socket)
    })
    new SinkSession(socket, shared)
  })
  const { host = '127.0.0.1', port = 0 } = options
  await listen(server, host, port)
  const close = () => {
    for (const socket of sockets) socket.destroy()
    return new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return {
    host,
    port: (server.address() as AddressInfo).port,
    statistics,
    behave: (script) => {
      shared.script = script
    },
    dropSilenced: () => {
      for (const socket of shared.silenced) socket.destroy()
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, backlog: 1024 }, () => resolve())
  })
}
