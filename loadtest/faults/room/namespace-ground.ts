// A room of network namespaces, one per node, on a bridge in an enclosure. One at a time: the addresses are fixed.

import type { NodeKind } from '../room.ts'
import { addressOf, BRIDGE, DNS, NETWORK, NETWORK_BITS, SITES } from './addresses.ts'
import type { Ground, Place } from './ground.ts'
import { NamespaceLinks } from './links.ts'
import { makeNamespace, removeNamespace } from './namespace.ts'
import { HTTP_PORT, NATS_PORTS, PROXY_PORTS, SITE_PORT, SMTP_PORTS } from './ports.ts'
import { run } from './run-program.ts'

export class NamespaceGround implements Ground {
  readonly isolated = true
  readonly sites = { addresses: SITES, port: SITE_PORT }
  readonly dns = { host: DNS, port: 53 }
  readonly clients = NETWORK
  readonly own: readonly string[] = ['127.0.0.0/8']
  readonly links: NamespaceLinks
  readonly #places = new Map<string, Place>()

  private constructor() {
    this.links = new NamespaceLinks((name) => {
      const place = this.#places.get(name)
      if (place === undefined) throw new Error(`no node is called ${name}`)
      return place.address
    })
  }

  static async make(): Promise<NamespaceGround> {
    // Those of the outside world are further addresses of the harness; the first, of the clients, is its own.
    for (const address of [DNS, ...SITES]) {
      await run('ip', ['address', 'replace', `${address}/${NETWORK_BITS}`, 'dev', BRIDGE])
    }
    return new NamespaceGround()
  }

  async place(kind: NodeKind, number: number): Promise<Place> {
    const name = kind === 'balancer' ? kind : `${kind}-${number}`
    const address = addressOf(kind, number)
    await makeNamespace(name, address)
    const place: Place = {
      name,
      kind,
      number,
      address,
      namespace: name,
      httpPort: HTTP_PORT,
      smtp: SMTP_PORTS,
      nats: NATS_PORTS,
      proxies: PROXY_PORTS,
    }
    this.#places.set(name, place)
    return place
  }

  async leave({ name }: Place): Promise<void> {
    if (!this.#places.delete(name)) return
    await this.links.forget(name)
    await removeNamespace(name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const place of this.#places.values()) await this.leave(place)
  }
}
