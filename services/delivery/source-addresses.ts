/** Whether connections can come from the addresses of the settings: only this machine's own will do. */
import { createServer } from 'node:net'

/** The first that is not this machine's, with what the system says; undefined: all are. */
export async function unusableAddress(
  addresses: readonly string[],
): Promise<{ readonly address: string; readonly reason: string } | undefined> {
  for (const address of addresses) {
    const reason = await whyNot(address)
    if (reason !== undefined) return { address, reason }
  }
  return undefined
}

/** Asks the system by listening there for a moment: a list of interfaces would not know of 127.0.0.2, or of a routed range. */
function whyNot(address: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'EADDRNOTAVAIL' ? 'this machine has no such address' : error.message),
    )
    probe.listen({ host: address, port: 0, exclusive: true }, () => probe.close(() => resolve(undefined)))
  })
}
