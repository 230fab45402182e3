// A room on loopback, for which nobody needs to be root: all nodes have the same address and ports of their own, but for the
// edges, which share theirs; the sites have an address each and one port.

import { freePort, freePorts, isPortFree } from '@posthouse/testkit/free-port'
import type { NodeKind } from '../room.ts'
import type { Ground, Place } from './ground.ts'
import { noLinks } from './links.ts'
import type { SmtpPorts } from './ports.ts'

const HOST = '127.0.0.1'
const SITES = Array.from({ length: 6 }, (_, index) => `127.0.9.${index + 1}`)

export class LoopbackGround implements Ground {
  readonly isolated = false
  readonly links = noLinks
  readonly clients = '127.0.0.0/8'
  /** The sites are on loopback too. */
  readonly own: readonly string[] = [`${HOST}/32`]
  readonly sites: Ground['sites']
  readonly dns: Ground['dns']
  readonly #smtp: SmtpPorts

  private constructor(sitePort: number, dnsPort: number, smtp: SmtpPorts) {
    this.sites = { addresses: SITES, port: sitePort }
    this.dns = { host: HOST, port: dnsPort }
    this.#smtp = smtp
  }

  static async make(): Promise<LoopbackGround> {
    const [dns, relay, submission, submissions] = (await freePorts(4)) as [number, number, number, number]
    return new LoopbackGround(await freeSitePort(), dns, { relay, submission, submissions })
  }

  async place(kind: NodeKind, number: number): Promise<Place> {
    const ports = (await freePorts(6)) as [number, number, number, number, number, number]
    return {
      name: `${kind}-${number}`,
      kind,
      number,
      address: HOST,
      namespace: undefined,
      httpPort: ports[0],
      smtp: this.#smtp,
      nats: { client: ports[1], cluster: ports[2], monitor: ports[3] },
      proxies: { client: ports[4], cluster: ports[5] },
    }
  }

  leave(): Promise<void> {
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve()
  }
}

async function freeSitePort(): Promise<number> {
  for (;;) {
    const port = await freePort()
    const free = await Promise.all(SITES.map((host) => isPortFree(port, host)))
    if (free.every(Boolean)) return port
  }
}
