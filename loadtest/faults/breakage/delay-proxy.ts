// A TCP proxy that passes everything on some time later: the latency of a line, on machines whose kernel cannot make one. The
// order stays, a slow reader slows the writer, and the end or reset of one side reaches the other in its turn.

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { startDelayProxyIn } from './delay-proxy-process.ts'
import { pipeDelayed } from './delayed-pipe.ts'

export interface DelayProxyOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly to: { readonly host: string; readonly port: number }
  /** Listens, and connects, inside this network namespace: then it is a process of its own. */
  readonly namespace?: string
}

export interface DelayProxy {
  readonly port: number
  /** Milliseconds towards the target and back, for all that arrives from now on. */
  delay(upMs: number, downMs: number): void
  close(): Promise<void>
}

export async function startDelayProxy(options: DelayProxyOptions): Promise<DelayProxy> {
  return options.namespace === undefined ? startHere(options) : startDelayProxyIn(options.namespace, options)
}

async function startHere(options: DelayProxyOptions): Promise<DelayProxy> {
  let up = 0
  let down = 0
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.setNoDelay(true).once('close', () => sockets.delete(socket))
  }
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const target = connect({ ...options.to, allowHalfOpen: true })
    keep(client)
    keep(target)
    pipeDelayed(client, target, () => up)
    pipeDelayed(target, client, () => down)
  })
  server.listen(options.port, options.host)
  await once(server, 'listening')
  return {
    port: (server.address() as { port: number }).port,
    delay(upMs, downMs) {
      up = upMs
      down = downMs
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
