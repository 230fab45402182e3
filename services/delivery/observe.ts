/** What the metrics ask of the parts of a node when they are scraped, and what the DNS tells them. */
import type { Metrics } from '@posthouse/runtime/metrics/registry'
import type { Counter } from '@posthouse/runtime/metrics/series'
import type { DnsOptions } from './dns.ts'
import type { Egress } from './egress.ts'
import type { Engine } from './engine.ts'
import type { metricsTable } from './metrics.ts'

type DeliveryMetrics = Metrics<typeof metricsTable>

export function watchEngine(metrics: DeliveryMetrics, engine: Engine, egress: Egress): void {
  metrics.connections.from(() => engine.connections)
  metrics.ready.from(() => engine.ready)
  metrics.destinations.from(() => engine.destinations)
  metrics.destinationsBackedOff.from(() => engine.census.backedOff)
  metrics.destinationConnections.from(() => engine.census.connections.rows)
  metrics.destinationReady.from(() => engine.census.waiting.rows)
  metrics.exitConnections.from(() => engine.connectionsByExit())
  metrics.exitFailing.from(() => egress.failing())
}

export function dnsCounts({ dnsLookups }: DeliveryMetrics): NonNullable<DnsOptions['onAnswer']> {
  const of = (type: 'mx' | 'a' | 'aaaa' | 'host'): Readonly<Record<string, Counter>> => ({
    found: dnsLookups.with({ type, result: 'found' }),
    none: dnsLookups.with({ type, result: 'none' }),
    'no such name': dnsLookups.with({ type, result: 'no_such_name' }),
    failed: dnsLookups.with({ type, result: 'failed' }),
  })
  const series = { mx: of('mx'), v4: of('a'), v6: of('aaaa'), machine: of('host') }
  return (type, is) => series[type][is]?.inc()
}
