// Ports on loopback that nobody listens on, for processes that must be told theirs beforehand (a server in this process
// should listen on port 0 instead). They are drawn below the range from which the kernel serves outgoing connections, so that
// a connection made in between cannot take one; two test files at once rarely draw the same, and a starter that meets
// a taken port tries again with others.

import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

const LOWEST = 10_000
const HIGHEST = 32_000

/** True when a listener could be bound to the port right now. */
export function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(true)))
  })
}

export async function freePorts(count: number, host = '127.0.0.1'): Promise<number[]> {
  const found = new Set<number>()
  for (let tries = 0; found.size < count; tries++) {
    if (tries > 200 + count * 20) throw new Error(`no ${count} free ports between ${LOWEST} and ${HIGHEST} on ${host}`)
    const port = randomInt(LOWEST, HIGHEST)
    if (!found.has(port) && (await isPortFree(port, host))) found.add(port)
  }
  return [...found]
}

export async function freePort(host = '127.0.0.1'): Promise<number> {
  const [port] = await freePorts(1, host)
  return port as number
}

/** The first of `length` ports in a row that are all free. */
export async function freeStretch(length: number, host = '127.0.0.1'): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const first = randomInt(LOWEST, HIGHEST - length)
    const free = await Promise.all(Array.from({ length }, (_, offset) => isPortFree(first + offset, host)))
    if (free.every(Boolean)) return first
  }
  throw new Error(`no ${length} free ports in a row between ${LOWEST} and ${HIGHEST} on ${host}`)
}
