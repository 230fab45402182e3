// What Prometheus has seen of two edges and two delivery nodes that are well, one sample a minute, and ways to make them ill: the
// input of promtool's rule tests.

type Labels = Readonly<Record<string, string>>

/** The value at a minute; undefined: there is none any more. */
export type Values = (minute: number) => number | undefined

export interface Series {
  readonly metric: string
  readonly labels: Labels
  readonly values: Values
}

/** Who scraped them: the Prometheus Operator by a PodMonitor, or a list of addresses. */
export type Scraper = 'pods' | 'addresses'

/** The labels that the scraper gives to a node, by the node's name. */
export function targetOf(scraper: Scraper, node: string): Labels {
  const kind = kindOf(node)
  if (scraper === 'addresses') return { job: `posthouse-${kind}`, instance: `${node}:8080` }
  const instance = `10.0.${kind === 'edge' ? 1 : 2}.${node.slice(-1)}:8080`
  return { namespace: 'mail', job: 'mail/posthouse', pod: `posthouse-${node}`, instance }
}

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
  }

  #process(node: string): void {
    this.#put(node, 'up', {}, flat(1))
    this.#put(node, 'process_start_time_seconds', {}, flat(1_700_000_000))
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
