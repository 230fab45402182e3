// Makes a service's metrics from its table and registers them with prom-client, which writes the text for /metrics, beside
// process metrics and build information. All series of closed label sets exist from the start.
import { Registry, collectDefaultMetrics } from 'prom-client'
import type { Metric as PromMetric } from 'prom-client'
import type { Labels, MetricRow, MetricsTable } from './table.ts'
import { Counter, Gauge, Histogram } from './series.ts'
import { Top } from './top.ts'

type SeriesOf<R> = R extends { kind: 'counter' } ? Counter : R extends { kind: 'gauge' } ? Gauge : Histogram

export interface Labelled<R> {
  /** The series with these labels, always the same object: take it once, use it often. */
  with(labels: Labels<R>): SeriesOf<R>
}

/** A metric without labels is its only series; one with labels hands out series. */
export type Metrics<T> = {
  readonly [K in keyof T]: T[K] extends { labels: Readonly<Record<string, { readonly top: number }>> }
    ? Top
    : T[K] extends { labels: object }
      ? Labelled<T[K]>
      : SeriesOf<T[K]>
}

type Series = Counter | Gauge | Histogram
type LabelSet = Readonly<Record<string, string | number>>

export interface MetricsRegistry<T> {
  readonly metrics: Metrics<T>
  readonly contentType: string
  /** The text that Prometheus scrapes. */
  text(): Promise<string>
}

export function createMetrics<T extends MetricsTable>(
  table: T,
  build: { readonly service: string; readonly version: string },
): MetricsRegistry<T> {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const metrics: Record<string, unknown> = {}
  for (const [key, row] of Object.entries(table)) {
    const top = topOf(row)
    if (top !== undefined) {
      register(registry, top.family)
      metrics[key] = top.series
      continue
    }
    const family = new Family(row)
    register(registry, family)
    metrics[key] = row.labels === undefined ? family.with({}) : family
  }
  const info = new Family({ kind: 'gauge', name: 'posthouse_build_info', help: BUILD_INFO_HELP })
  const labels = { service: build.service, version: build.version, node: process.version }
  const one = info.add(labels)
  if (one instanceof Gauge) one.set(1)
  register(registry, info)
  return { metrics: metrics as Metrics<T>, contentType: registry.contentType, text: () => registry.metrics() }
}

export const BUILD_INFO_HELP =
  'Always 1; the labels say which version runs. Act when versions stay mixed after an upgrade.'

// prom-client asks a metric for nothing but this shape when it writes the text.
function register(registry: Registry, family: object): void {
  registry.registerMetric(family as unknown as PromMetric)
}

function topOf(row: MetricRow): { readonly series: Top; readonly family: object } | undefined {
  for (const [label, values] of Object.entries(row.labels ?? {}))
    if ('top' in values) {
      const { name, help, kind: type } = row
      const series = new Top(label, values.top)
      const get = () => ({ name, help, type, aggregator: 'sum', values: series.samples(name) })
      return { series, family: { name, help, type, get } }
    }
  return undefined
}

class Family {
  readonly name: string
  readonly help: string
  readonly type: MetricRow['kind']
  readonly aggregator = 'sum'
  readonly #row: MetricRow
  readonly #labels: readonly string[]
  readonly #series = new Map<string, { readonly labels: LabelSet; readonly series: Series }>()

  constructor(row: MetricRow) {
    this.name = row.name
    this.help = row.help
    this.type = row.kind
    this.#row = row
    this.#labels = Object.keys(row.labels ?? {})
    for (const labels of closedSets(row)) this.add(labels)
  }

  with(labels: LabelSet): Series {
    return this.#series.get(this.#key(labels))?.series ?? this.#admit(labels)
  }

  add(labels: LabelSet): Series {
    const row = this.#row
    const series =
      row.kind === 'counter' ? new Counter() : row.kind === 'gauge' ? new Gauge() : new Histogram(row.buckets)
    this.#series.set(this.#key(labels), { labels, series })
    return series
  }

  get(): { name: string; help: string; type: string; aggregator: string; values: object[] } {
    const values: object[] = []
    for (const { labels, series } of this.#series.values()) values.push(...series.samples(this.name, labels))
    return { name: this.name, help: this.help, type: this.type, aggregator: this.aggregator, values }
  }

  // A label outside its set would be a series nobody knows of, one per value: a bug, and a leak.
  #admit(labels: LabelSet): Series {
    for (const name of this.#labels) {
      const allowed = this.#row.labels![name]!
      const value = labels[name]!
      const fits =
        'below' in allowed
          ? Number.isInteger(value) && (value as number) >= 0 && (value as number) < allowed.below
          : !('top' in allowed) && allowed.includes(value as string)
      if (!fits) throw new Error(`${this.name}: ${name}=${JSON.stringify(value)} is not one of its values`)
    }
    const ordered = Object.fromEntries(this.#labels.map((name) => [name, labels[name]!]))
    return this.add(ordered)
  }

  #key(labels: LabelSet): string {
    let key = ''
    for (const name of this.#labels) key += `${labels[name]}\u0000`
    return key
  }
}

// Every combination of the named values; none when a label is a number, whose series appear when first used.
function closedSets(row: MetricRow): LabelSet[] {
  let sets: LabelSet[] = [{}]
  for (const [name, values] of Object.entries(row.labels ?? {})) {
    if ('below' in values || 'top' in values) return []
    sets = sets.flatMap((set) => values.map((value) => ({ ...set, [name]: value })))
  }
  return row.labels === undefined && row.name === 'posthouse_build_info' ? [] : sets
}
