// The dashboards as Grafana has to be able to take them, and as people have to be able to read them. That their queries find something
// is shown in queries.cluster.test.ts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { labelValuesOf, panelsOf, readDashboards, type Panel, type Place } from './dashboard.ts'

const dashboards = readDashboards()
/** What of a series' labels comes from Prometheus: under Kubernetes all four, else only job and instance. */
const CHOICES = ['namespace', 'job', 'pod', 'instance']
const FILTER = CHOICES.map((name) => `${name}=~"$${name}"`).join(',')

test('the overview is found by its fixed name', () => {
  const overview = dashboards.get('overview.json')
  assert.equal(overview?.uid, 'posthouse-overview')
  assert.equal(overview?.title, 'Posthouse / Overview')
})

test('each dashboard is one that Grafana 10 takes anywhere: nothing in it is of one installation', () => {
  const uids = [...dashboards.values()].map(({ uid }) => uid)
  assert.equal(new Set(uids).size, uids.length)
  for (const [file, dashboard] of dashboards) {
    assert.equal(dashboard.id, null, file)
    assert.equal(dashboard.schemaVersion, 38, file)
    assert.match(dashboard.title, /^Posthouse \/ [A-Z]/, file)
    assert.ok(dashboard.tags.includes('posthouse'), file)
    const ids = [...dashboard.panels, ...panelsOf(dashboard)].map(({ id }) => id)
    assert.equal(new Set(ids).size, new Set([...dashboard.panels, ...panelsOf(dashboard)]).size, `${file}: ids`)
    const source = { type: 'prometheus', uid: '${datasource}' }
    for (const panel of panelsOf(dashboard)) {
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
  }
})

test('every panel has a unit, and says what it shows and when to act', () => {
  for (const [file, dashboard] of dashboards) {
    assert.notEqual(panelsOf(dashboard).length, 0, file)
    for (const { title, description = '', fieldConfig, targets = [] } of panelsOf(dashboard)) {
      assert.match(description, /\bAct (when|on)\b[^]*\.$/, `${file}: ${title}`)
      assert.ok(fieldConfig?.defaults.unit, `${file}: ${title}`)
      assert.ok(targets.length > 0, `${file}: ${title}`)
      assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, `${file}: ${title}`)
    }
  }
})

test('every query is about what was chosen, and its windows fit the scrape interval', () => {
  for (const [file, dashboard] of dashboards)
    for (const { title, targets = [] } of panelsOf(dashboard))
      for (const { expr } of targets) {
        const where = `${file}: ${title}: ${expr}`
        for (const selector of expr.match(/\w+\{[^}]*\}/g) ?? []) assert.ok(selector.includes(`{${FILTER}`), where)
        const bare = expr.replaceAll(/\{[^}]*\}/g, '').match(/\b(posthouse|process|nodejs)_\w+(?!\w)/g) ?? []
        assert.equal(bare.length, expr.match(/\b(posthouse|process|nodejs)_\w+\{/g)?.length, where)
        for (const window of expr.match(/\[[^\]]*\]/g) ?? []) assert.equal(window, '[$__rate_interval]', where)
        // What Prometheus, Grafana and others have of themselves is not of ours.
        if (/\b(process|nodejs)_/.test(expr))
          assert.match(expr, /and on \(namespace, job, instance\) posthouse_build_info\{/, where)
      }
})

test('no panel lies on another or beside the page', () => {
  for (const [file, { panels }] of dashboards)
    for (const [index, panel] of panels.entries()) {
      const { x, w } = panel.gridPos
      assert.ok(x >= 0 && x + w <= 24, `${file}: ${panel.title}`)
      for (const other of panels.slice(index + 1)) assert.ok(!overlap(panel, other), `${panel.title}, ${other.title}`)
    }
})

function overlap({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean {
  const apart = (one: Place, two: Place) => one.x + one.w <= two.x || one.y + one.h <= two.y
  return !apart(a, b) && !apart(b, a)
}
