// What Prometheus has seen of two edges, two delivery nodes and two admin nodes that are well, one sample a minute, and ways to make
// them ill: the input of promtool's rule tests.
import { exportedSeries } from './exported-series.ts'

export type Labels = Readonly<Record<string, string>>

/** The value at a minute; undefined: there is none any more. */
export type Values = (minute: number) => number | undefined

export interface Series {
  readonly metric: string
  readonly labels: Labels
  readonly values: Values
}

/** Who scraped them: the Prometheus Operator by a PodMonitor, or a list of addresses. */
export type Scraper = 'pods' | 'addresses'

const KINDS = ['edge', 'delivery', 'admin']

/** The labels that the scraper gives to a node, by the node's name. */
export function targetOf(scraper: Scraper, node: string): Labels {
  const kind = kindOf(node)
  if (scraper === 'addresses') return { job: `posthouse-${kind}`, instance: `${node}:8080` }
  const instance = `10.0.${KINDS.indexOf(kind)}.${node.slice(-1)}:8080`
  return { namespace: 'mail', job: 'mail/posthouse', pod: `posthouse-${node}`, instance }
}

/** Seconds. The time of the first sample is 0. */
export const DAY = 86_400

/** A gauge that stays as it is. */
export function flat(value: number): Values {
  return () => value
}

/** A counter that grows by so much a minute, from one minute to another, and is flat before and after. */
export function growing(step: number, { from = 0, to = Infinity } = {}): Values {
  return (minute) => step * Math.max(0, Math.min(minute, to) - from)
}

/** A counter that grows by so much a minute, and by so much from the minute on. */
export function turning(step: number, minute: number, after: number): Values {
  return (now) => step * Math.min(now, minute) + after * Math.max(now - minute, 0)
}

/** One value before the minute, another from it on. */
export function stepping(before: Values, minute: number, after: Values): Values {
  return (now) => (now < minute ? before : after)(now)
}

export class HealthySite {
  series: Series[] = []
  readonly #scraper: Scraper

  constructor(scraper: Scraper) {
    this.#scraper = scraper
    for (const node of ['edge-1', 'edge-2']) this.#edge(node)
    for (const node of ['delivery-1', 'delivery-2']) this.#delivery(node)
    for (const node of ['admin-1', 'admin-2']) this.#admin(node)
    for (const { name, labels, value } of exportedSeries) this.#add('admin-1', name, labels, flat(value))
  }

