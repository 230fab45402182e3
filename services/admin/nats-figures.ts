/** The state of streams and servers as metrics, asked for when Prometheus asks. While another node exports them they are not there. */
import type { AdminPort, ServerView, StreamView } from '@posthouse/queue/admin-port'
import type { Metrics } from '@posthouse/runtime/metrics/registry'
import { streamKinds } from './metrics.ts'
import type { metricsTable } from './metrics.ts'

export interface NatsFiguresOptions {
  readonly port: Pick<AdminPort, 'partitions' | 'view'>
  readonly metrics: Metrics<typeof metricsTable>
  readonly exports: () => boolean
}

export function exportNatsFigures({ port, metrics, exports }: NatsFiguresOptions): void {
  const streams: readonly [
    metric:
      | 'streamLeader'
      | 'streamReplicas'
      | 'streamReplicasBehind'
      | 'streamLag'
      | 'streamMessages'
      | 'streamBytes'
      | 'streamMaxBytes',
    value: (stream: StreamView) => number,
  ][] = [
    ['streamLeader', ({ leader }) => (leader === undefined ? 0 : 1)],
    ['streamReplicas', ({ replicas }) => replicas],
    ['streamReplicasBehind', ({ behind }) => behind],
    ['streamLag', ({ lag }) => lag],
    ['streamMessages', ({ messages }) => messages],
    ['streamBytes', ({ bytes }) => bytes],
    ['streamMaxBytes', ({ maxBytes }) => maxBytes],
  ]
  for (const kind of streamKinds)
    for (let partition = 0; partition < port.partitions; partition += 1)
      for (const [metric, value] of streams)
        metrics[metric].with({ kind, partition }).from(() => {
          if (!exports()) return undefined
          const stream = port.view().streams.find((one) => one.partition === partition && one.kind === kind)
          return stream === undefined ? undefined : value(stream)
        })
  const servers = (value: (server: ServerView) => number): [string, number][] =>
    exports() ? port.view().servers.map((server) => [server.name, value(server)]) : []
  metrics.serverOnline.from(() => servers(({ online }) => (online ? 1 : 0)))
  metrics.serverLeads.from(() => servers(({ leads }) => leads))
  metrics.storageUsed.from(() => (exports() ? port.view().storage.used : undefined))
  metrics.storageLimit.from(() => (exports() ? port.view().storage.limit : undefined))
  metrics.natsConnected.from(() => (port.view().disconnected === undefined ? 1 : 0))
  metrics.natsViewAge.from(() => (exports() ? port.view().ago / 1000 : undefined))
}
