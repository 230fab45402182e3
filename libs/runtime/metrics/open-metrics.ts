// The same metrics in the OpenMetrics format (https://prometheus.io/docs/specs/om/open_metrics_spec/), the only one that has
// exemplars. prom-client writes it, but renames a counter's metric for good when it does and adds _total to each of its
// samples: hence views of the metrics, with the names it expects, beside the metrics themselves.
import { Registry } from 'prom-client'
import type { Metric as PromMetric, MetricObjectWithValues, MetricValue, OpenMetricsContentType } from 'prom-client'

type Got = MetricObjectWithValues<MetricValue<string> & { readonly metricName?: string }>

export class OpenMetrics {
  static readonly contentType = Registry.OPENMETRICS_CONTENT_TYPE
  readonly #registry = new Registry<OpenMetricsContentType>()

  /** Views of all that is registered now. */
  constructor(registry: Registry) {
    this.#registry.setContentType(OpenMetrics.contentType)
    for (const metric of registry.getMetricsAsArray() as unknown as PromMetric[])
      this.#registry.registerMetric(viewOf(metric) as unknown as PromMetric)
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }

  /** Whether an Accept header (RFC 9110, 12.5.1) prefers version 1.0.0, which this is, to the format of Prometheus. */
  static isWanted(accept: string | undefined): boolean {
    let open = 0
    let plain = 0
    for (const one of (accept ?? '').toLowerCase().split(',')) {
      const [type, ...parameters] = one.split(';').map((part) => part.trim())
      const value = (name: string): string | undefined =>
        parameters.find((parameter) => parameter.startsWith(`${name}=`))?.slice(name.length + 1)
      const quality = Number(value('q') ?? 1)
      if (type === 'application/openmetrics-text' && (value('version') ?? '1.0.0') === '1.0.0')
        open = Math.max(open, quality)
      if (type === 'text/plain') plain = Math.max(plain, quality)
    }
    return open > 0 && open >= plain
  }
}

function viewOf(metric: PromMetric): object {
  const { name, type } = metric as unknown as { readonly name: string; readonly type: string }
  if (type !== 'counter') return metric
  const bare = (of: string): string => of.replace(/_total$/, '')
  return {
    name: bare(name),
    type,
    get: async (): Promise<object> => {
      const got = (await metric.get()) as Got
      const values = got.values.map((value) => ({ ...value, metricName: bare(value.metricName ?? name) }))
      return { ...got, name: bare(name), values }
    },
  }
}
