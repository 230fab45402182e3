/** What an edge and a delivery node as processes of their own share: a real NATS cluster, its streams, a folder. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeStreams } from '@posthouse/queue/jetstream/jetstream-store'
import { SILENT } from '@posthouse/queue/log'
import { freePorts } from '@posthouse/testkit/free-port'
import { startMailNode } from '@posthouse/testkit/mail-node'
import type { MailNode } from '@posthouse/testkit/mail-node'
import { NatsCluster } from '@posthouse/testkit/nats-cluster'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'

const main = (service: string) => fileURLToPath(new URL(`../../${service}/main.ts`, import.meta.url))

export interface WholeRelay extends AsyncDisposable {
  readonly folder: string
  readonly nats: NatsCluster
  /** Ports for listeners of edges. */
  readonly ports: readonly number[]
  edge(name: string, settings: Record<string, unknown>, environment?: Record<string, string>): Promise<MailNode>
  delivery(name: string, settings: Record<string, unknown>, environment?: Record<string, string>): Promise<MailNode>
}

export async function wholeRelay(servers: 1 | 3): Promise<WholeRelay> {
  const stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder('relay'))
  const nats = stack.use(await NatsCluster.start({ servers }))
  const { servers: addresses, user, password } = nats
  const shape = { partitions: 1, replicas: servers }
  await makeStreams({ servers: addresses, user, password, ...shape, name: 'test', log: SILENT })
  writeFileSync(join(folder.path, 'nats-password'), password)
  const queue = { nats: { servers: addresses, user, passwordFile: 'nats-password' }, queue: shape }
  const node =
    (service: string): WholeRelay['edge'] =>
    async (name, settings, environment = {}) =>
      stack.use(
        await startMailNode({
          main: main(service),
          folder: folder.path,
          name,
          settings: { ...queue, ...settings },
          environment,
        }),
      )
  return {
    folder: folder.path,
    nats,
    ports: await freePorts(4),
    edge: node('edge'),
    delivery: node('delivery'),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
