// A dashboard in Grafana's JSON model, of the version that Grafana 10 writes and later ones read.
import { CHOICES, chosen } from './choice.ts'
import { SOURCE, panelJson, uidOf } from './panel-json.ts'
import type { Dashboard, Line } from './panel.ts'

const WIDTH = 24
/** Which choices narrow which. */
const BUILD = 'posthouse_build_info'

/** Links lead from each to all others, in this order. Throws when panels of a line cannot be of one width. */
export function grafanaJson(dashboard: Dashboard, all: readonly Dashboard[]): object {
  return {
    id: null,
    uid: uidOf(dashboard.file),
    title: `Posthouse / ${dashboard.title}`,
    description: dashboard.description,
    tags: ['posthouse', 'smtp', 'mail'],
    schemaVersion: 38,
    version: 1,
    editable: true,
    // A line at the same time in all panels.
    graphTooltip: 1,
    fiscalYearStartMonth: 0,
    liveNow: false,
    timezone: '',
    time: { from: 'now-1h', to: 'now' },
    timepicker: {},
    refresh: '30s',
    weekStart: '',
    links: all.filter(({ file }) => file !== dashboard.file).map(linkTo),
    annotations: { list: [GRAFANA_ANNOTATIONS, ALERTS, STARTS] },
    templating: { list: [DATASOURCE, ...CHOICES.map(variable)] },
    panels: laidOut(dashboard, all),
  }
}

function linkTo({ file, title }: Dashboard): object {
  return {
    type: 'link',
    icon: 'dashboard',
    title,
    tooltip: '',
    url: `/d/${uidOf(file)}`,
    tags: [],
    asDropdown: false,
    targetBlank: false,
    includeVars: true,
    keepTime: true,
  }
}

const GRAFANA_ANNOTATIONS = {
  builtIn: 1,
  datasource: { type: 'grafana', uid: '-- Grafana --' },
  enable: true,
  hide: true,
  iconColor: 'rgba(0, 211, 255, 1)',
  name: 'Annotations & Alerts',
  type: 'dashboard',
}

const ALERTS = {
  name: 'Alerts',
  datasource: SOURCE,
  enable: true,
  hide: false,
  iconColor: 'red',
  expr: chosen('ALERTS{alertname=~"Posthouse.+",alertstate="firing"}'),
  step: '60s',
  titleFormat: '{{alertname}}',
  textFormat: '{{pod}} {{instance}}',
  tagKeys: 'severity',
}

const STARTS = {
  name: 'Starts',
  datasource: SOURCE,
  enable: true,
  hide: false,
  iconColor: 'blue',
  // Its value is the time, in milliseconds.
  expr: chosen(`process_start_time_seconds * 1000 and on (namespace, job, instance) ${BUILD}`),
  useValueForTime: true,
  step: '60s',
  titleFormat: 'started',
  textFormat: '{{pod}} {{instance}}',
  tagKeys: 'job',
}

const DATASOURCE = {
  name: 'datasource',
  label: 'Data source',
  type: 'datasource',
  query: 'prometheus',
  regex: '',
  refresh: 1,
  multi: false,
  includeAll: false,
  current: {},
  options: [],
  hide: 0,
  skipUrlSync: false,
}

/** Offers what is left of the choices before it. "All" also finds series without the label. */
function variable(name: string, index: number): object {
  const before = CHOICES.slice(0, index).map((one) => `${one}=~"$${one}"`)
  const query = `label_values(${BUILD}${before.length === 0 ? '' : `{${before.join(',')}}`}, ${name})`
  return {
    name,
    label: `${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    type: 'query',
    datasource: SOURCE,
    definition: query,
    query: { query, refId: name },
    refresh: 2,
    sort: 1,
    regex: '',
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { selected: true, text: ['All'], value: ['$__all'] },
    hide: 0,
    skipUrlSync: false,
  }
}

/** Rows from top to bottom, numbered as they come. */
function laidOut({ rows }: Dashboard, all: readonly Dashboard[]): object[] {
  const panels: object[] = []
  let y = 0
  for (const { title, lines } of rows) {
    const gridPos = { h: 1, w: WIDTH, x: 0, y: y++ }
    panels.push({ id: panels.length + 1, type: 'row', title, collapsed: false, gridPos, panels: [] })
    for (const line of lines) {
      const width = widthIn(line)
      for (const [index, panel] of line.panels.entries()) {
        const place = { h: line.height, w: width, x: index * width, y }
        panels.push(panelJson(panel, panels.length + 1, place, all))
      }
      y += line.height
    }
  }
  return panels
}

function widthIn({ panels }: Line): number {
  if (WIDTH % panels.length !== 0) throw new Error(`${panels.length} panels cannot be of one width`)
  return WIDTH / panels.length
}
