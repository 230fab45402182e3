// The dashboards as Grafana has to be able to take them, and as people have to be able to read them. That their queries find something
// is shown in queries.cluster.test.ts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { metricsTables } from '../check/generate.ts'
import { namesIn } from '../check/promql.ts'
import { labelValuesOf, panelsOf, readDashboards, type Panel, type Place } from './dashboard.ts'

const dashboards = readDashboards()
/** What of a series' labels comes from Prometheus: under Kubernetes all four, else only job and instance. */
const CHOICES = ['namespace', 'job', 'pod', 'instance']
const FILTER = CHOICES.map((name) => `${name}=~"$${name}"`).join(',')
/** One admin node exports these for all, so that to choose another node, or a job, must not hide them. */
const OF_THE_CLUSTER = /^(ALERTS$|posthouse_(queue|nats)_(?!connected$))/
const TYPES = ['timeseries', 'stat', 'bargauge', 'state-timeline', 'table']
/** What a screen of 1080 lines shows below Grafana's own bars. */
const SCREEN = 24

test('the dashboards are found by fixed names', () => {
  assert.deepEqual(
    [...dashboards].map(([file, { uid, title }]) => [file, uid, title]),
    [
      ['delivery.json', 'posthouse-delivery', 'Posthouse / Delivery'],
      ['edge.json', 'posthouse-edge', 'Posthouse / Edge'],
      ['nats.json', 'posthouse-nats', 'Posthouse / NATS'],
      ['overview.json', 'posthouse-overview', 'Posthouse / Overview'],
      ['queue.json', 'posthouse-queue', 'Posthouse / Queue and destinations'],
    ],
  )
})

test('each dashboard is one that Grafana 10 takes anywhere: nothing in it is of one installation', () => {
  for (const [file, dashboard] of dashboards) {
    assert.equal(dashboard.id, null, file)
    assert.equal(dashboard.schemaVersion, 38, file)
    assert.ok(dashboard.tags.includes('posthouse'), file)
    assert.ok(dashboard.description, file)
    assert.deepEqual([dashboard.refresh, dashboard.time], ['30s', { from: 'now-1h', to: 'now' }], file)
    const ids = dashboard.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]).map(({ id }) => id)
    assert.equal(new Set(ids).size, ids.length, `${file}: ids`)
    const source = { type: 'prometheus', uid: '${datasource}' }
    for (const panel of panelsOf(dashboard)) {
      assert.ok(TYPES.includes(panel.type), `${file}: ${panel.title}: ${panel.type}`)
      assert.deepEqual(panel.datasource, source, panel.title)
      for (const target of panel.targets ?? []) assert.deepEqual(target.datasource, source, panel.title)
    }
    const [first, ...others] = dashboard.templating.list
    assert.deepEqual([first?.name, first?.type, first?.query], ['datasource', 'datasource', 'prometheus'], file)
    for (const variable of others) {
      assert.equal(labelValuesOf(variable)?.label, variable.name, file)
      // So that "All" finds series without the label.
      assert.deepEqual([variable.includeAll, variable.allValue], [true, '.*'], `${file}: ${variable.name}`)
    }
    assert.deepEqual(
      others.map(({ name }) => name),
      CHOICES,
      file,
    )
    assert.deepEqual(
      dashboard.annotations.list.map(({ name }) => name),
      ['Annotations & Alerts', 'Alerts', 'Starts'],
      file,
    )
  }
})

test('every panel has a unit, and says what it shows and when to act', () => {
  for (const [file, dashboard] of dashboards) {
    const panels = panelsOf(dashboard)
    assert.notEqual(panels.length, 0, file)
    assert.equal(new Set(panels.map(({ title }) => title)).size, panels.length, `${file}: titles`)
    for (const { title, description = '', fieldConfig, targets = [] } of panels) {
      assert.match(description, /\bAct (when|on)\b[^]*\.$/, `${file}: ${title}`)
      assert.ok(fieldConfig?.defaults.unit, `${file}: ${title}`)
      assert.ok(targets.length > 0, `${file}: ${title}`)
      assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, `${file}: ${title}`)
    }
  }
})

test('thresholds ascend from one that has no lower end', () => {
  let some = 0
  for (const [file, dashboard] of dashboards)
    for (const { title, fieldConfig } of panelsOf(dashboard)) {
      const [first, ...others] = fieldConfig?.defaults.thresholds?.steps ?? []
      if (first === undefined) continue
      assert.equal(first.value, null, `${file}: ${title}`)
      const values = others.map(({ value }) => value ?? Number.NEGATIVE_INFINITY)
      assert.deepEqual(
        values,
        values.toSorted((a, b) => a - b),
        `${file}: ${title}`,
      )
      some += values.length
    }
  assert.notEqual(some, 0)
})