  target(node: string): Labels {
    return targetOf(this.#scraper, node)
  }

  /** Gives other values to what has this name and, among others, these labels. Throws when there is nothing. */
  set(metric: string, labels: Labels, values: Values): void {
    this.#replace(metric, labels, (series) => [{ ...series, values }])
  }

  /** The series is another one from this minute on. Throws when there is nothing. */
  relabel(metric: string, labels: Labels, minute: number, to: Labels): void {
    this.#replace(metric, labels, (series) => [
      { ...series, values: stepping(series.values, minute, () => undefined) },
      {
        ...series,
        labels: { ...series.labels, ...to },
        values: (now) => (now < minute ? undefined : series.values(now)),
      },
    ])
  }

  /** From a minute on the other admin node exports what the first has; that one may go on with what it said last. */
  handOver(minute: number, how: 'at once' | 'both for two minutes'): void {
    const late = how === 'at once' ? 0 : 2
    for (const { name, labels, value } of exportedSeries) {
      const metric = `posthouse_${name}`
      const there = this.series.find((series) => series.metric === metric && has(series, labels))
      this.set(
        metric,
        labels,
        stepping(there?.values ?? flat(value), minute + late, () => undefined),
      )
      this.#add('admin-2', name, labels, (now) => (now < minute ? undefined : value))
    }
    this.set('posthouse_admin_exports', this.target('admin-1'), stepping(flat(1), minute + late, flat(0)))
    this.set('posthouse_admin_exports', this.target('admin-2'), stepping(flat(0), minute, flat(1)))
  }

  /** A node has ended by this minute: Prometheus asks in vain, or has forgotten that there was one. */
  end(node: string, minute: number, how: 'unreachable' | 'forgotten'): void {
    this.series = this.series.map((series) => {
      if (!has(series, this.target(node))) return series
      const after = how === 'unreachable' && series.metric === 'up' ? flat(0) : () => undefined
      return { ...series, values: stepping(series.values, minute, after) }
    })
  }

  #edge(node: string): void {
    this.#process(node)
    this.#add(node, 'edge_sessions', {}, flat(20))
    this.#add(node, 'edge_messages_accepted_total', { role: 'relay' }, growing(600))
    const buckets = { '0.1': 594, '0.5': 599, '1': 600, '2.5': 600, '5': 600, '+Inf': 600 }
    for (const [le, step] of Object.entries(buckets))
      this.#add(node, 'edge_accept_seconds_bucket', { le }, growing(step))
    const refused = { queueFull: 0, queueUnavailable: 0, notListed: 300 }
    for (const [reason, step] of Object.entries(refused))
      this.#add(node, 'edge_refused_total', { reason }, growing(step))
    this.#add(node, 'edge_fate_unknown_total', {}, flat(0))
    this.#add(node, 'edge_publish_repeated_total', {}, flat(0))
    const logins = { ok: 60, wrong: 1, blocked: 0 }
    for (const [result, step] of Object.entries(logins)) this.#add(node, 'edge_logins_total', { result }, growing(step))
    const partitions = { usable: 6, leaderless: 0, full: 0, silent: 0 }
    for (const [state, count] of Object.entries(partitions)) this.#add(node, 'edge_partitions', { state }, flat(count))
    this.#add(node, 'edge_queue_used_ratio', {}, flat(0.1))
    this.#add(node, 'edge_certificate_expiry_timestamp_seconds', {}, flat(60 * DAY))
  }

  #delivery(node: string): void {
    this.#process(node)
    this.#add(node, 'delivery_ready', {}, flat(3))
    this.#add(node, 'delivery_transactions_total', {}, growing(700))
    this.#add(node, 'delivery_possible_duplicates_total', {}, flat(0))
    // Parking is no attempt, and here there is more of it than of anything else.
    const outcomes = { delivered: 800, deferred: 50, parked: 900, bounced: 8, expired: 0 }
    for (const [outcome, step] of Object.entries(outcomes))
      this.#add(node, 'delivery_recipients_total', { outcome }, growing(step))
    const late = { '1': 700, '300': 790, '3600': 795, '+Inf': 800 }
    for (const [le, step] of Object.entries(late))
      this.#add(node, 'delivery_accepted_to_delivered_seconds_bucket', { le }, growing(step))
  }

  #admin(node: string): void {
    this.#process(node)
    this.#add(node, 'admin_exports', {}, flat(node === 'admin-1' ? 1 : 0))
    this.#add(node, 'admin_index_lag_seconds', {}, flat(0))
  }

  #process(node: string): void {
    this.#put(node, 'up', {}, flat(1))
    this.#put(node, 'process_start_time_seconds', {}, flat(1_700_000_000))
    this.#add(node, 'log_suppressed_total', {}, flat(0))
    this.#add(node, 'build_info', { service: kindOf(node), version: '1.2.3', node: 'v24.1.0' }, flat(1))
  }

  #add(node: string, name: string, labels: Labels, values: Values): void {
    this.#put(node, `posthouse_${name}`, labels, values)
  }

  #put(node: string, metric: string, labels: Labels, values: Values): void {
    this.series.push({ metric, labels: { ...this.target(node), ...labels }, values })
  }

  #replace(metric: string, labels: Labels, by: (series: Series) => Series[]): void {
    const found = this.series.filter((series) => series.metric === metric && has(series, labels))
    if (found.length === 0) throw new Error(`no ${metric} with ${JSON.stringify(labels)}`)
    this.series = this.series.flatMap((series) => (found.includes(series) ? by(series) : [series]))
  }
}

function kindOf(node: string): string {
  return node.replace(/-\d+$/, '')
}

function has(series: Series, labels: Labels): boolean {
  return Object.entries(labels).every(([name, value]) => series.labels[name] === value)
}
