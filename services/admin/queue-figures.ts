/** The figures of the whole queue as metrics, asked for when Prometheus asks. While another node exports them they are not there. */
import type { AdminPort, PartitionFigures } from '@posthouse/queue/admin-port'
import type { Metrics } from '@posthouse/runtime/metrics/registry'
import { MOST_DESTINATIONS } from './metrics.ts'
import type { metricsTable } from './metrics.ts'

export interface FiguresOptions {
  readonly port: Pick<AdminPort, 'partitions' | 'figures'>
  readonly metrics: Metrics<typeof metricsTable>
  readonly exports: () => boolean
  /** ms since 1970. */
  readonly wall: () => number
}

export function exportQueueFigures({ port, metrics, exports, wall }: FiguresOptions): void {
  const age = (at: number | undefined): number | undefined =>
    // The clocks of the servers and of this node may differ a little.
    at === undefined ? undefined : Math.max(0, wall() - at) / 1000
  const rows: readonly [
    metric:
      'queueOwned' | 'queueReady' | 'queueInFlight' | 'queueLater' | 'queueBytes' | 'queueOldestAge' | 'queueWordsAge',
    value: (figures: PartitionFigures) => number | undefined,
  ][] = [
    ['queueOwned', ({ owner }) => (owner === undefined ? 0 : 1)],
    ['queueReady', ({ ready }) => ready],
    ['queueInFlight', ({ inFlight }) => inFlight],
    ['queueLater', ({ later }) => later],
    ['queueBytes', ({ bytes }) => bytes],
    [
      'queueOldestAge',
      ({ oldestAt, saidAgo }) => (oldestAt === undefined && saidAgo !== undefined ? 0 : age(oldestAt)),
    ],
    ['queueWordsAge', ({ saidAgo }) => (saidAgo === undefined ? undefined : saidAgo / 1000)],
  ]
  for (let partition = 0; partition < port.partitions; partition += 1)
    for (const [metric, value] of rows)
      metrics[metric].with({ partition }).from(() => {
        const figures = exports() ? port.figures().find((one) => one.partition === partition) : undefined
        return figures === undefined ? undefined : value(figures)
      })
  const largest = (): [string, Destination][] => (exports() ? largestDestinations(port.figures()) : [])
  metrics.destinationLater.from(() => largest().map(([name, { later }]) => [name, later]))
  metrics.destinationOldestAge.from(() => largest().map(([name, { oldestAt }]) => [name, age(oldestAt) ?? 0]))
}

interface Destination {
  readonly later: number
  readonly oldestAt: number
}

/** Those of all partitions with the most recipients, largest first. */
export function largestDestinations(figures: readonly PartitionFigures[]): [string, Destination][] {
  const all = new Map<string, Destination>()
  for (const { destinations } of figures)
    for (const { destination, later, oldestAt } of destinations) {
      const sum = all.get(destination)
      all.set(destination, {
        later: later + (sum?.later ?? 0),
        oldestAt: Math.min(oldestAt, sum?.oldestAt ?? Infinity),
      })
    }
  return [...all].sort(([, one], [, other]) => other.later - one.later).slice(0, MOST_DESTINATIONS)
}
