/**
 * What the metrics of one message cost, in microseconds of CPU: every operation that the edge and the delivery node make for
 * it, with a trace on every message, in a batch and on a connection of its own (the dearest case: usually many share them).
 * Then one scrape of a delivery node that knows many destinations.
 *
 *   node libs/runtime/metrics/cost.bench.ts [messages] [destinations]
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createMetrics } from './registry.ts'
import type { Counter, Gauge, Histogram } from './series.ts'
import type { MetricsTable } from './table.ts'
import type { Top } from './top.ts'

const [messages = 2_000_000, destinations = 100_000] = process.argv.slice(2).map(Number)
const build = { service: 'bench', version: '0' }

/** Services are no imports of a lib; their tables, and the classes that count for them, are loaded by their files. */
async function load<T>(path: string): Promise<T> {
  return (await import(pathToFileURL(join(import.meta.dirname, '../../..', path)).href)) as T
}

type Any = Counter & Gauge & Histogram & Top & { with(labels: object): Any }
type Tables = { readonly metricsTable: MetricsTable }

const { keptTrace } = await load<{ keptTrace(traceparent: string): string | undefined }>('libs/core/traceparent.ts')
const edgeTable = (await load<Tables>('services/edge/metrics.ts')).metricsTable
const { ListenerSeries } = await load<{
  ListenerSeries: new (
    metrics: object,
    role: string,
  ) => { connections: Counter; accepted: Counter; replied(code: number): void; encrypted(protocol: string): void }
}>('services/edge/listener-series.ts')
const deliveryTable = (await load<Tables>('services/delivery/metrics.ts')).metricsTable
const { AttemptCounts } = await load<{ AttemptCounts: new (metrics: object) => { over(findings: object[]): void } }>(
  'services/delivery/attempt-counts.ts',
)

const edgeRegistry = createMetrics(edgeTable, build)
const edge = edgeRegistry.metrics as unknown as Readonly<Record<string, Any>>
const listener = new ListenerSeries(edge, 'relay')
const deliveryRegistry = createMetrics(deliveryTable, build)
const delivery = deliveryRegistry.metrics as unknown as Readonly<Record<string, Any>>
const attempts = new AttemptCounts(delivery)
const series = (metric: string, labels: object): Any => delivery[metric]!.with(labels)
const delivered = series('recipients', { outcome: 'delivered' })
const opened = series('connectionsOpened', { result: 'tls' })
const version = series('tlsConnections', { version: 'TLSv1.3' })
const entry = series('entrySeconds', { kind: 'outcome' })
const finding = {
  position: 0,
  is: 'delivered',
  status: '2.0.0',
  diagnostic: '250 2.0.0 Ok: queued as X',
  isReply: true,
}
const findings = [finding]

/** As the tracer makes one for each span. */
const traceparent = (n: number): string => `00-${(n % 2 ** 32).toString(16).padStart(32, '0')}-b7ad6b7169203331-01`

function atTheEdge(seconds: number, trace: string): void {
  listener.connections.inc()
  listener.encrypted('TLSv1.3')
  // EHLO, STARTTLS, EHLO, AUTH, MAIL, RCPT, DATA, the final dot, QUIT.
  for (const code of [250, 220, 250, 235, 250, 250, 354, 250, 221]) listener.replied(code)
  edge['batchRecords']!.observe(1)
  edge['publishSeconds']!.observe(seconds)
  listener.accepted.inc()
  edge['acceptedRecipients']!.inc(1)
  edge['acceptedBytes']!.inc(4096)
  edge['acceptSeconds']!.observe(seconds, keptTrace(trace))
}

function atDelivery(seconds: number, trace: string): void {
  opened.inc()
  version.inc()
  delivery['transactions']!.inc()
  delivery['transactionSeconds']!.observe(seconds, keptTrace(trace))
  attempts.over(findings)
  delivered.inc(1)
  delivery['deliveredSeconds']!.observe(seconds * 4, keptTrace(trace))
  entry.observe(seconds)
}

/** Microseconds of one call. */
function cost(work: (seconds: number, trace: string) => void): number {
  const traces = Array.from({ length: 1024 }, (_, n) => traceparent(n))
  const run = (): void => {
    for (let n = 0; n < messages; n++) work((n % 997) / 1000, traces[n % 1024]!)
  }
  run()
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / messages
}

async function scrape(page: () => Promise<{ readonly text: string }>): Promise<{ ms: number; bytes: number }> {
  for (let n = 0; n < 20; n++) await page()
  const before = process.cpuUsage()
  let bytes = 0
  for (let n = 0; n < 50; n++) bytes = (await page()).text.length
  const { user, system } = process.cpuUsage(before)
  return { ms: Math.round((user + system) / 500) / 100, bytes }
}

const atEdge = cost(atTheEdge)
const atDeliveryNode = cost(atDelivery)
const names = Array.from({ length: destinations }, (_, n) => `d${n}.example`)
const rows = function* (): Generator<[string, number]> {
  for (let n = 0; n < names.length; n++) yield [names[n]!, (n * 7919) % 1009]
}
for (const metric of ['destinationConnections', 'destinationReady']) delivery[metric]!.from(rows as never)
const open = 'application/openmetrics-text'
const round = (microseconds: number): number => Math.round(microseconds * 1000) / 1000
process.stdout.write(
  `${JSON.stringify({
    messages,
    microsecondsPerMessage: round(atEdge + atDeliveryNode),
    edge: round(atEdge),
    delivery: round(atDeliveryNode),
    destinations,
    scrape: {
      edge: await scrape(() => edgeRegistry.page(undefined)),
      delivery: await scrape(() => deliveryRegistry.page(undefined)),
      deliveryOpenMetrics: await scrape(() => deliveryRegistry.page(open)),
    },
  })}\n`,
)
