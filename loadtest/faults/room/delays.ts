// The delays of the NATS connections of a room: two proxies in front of each server, one for clients and one for routes. What
// is slow is a server's end of a kind of connection, for all who come by it.

import { startDelayProxy, type DelayProxy } from '../breakage/delay-proxy.ts'
import type { Party } from '../room.ts'
import type { Place } from './ground.ts'

interface Proxies {
  readonly client: DelayProxy
  readonly cluster: DelayProxy
}

export class Delays implements AsyncDisposable {
  readonly #proxies: ReadonlyMap<string, Proxies>

  private constructor(proxies: ReadonlyMap<string, Proxies>) {
    this.#proxies = proxies
  }

  static async start(servers: readonly Place[]): Promise<Delays> {
    const proxies = await Promise.all(
      servers.map(
        async (place) =>
          [place.name, { client: await before(place, 'client'), cluster: await before(place, 'cluster') }] as const,
      ),
    )
    return new Delays(new Map(proxies))
  }

  /** Everything that the NATS servers send and are sent. */
  setAll(ms: number): void {
    for (const { client, cluster } of this.#proxies.values()) for (const proxy of [client, cluster]) proxy.delay(ms, ms)
  }

  /** What `from` sends to `to`, one of which is a NATS server. */
  set(ms: number, from: Party, to: Party): void {
    const sender = this.#proxies.get(from)
    const receiver = this.#proxies.get(to)
    if (sender !== undefined && receiver !== undefined) {
      // Either of two servers may have called the other.
      receiver.cluster.delay(ms, 0)
      sender.cluster.delay(0, ms)
    } else if (receiver !== undefined) receiver.client.delay(ms, 0)
    else if (sender !== undefined) sender.client.delay(0, ms)
    else throw new Error(`neither ${from} nor ${to} is a NATS server`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#proxies.values()].flatMap(({ client, cluster }) => [client, cluster])
    await Promise.all(all.map((proxy) => proxy.close()))
  }
}

function before({ address, namespace, nats, proxies }: Place, kind: 'client' | 'cluster'): Promise<DelayProxy> {
  return startDelayProxy({
    host: address,
    port: proxies[kind],
    to: { host: address, port: nats[kind] },
    ...(namespace === undefined ? {} : { namespace }),
  })
}
