// Metrics are one table per service: a row says what is measured, when to act on it (`help`), and which labels with which
// values. Labels are closed sets, so every series exists from the start, as a zero. docs/metrics.md is made from the tables.

/**
 * Values of a label: named ones; or the whole numbers below a bound (partitions), whose series appear when first used; or
 * names that come and go (destinations), of which the so many with the largest values are shown; or one that the process has
 * for its lifetime (its version).
 */
export type LabelValues = readonly string[] | { readonly below: number } | { readonly top: number } | 'fixed'

export interface LabelsTable {
  readonly [label: string]: LabelValues
}

interface Row {
  /** Prometheus name: posthouse_<service>_<what>_<unit>, counters end in _total. */
  readonly name: string
  /** What it counts, then when to act: the sentence an operator reads at night. */
  readonly help: string
  readonly labels?: LabelsTable
}

export interface CounterRow extends Row {
  readonly kind: 'counter'
}
export interface GaugeRow extends Row {
  readonly kind: 'gauge'
}
export interface HistogramRow extends Row {
  readonly kind: 'histogram'
  /** Upper bounds, ascending; +Inf is added. */
  readonly buckets: readonly number[]
}
export type MetricRow = CounterRow | GaugeRow | HistogramRow

export interface MetricsTable {
  readonly [key: string]: MetricRow
}

type LabelValue<V> = V extends readonly (infer S)[] ? S : V extends 'fixed' ? string : number
export type Labels<R> = R extends { labels: infer L extends LabelsTable }
  ? { readonly [K in keyof L]: LabelValue<L[K]> }
  : Readonly<Record<never, never>>

/** Buckets in seconds for what usually takes from a millisecond to a minute. */
export const LATENCY_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const

/** Returns the table as it is, with its literal types. Throws when a row breaks the naming rules: that is a bug. */
export function defineMetrics<const T extends MetricsTable>(table: T): T {
  const names = new Set<string>()
  for (const row of Object.values(table)) {
    const { name } = row
    if (!/^posthouse_[a-z0-9]+(_[a-z0-9]+)*$/.test(name))
      throw new Error(`${name}: names are posthouse_<service>_<what>`)
    if ((row.kind === 'counter') !== name.endsWith('_total'))
      throw new Error(`${name}: counters, and only they, end in _total`)
    if (names.has(name)) throw new Error(`${name}: is there twice`)
    names.add(name)
    if (row.kind === 'histogram')
      for (const [i, bound] of row.buckets.entries())
        if (i > 0 && bound <= row.buckets[i - 1]!) throw new Error(`${name}: buckets must ascend`)
    const values = Object.values(row.labels ?? {})
    if (values.some((v) => typeof v === 'object' && 'top' in v) && (values.length > 1 || row.kind !== 'gauge'))
      throw new Error(`${name}: what shows the largest is a gauge with that one label`)
    const series = mostSeries(row)
    if (series > 1000) throw new Error(`${name}: ${series} series are too many`)
  }
  return table
}

/** How many series a row can have at most, as Prometheus counts them. */
export function mostSeries(row: MetricRow): number {
  const sets = Object.values(row.labels ?? {}).reduce((n, values) => n * mostValues(values), 1)
  return row.kind === 'histogram' ? sets * (row.buckets.length + 3) : sets
}

/** And a whole table. */
export function mostSeriesOf(table: MetricsTable): number {
  return Object.values(table).reduce((sum, row) => sum + mostSeries(row), 0)
}

function mostValues(values: LabelValues): number {
  if (values === 'fixed') return 1
  if ('below' in values) return values.below
  return 'top' in values ? values.top : values.length
}