test('every query is about what was chosen, and its windows fit the scrape interval', () => {
  for (const [file, dashboard] of dashboards) {
    const annotations = dashboard.annotations.list.map(({ name, expr }) => ({ title: name, targets: [{ expr }] }))
    for (const { title, targets = [] } of [...panelsOf(dashboard), ...annotations])
      for (const { expr = '' } of targets) {
        const where = `${file}: ${title}: ${expr}`
        for (const { metric, matchers } of namesIn(expr).selectors) {
          const choices = OF_THE_CLUSTER.test(metric) ? ['namespace'] : CHOICES
          const asked = matchers.filter(({ value }) => value.startsWith('$'))
          assert.deepEqual(
            asked.map(({ label, operator, value }) => [label, operator, value]),
            choices.map((name) => [name, '=~', `$${name}`]),
            where,
          )
          // What Prometheus, Grafana and others have of themselves is not of ours.
          if (/^(process|nodejs)_|^up$/.test(metric)) assert.match(expr, OURS, where)
        }
        for (const window of expr.match(/\w+\((?:\w+\{[^}]*\})?\[[^\]]*\]/g) ?? [])
          assert.match(window, /^last_over_time.*\[1d\]$|^(?!last_over_time).*\[\$__rate_interval\]$/, where)
      }
  }
})

const OURS = new RegExp(
  `and on \\(namespace, job, instance\\) (last_over_time\\()?posthouse_build_info\\{${FILTER.replaceAll('$', '\\$')}`,
)

test('a figure of the whole cluster is taken once, though for a moment two admin nodes may export it', () => {
  let some = 0
  for (const [file, dashboard] of dashboards)
    for (const { title, targets = [] } of panelsOf(dashboard))
      for (const { expr } of targets)
        for (const { index, 0: metric } of expr.matchAll(/\bposthouse_(queue|nats)_\w+/g)) {
          if (!OF_THE_CLUSTER.test(metric)) continue
          some++
          assert.match(expr.slice(0, index), /\bmax by \([\w, ]+\) \($/, `${file}: ${title}: ${expr}`)
        }
  assert.notEqual(some, 0)
})

test('every metric of the tables is shown somewhere', async () => {
  const shown = [...dashboards.values()].flatMap((dashboard) =>
    panelsOf(dashboard).flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => namesIn(expr).selectors)),
  )
  const names = new Set(shown.map(({ metric }) => metric.replace(/_(bucket|sum|count)$/, '')))
  const missing = [...(await metricsTables()).values()]
    .flatMap((table) => Object.values(table))
    .map(({ name }) => name)
    .filter((name) => !names.has(name))
  assert.deepEqual(missing, [], 'no panel of deploy/grafana/source shows them')
})

test('a message in the time to the 250 leads to its trace', () => {
  const withExemplars = [...dashboards].flatMap(([file, dashboard]) =>
    panelsOf(dashboard)
      // Asked more than once they would be drawn more than once.
      .filter(({ targets = [] }) => targets.filter(({ exemplar }) => exemplar === true).length === 1)
      .map(({ title }) => `${file}: ${title}`),
  )
  assert.deepEqual(withExemplars, ['edge.json: Time to the 250', 'overview.json: Time to the 250'])
})

test('each dashboard leads to all others, and its panels to ones that are there', () => {
  const addresses = [...dashboards.values()].map(({ uid }) => `/d/${uid}`)
  let some = 0
  for (const [file, dashboard] of dashboards) {
    assert.deepEqual(
      dashboard.links.map(({ url }) => url).toSorted(),
      addresses.filter((address) => address !== `/d/${dashboard.uid}`).toSorted(),
      file,
    )
    for (const { includeVars, keepTime } of dashboard.links) assert.deepEqual([includeVars, keepTime], [true, true])
    for (const { title, links } of panelsOf(dashboard))
      for (const { url } of links) {
        const [address = '', ...parameters] = url.split(/[?&]/)
        assert.ok(addresses.includes(address), `${file}: ${title}: ${url}`)
        assert.notEqual(address, `/d/${dashboard.uid}`, `${file}: ${title}`)
        assert.deepEqual(parameters, ['${__url_time_range}', '${__all_variables}'], `${file}: ${title}`)
        some++
      }
  }
  assert.notEqual(some, 0)
})

test('no panel lies on another or beside the page', () => {
  for (const [file, { panels }] of dashboards)
    for (const [index, panel] of panels.entries()) {
      const { x, y, w, h } = panel.gridPos
      assert.ok(x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= 24, `${file}: ${panel.title}`)
      for (const other of panels.slice(index + 1)) assert.ok(!overlap(panel, other), `${panel.title}, ${other.title}`)
    }
})

test('the overview is one screen', () => {
  const { panels = [] } = dashboards.get('overview.json') ?? {}
  assert.deepEqual(
    panels.filter(({ type }) => type === 'row').map(({ title }) => title),
    ['Is mail flowing?', 'Is anything waiting too long?', 'Is a node or server missing?', 'Who is refused, and why?'],
  )
  assert.ok(Math.max(...panels.map(({ gridPos: { y, h } }) => y + h)) <= SCREEN)
})

function overlap({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean {
  const apart = (one: Place, two: Place) => one.x + one.w <= two.x || one.y + one.h <= two.y
  return !apart(a, b) && !apart(b, a)
}
