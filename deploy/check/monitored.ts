// Every metric that an alert or a dashboard speaks of is one that some process has, with these labels and values: a name that is
// mistyped, or that was renamed in services/*/metrics.ts, would be an alert that never fires and a panel that stays empty.
import { basename, join, relative } from 'node:path'
import { createMetrics } from '@posthouse/runtime/metrics/registry'
import type { MetricRow, MetricsTable } from '@posthouse/runtime/metrics/table'
import { labelValuesOf, panelsOf, readDashboards } from '../grafana/dashboard.ts'
import { alertsIn, readRules } from '../prometheus/alerts.ts'
import { namesIn, type Selector } from './promql.ts'

export interface Expression {
  /** File, and what in it. */
  readonly where: string
  readonly text: string
}

/** What values the labels of a metric may have; undefined: any. */
type Labels = ReadonlyMap<string, readonly string[] | undefined>

/** What Prometheus gives to every series, by a PodMonitor or by a list of addresses. */
const TARGET = ['namespace', 'job', 'pod', 'instance']
const ALERTS = ['alertname', 'alertstate', 'severity']

/** Everything that the alerts and dashboards below `root` ask. Throws when a file cannot be read. */
export function monitoredExpressions(root: string): Expression[] {
  const expressions: Expression[] = []
  const alerts = join(root, 'deploy/prometheus/alerts.yaml')
  for (const { alert, expr } of alertsIn(readRules(alerts)))
    expressions.push({ where: `${relative(root, alerts)}: ${alert}`, text: expr })
  const folder = join(root, 'deploy/grafana')
  for (const [name, dashboard] of readDashboards(folder)) {
    const file = relative(root, join(folder, basename(name)))
    for (const { title, targets = [] } of panelsOf(dashboard))
      for (const { expr } of targets) expressions.push({ where: `${file}: ${title}`, text: expr })
    for (const { name: annotation, expr } of dashboard.annotations.list)
      if (expr !== undefined) expressions.push({ where: `${file}: ${annotation}`, text: expr })
    for (const variable of dashboard.templating.list) {
      const asked = labelValuesOf(variable)
      if (asked !== undefined)
        expressions.push({ where: `${file}: $${variable.name}`, text: `count by (${asked.label}) (${asked.selector})` })
    }
  }
  return expressions
}

/** A line for each metric, label or value that is not in the tables and that no Node process has. */
export async function unknownNames(
  expressions: readonly Expression[],
  tables: Iterable<MetricsTable>,
): Promise<string[]> {
  const known = await knownMetrics(tables)
  return expressions.flatMap(({ where, text }) => {
    const { selectors, grouping } = namesIn(text)
    const complaints = selectors.flatMap((selector) => wrongIn(selector, known))
    const labels = selectors.flatMap(({ metric }) => [...(known.get(metric)?.keys() ?? [])])
    for (const label of grouping) if (!labels.includes(label)) complaints.push(`no label ${label} there to group by`)
    if (selectors.length === 0) complaints.push('speaks of no metric')
    return complaints.map((complaint) => `${where}: ${complaint}`)
  })
}

function wrongIn({ metric, matchers }: Selector, known: ReadonlyMap<string, Labels>): string[] {
  const labels = known.get(metric)
  if (labels === undefined) return [`no metric ${metric === '' ? 'is named' : metric}`]
  return matchers.flatMap(({ label, operator, value }) => {
    if (!labels.has(label)) return [`${metric} has no label ${label}`]
    const values = labels.get(label)
    if (values === undefined || value.includes('$')) return []
    // Each way of an alternation has to be there.
    const ways = operator.endsWith('~') ? value.split('|') : [value]
    return ways
      .filter(
        (way) => !values.some((one) => (operator.endsWith('~') ? new RegExp(`^(?:${way})$`).test(one) : one === way)),
      )
      .map((way) => `${metric} has no ${label}="${way}"`)
  })
}

async function knownMetrics(tables: Iterable<MetricsTable>): Promise<ReadonlyMap<string, Labels>> {
  const known = new Map<string, Labels>()
  const target = new Map(TARGET.map((label) => [label, undefined]))
  known.set('up', target)
  known.set('ALERTS', new Map([...target, ...ALERTS.map((label) => [label, undefined] as const)]))
  // What every process has, from the text that Prometheus reads.
  const text = await createMetrics({}, { service: '', version: '' }).text()
  for (const [, name = '', kind = ''] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    const labels = new Map<string, readonly string[] | undefined>(target)
    const series = new RegExp(`^${name}(?:_\\w+)?\\{(.*)\\} `, 'gm')
    for (const [, inside = ''] of text.matchAll(series))
      for (const [, label = ''] of inside.matchAll(/(\w+)="/g)) labels.set(label, undefined)
    add(known, name, kind, labels)
  }
  for (const table of tables)
    for (const row of Object.values(table)) add(known, row.name, row.kind, new Map([...target, ...labelsOf(row)]))
  return known
}

function labelsOf(row: MetricRow): [string, readonly string[] | undefined][] {
  return Object.entries(row.labels ?? {}).map(([label, values]) => [label, Array.isArray(values) ? values : undefined])
}

function add(known: Map<string, Labels>, name: string, kind: string, labels: Labels): void {
  if (kind !== 'histogram' && kind !== 'summary') return void known.set(name, labels)
  for (const suffix of ['_sum', '_count']) known.set(`${name}${suffix}`, labels)
  const bound = kind === 'histogram' ? 'le' : 'quantile'
  known.set(kind === 'histogram' ? `${name}_bucket` : name, new Map([...labels, [bound, undefined]]))
}
