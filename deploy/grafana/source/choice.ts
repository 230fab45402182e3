// What is chosen above a dashboard, put into its queries: they are written as one would ask Prometheus, with bare metrics.

/** What of a series' labels comes from Prometheus: under Kubernetes all four, else only job and instance. */
export const CHOICES = ['namespace', 'job', 'pod', 'instance'] as const

const NODE = CHOICES.map((name) => `${name}=~"$${name}"`).join(',')
const CLUSTER = 'namespace=~"$namespace"'

/**
 * Series of the whole cluster come from whichever admin node exports them at the time, and alerts from Prometheus: to choose an edge
 * must not hide them.
 */
const OF_THE_CLUSTER = /^(ALERTS$|posthouse_queue_|posthouse_nats_(?!connected$))/
const METRIC = /\b(posthouse_\w+|process_\w+|nodejs_\w+|up|ALERTS)\b(\{)?/g

/** The query with the choice as the first matchers of each metric. */
export function chosen(query: string): string {
  return query.replaceAll(METRIC, (_, metric: string, matchers: string | undefined) => {
    const choice = OF_THE_CLUSTER.test(metric) ? CLUSTER : NODE
    return `${metric}{${choice}${matchers === undefined ? '}' : ','}`
  })
}
