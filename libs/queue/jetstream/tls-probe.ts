/**
 * One handshake with a NATS server, to learn why it hangs up. A server that wants a certificate says so only after the
 * handshake, and the client of the library, which has by then stopped listening, waits in vain.
 */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { NatsTls } from './nats-tls.ts'

const MS = 1500

/** The alert of the server; undefined: it had nothing against the handshake, or could not be reached. */
export async function handshakeAlert(server: string, { caFile, client }: NatsTls): Promise<Error | undefined> {
  const { hostname, port } = new URL(`nats://${server}`)
  const host = hostname.replace(/^\[|\]$/g, '')
  const socket = connect(Number(port || 4222), host)
  const signal = AbortSignal.timeout(MS)
  try {
    await once(socket, 'data', { signal }) // the greeting, in the clear
    const ca = await readFile(caFile)
    const own = client && { cert: await readFile(client.certFile), key: await readFile(client.keyFile) }
    const secure = connectTls({ socket, host, ca, ...own })
    await once(secure, 'secureConnect', { signal })
    await once(secure, 'close', { signal })
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code?.startsWith('ERR_SSL') ? (error as Error) : undefined
  } finally {
    socket.destroy()
  }
}
