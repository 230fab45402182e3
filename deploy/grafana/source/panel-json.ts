// One panel in Grafana's JSON model.
import { chosen } from './choice.ts'
import type { Dashboard, Panel, Stat, Unit } from './panel.ts'

/** Whatever is chosen above the dashboard. */
export const SOURCE = { type: 'prometheus', uid: '${datasource}' }

export const uidOf = (file: string): string => `posthouse-${file}`

/** Throws when it says that an unknown dashboard says more. */
export function panelJson(panel: Panel, id: number, gridPos: object, all: readonly Dashboard[]): object {
  const more = all.filter(({ file }) => file === panel.more)
  if (panel.more !== undefined && more.length === 0) throw new Error(`${panel.title}: no dashboard ${panel.more}`)
  return {
    id,
    type: GRAFANA_TYPE[panel.type],
    title: panel.title,
    description: panel.description,
    datasource: SOURCE,
    gridPos,
    links: more.map(({ file, title }) => ({
      title,
      url: `/d/${uidOf(file)}?\${__url_time_range}&\${__all_variables}`,
      targetBlank: false,
    })),
    ...looks(panel),
    targets: Object.entries(panel.queries).map(([legendFormat, query], index, { length }) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + index),
      datasource: SOURCE,
      editorMode: 'code',
      expr: chosen(query),
      legendFormat,
      ...(panel.type === 'graph' || panel.type === 'states' ? { range: true } : { instant: true }),
      ...(panel.type === 'table' || panel.type === 'bars' ? { format: 'table' } : {}),
      // Asked once for the metric, not once for each line about it.
      ...(panel.type === 'graph' && panel.exemplars && index === length - 1 ? { exemplar: true } : {}),
    })),
  }
}

const GRAFANA_TYPE = {
  graph: 'timeseries',
  stat: 'stat',
  bars: 'bargauge',
  states: 'state-timeline',
  table: 'table',
} as const

const LEGEND = { calcs: [], displayMode: 'list', placement: 'bottom', showLegend: true }
const TOOLTIP = { mode: 'multi', sort: 'desc' }
const LAST = { calcs: ['lastNotNull'], fields: '', values: false }

/** What differs between the kinds of panels: options, and how a field is drawn. */
function looks(panel: Panel): object {
  const unit = unitOf(panel.unit)
  switch (panel.type) {
    case 'graph': {
      const { max, stacked, warn, act } = panel
      const custom = {
        fillOpacity: stacked ? 30 : 10,
        lineWidth: 1,
        showPoints: 'never',
        ...(stacked ? { stacking: { mode: 'normal', group: 'A' } } : {}),
        ...(warn === undefined && act === undefined ? {} : { thresholdsStyle: { mode: 'dashed' } }),
      }
      const color = { mode: 'palette-classic' }
      const range = { min: 0, ...(max === undefined ? {} : { max }) }
      return {
        options: { legend: LEGEND, tooltip: TOOLTIP },
        fieldConfig: { defaults: { unit, color, ...range, thresholds: above(panel), custom }, overrides: [] },
      }
    }
    case 'stat':
      return {
        options: { colorMode: 'value', graphMode: 'none', justifyMode: 'center', reduceOptions: LAST },
        fieldConfig: {
          // Without an admin node nobody knows the figures of the cluster, and that is not a zero.
          defaults: { unit, noValue: 'unknown', color: { mode: 'thresholds' }, thresholds: above(panel) },
          overrides: [],
        },
      }
    case 'bars':
      return {
        // One table, so that it can be sorted: a bar for each of its rows.
        options: {
          displayMode: 'basic',
          orientation: 'horizontal',
          showUnfilled: true,
          reduceOptions: { ...LAST, fields: '/^Value$/', values: true },
        },
        fieldConfig: {
          defaults: { unit, min: 0, noValue: 'none', color: { mode: 'thresholds' }, thresholds: above(panel) },
          overrides: [],
        },
        transformations: [{ id: 'sortBy', options: { sort: [{ field: 'Value', desc: true }] } }],
      }
    case 'states': {
      const [zero, one] = panel.words
      const options = { 0: { text: zero, color: 'red', index: 0 }, 1: { text: one, color: 'green', index: 1 } }
      return {
        options: {
          showValue: 'never',
          mergeValues: true,
          rowHeight: 0.9,
          legend: LEGEND,
          tooltip: { mode: 'single', sort: 'none' },
        },
        fieldConfig: {
          defaults: {
            unit,
            color: { mode: 'thresholds' },
            thresholds: steps('red', [['green', 1]]),
            mappings: [{ type: 'value', options }],
            custom: { fillOpacity: 80, lineWidth: 0 },
          },
          overrides: [],
        },
      }
    }
    case 'table':
      return {
        options: { showHeader: true },
        transformations: [
          {
            id: 'organize',
            options: { excludeByName: { Time: true }, indexByName: {}, renameByName: panel.headings },
          },
        ],
        fieldConfig: { defaults: { unit }, overrides: [] },
      }
  }
}

function unitOf(unit: Unit): string {
  return unit === '/s' ? 'suffix: /s' : unit
}

function above({ warn, act, atLeast }: Pick<Stat, 'warn' | 'act' | 'atLeast'>): object {
  if (atLeast !== undefined) return steps('red', [['green', atLeast]])
  return steps('green', [
    ['orange', warn],
    ['red', act],
  ])
}

function steps(first: string, further: readonly (readonly [color: string, value: number | undefined])[]): object {
  return {
    mode: 'absolute',
    steps: [
      { color: first, value: null },
      ...further.flatMap(([color, value]) => (value === undefined ? [] : [{ color, value }])),
    ],
  }
}
