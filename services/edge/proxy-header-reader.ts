/**
 * Takes the PROXY header off a connection that must begin with one. What came behind it is put back, so that whoever reads
 * next, TLS or SMTP, sees the connection as the client began it.
 */
import type { Duplex } from 'node:stream'
import { readProxyHeader } from '@posthouse/core/proxy-header'
import type { ProxyFault } from '@posthouse/core/proxy-header'

export type ProxyHeaderResult =
  | { readonly is: 'client'; readonly address: string; readonly port: number }
  /** The connection is the balancer's own. */
  | { readonly is: 'local' }
  /** Before its header was whole. */
  | { readonly is: 'closed' }
  | { readonly is: 'late' }
  | { readonly is: 'invalid'; readonly why: ProxyFault }

/** `done` is called once. `patience`: ms for the whole header. */
export function takeProxyHeader(socket: Duplex, patience: number, done: (result: ProxyHeaderResult) => void): void {
  let seen: Buffer | undefined
  const settle = (result: ProxyHeaderResult): void => {
    clearTimeout(timer)
    socket.off('readable', read)
    for (const event of endings) socket.off(event, closed)
    done(result)
  }
  const closed = (): void => settle({ is: 'closed' })
  const read = (): void => {
    const bytes = socket.read() as Buffer | null
    if (bytes === null) return
    seen = seen === undefined ? bytes : Buffer.concat([seen, bytes])
    const header = readProxyHeader(seen)
    switch (header.is) {
      case 'partial':
        return
      case 'invalid':
        return settle(header)
      case 'client':
      case 'local':
        if (header.length < seen.length) socket.unshift(seen.subarray(header.length))
        return settle(header)
    }
  }
  const timer = setTimeout(() => settle({ is: 'late' }), patience).unref()
  socket.on('readable', read)
  for (const event of endings) socket.on(event, closed)
}

const endings = ['end', 'close', 'error'] as const
