// Makes a service's metrics from its table and registers them with prom-client, which writes the text for /metrics, beside
// process metrics and those of every process (common.ts). All series of closed label sets exist from the start.
import { Registry, collectDefaultMetrics } from 'prom-client'
import type { Metric as PromMetric } from 'prom-client'
import { commonMetrics } from './common.ts'
import { OpenMetrics } from './open-metrics.ts'
import { Counter, Gauge, Histogram } from './series.ts'
import type { Sample } from './series.ts'
import type { Labels, MetricRow, MetricsTable } from './table.ts'
import { Top } from './top.ts'

type SeriesOf<R> = R extends { kind: 'counter' } ? Counter : R extends { kind: 'gauge' } ? Gauge : Histogram

export interface Labelled<R> {
  /** The series with these labels, always the same object: take it once, use it often. */
  with(labels: Labels<R>): SeriesOf<R>
}

/** A metric without labels is its only series; one with labels hands out series, or is asked for its largest. */
export type Metrics<T> = {
  readonly [K in keyof T]: T[K] extends { labels: Readonly<Record<string, { readonly top: number }>> }
    ? Top
    : T[K] extends { labels: object }
      ? Labelled<T[K]>
      : SeriesOf<T[K]>
}

type Series = Counter | Gauge | Histogram
type LabelSet = Readonly<Record<string, string | number>>

export interface Page {
  readonly contentType: string
  readonly text: string
}

export interface MetricsRegistry<T> {
  readonly metrics: Metrics<T>
  /** What every process says of itself, for whoever knows it. */
  readonly common: Metrics<typeof commonMetrics>
  /** The text that Prometheus scrapes. */
  text(): Promise<string>
  /** The same in the format that this Accept header wants: OpenMetrics, which has the exemplars, or Prometheus' own. */
  page(accept: string | undefined): Promise<Page>
}

export function createMetrics<T extends MetricsTable>(
  table: T,
  build: { readonly service: string; readonly version: string },
): MetricsRegistry<T> {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const metrics = add(registry, table)
  const common = add(registry, commonMetrics)
  common.buildInfo.with({ ...build, node: process.version }).set(1)
  const open = new OpenMetrics(registry)
  const text = (): Promise<string> => registry.metrics()
  return {
    metrics,
    common,
    text,
    page: async (accept) =>
      OpenMetrics.isWanted(accept)
        ? { contentType: OpenMetrics.contentType, text: await open.text() }
        : { contentType: registry.contentType, text: await text() },
  }
}

function add<T extends MetricsTable>(registry: Registry, table: T): Metrics<T> {
  const metrics: Record<string, unknown> = {}
  for (const [key, row] of Object.entries(table)) {
    const family = new Family(row)
    // prom-client asks a metric for nothing but this shape when it writes the text.
    registry.registerMetric(family as unknown as PromMetric)
    metrics[key] = family.top ?? (row.labels === undefined ? family.with({}) : family)
  }
  return metrics as Metrics<T>
}

class Family {
  readonly name: string
  readonly help: string
  readonly type: MetricRow['kind']
  readonly aggregator = 'sum'
  /** In place of series, if only the largest are shown. */
  readonly top: Top | undefined
  readonly #row: MetricRow
  readonly #labels: readonly string[]
  readonly #series = new Map<string, { readonly labels: LabelSet; readonly series: Series }>()

  constructor(row: MetricRow) {
    this.name = row.name
    this.help = row.help
    this.type = row.kind
    this.#row = row
    this.#labels = Object.keys(row.labels ?? {})
    this.top = topOf(row)
    for (const labels of closedSets(row)) this.#add(labels)
  }

  with(labels: LabelSet): Series {
    return this.#series.get(this.#key(labels))?.series ?? this.#admit(labels)
  }

  #add(labels: LabelSet): Series {
    const row = this.#row
    const series =
      row.kind === 'counter' ? new Counter() : row.kind === 'gauge' ? new Gauge() : new Histogram(row.buckets)
    this.#series.set(this.#key(labels), { labels, series })
    return series
  }

  get(): { name: string; help: string; type: string; aggregator: string; values: Sample[] } {
    const values = this.top?.samples(this.name) ?? []
    for (const { labels, series } of this.#series.values()) values.push(...series.samples(this.name, labels))
    return { name: this.name, help: this.help, type: this.type, aggregator: this.aggregator, values }
  }

  // A label outside its set would be a series nobody knows of, one per value: a bug, and a leak.
  #admit(labels: LabelSet): Series {
    for (const name of this.#labels) {
      const allowed = this.#row.labels![name]!
      const value = labels[name]!
      if (!this.#fits(allowed, value))
        throw new Error(`${this.name}: ${name}=${JSON.stringify(value)} is not one of its values`)
    }
    const ordered = Object.fromEntries(this.#labels.map((name) => [name, labels[name]!]))
    return this.#add(ordered)
  }

  #fits(allowed: NonNullable<MetricRow['labels']>[string], value: string | number): boolean {
    if (allowed === 'fixed') return this.#series.size === 0
    if ('below' in allowed)
      return Number.isInteger(value) && (value as number) >= 0 && (value as number) < allowed.below
    return !('top' in allowed) && allowed.includes(value as string)
  }

  #key(labels: LabelSet): string {
    let key = ''
    for (const name of this.#labels) key += `${labels[name]}\u0000`
    return key
  }
}

function topOf(row: MetricRow): Top | undefined {
  for (const [name, values] of Object.entries(row.labels ?? {}))
    if (typeof values === 'object' && 'top' in values) return new Top(name, values.top)
  return undefined
}

// Every combination of the named values; none when a label is open, whose series appear when first used.
function closedSets(row: MetricRow): LabelSet[] {
  let sets: LabelSet[] = [{}]
  for (const [name, values] of Object.entries(row.labels ?? {})) {
    if (values === 'fixed' || 'below' in values || 'top' in values) return []
    sets = sets.flatMap((set) => values.map((value) => ({ ...set, [name]: value })))
  }
  return sets
}
