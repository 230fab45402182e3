// Acceptances and deliveries per second over time, with the faults marked: an SVG for a page about 850 pixels wide. The same
// run gives the same bytes.

import { LineChart } from 'echarts/charts'
import {
  GraphicComponent,
  GridComponent,
  LegendComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TitleComponent,
} from 'echarts/components'
import { init, use, type EChartsCoreOption } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import type { Mark } from '../fault.ts'
import type { Timeline } from '../result.ts'
import { placeLabels, shorten, type Label } from './labels.ts'
import { spansOf, type Span } from './spans.ts'

use([
  LineChart,
  GraphicComponent,
  GridComponent,
  LegendComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TitleComponent,
  SVGRenderer,
])

export interface PlotOptions {
  readonly title: string
  /** Whole seconds without an acceptance that last this long are marked; null = none are. */
  readonly barMs: number | null
}

const WIDTH = 850
const PLOT = { left: 66, right: WIDTH - 24, height: 230 }
const ROW = 16
/** Width of an average letter of 12 pixels: nothing here can measure a font. */
const LETTER = 6.3
/** More faults than this are numbered, and told in a list below. */
const NAMED = 6
const COLUMNS = 2

const INK = '#24292f'
const GREY = '#57606a'
const ACCEPTED = '#0969da'
const DELIVERED = '#e16f24'
const FAULT = '#8250df'
const FAULT_SHADE = 'rgba(130, 80, 223, 0.10)'
const DASHES = [4, 3]
const PAUSE_SHADE = 'rgba(207, 34, 46, 0.30)'
/** No name in quotes: the renderer puts it into an attribute as it is. */
const FONT = 'system-ui, -apple-system, Helvetica, Arial, sans-serif'

export function plot(timeline: Timeline, marks: readonly Mark[], options: PlotOptions): string {
  const seconds = Math.max(timeline.accepted.length, timeline.delivered.length, 1)
  const spans = spansOf(marks).map((span) => relative(span, timeline.startedAt, seconds))
  const accepted = whileSent(timeline.accepted, spans)
  const numbered = spans.length > NAMED
  const names = spans.map((span, index) => (numbered ? String(index + 1) : shorten(span.text, 40)))
  const labels = placeLabels(
    spans.map((span, index) => ({ x: xOf(span.from, seconds), width: widthOf(names[index] ?? '') + 12 })),
    PLOT.right,
  )
  const pauses = pausesOf(accepted, options.barMs)
  const rows = Math.max(0, ...labels.map((label) => label.row + 1))
  const top = 62 + rows * ROW
  const bottom = top + PLOT.height
  const list = numbered ? listOf(spans, bottom + 58) : []
  const height = bottom + 52 + Math.ceil(list.length / COLUMNS) * ROW + (numbered ? 8 : 0)
  const option: EChartsCoreOption = {
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: FONT, color: INK },
    title: { text: options.title, left: PLOT.left - 5, top: 6, textStyle: { fontSize: 15, color: INK } },
    legend: {
      left: PLOT.left - 5,
      top: 32,
      icon: 'roundRect',
      itemWidth: 16,
      itemHeight: 4,
      itemGap: 32,
      selectedMode: false,
      textStyle: { color: INK, fontSize: 12 },
    },
    grid: { left: PLOT.left, right: WIDTH - PLOT.right, top, height: PLOT.height, outerBoundsMode: 'none' },
    xAxis: {
      type: 'value',
      min: 0,
      max: seconds,
      name: 'seconds',
      nameLocation: 'middle',
      nameGap: 28,
      nameTextStyle: { color: GREY, fontSize: 12 },
      axisLine: { lineStyle: { color: GREY } },
      axisLabel: { color: GREY, showMaxLabel: false },
      splitLine: { show: false },
    },
    yAxis: {
      type: 'value',
      min: 0,
      name: 'per second',
      nameLocation: 'middle',
      nameGap: 50,
      nameTextStyle: { color: GREY, fontSize: 12 },
      axisLabel: { color: GREY },
      splitLine: { lineStyle: { color: '#e6e8eb' } },
    },
    graphic: [
      keyText(pauses.length > 0),
      ...labels.flatMap((label, index) => labelAt(label, names[index] ?? '', top)),
      ...list,
    ],
    series: [
      line('accepted (messages)', ACCEPTED, accepted, {
        markArea: areas([
          ...spans.flatMap(({ from, to }) => (to === null ? [] : [{ from, to, color: FAULT_SHADE }])),
          ...pauses.map((pause) => ({ ...pause, color: PAUSE_SHADE })),
        ]),
        markLine: verticals(spans.map((span) => span.from)),
      }),
      line('delivered (recipients)', DELIVERED, timeline.delivered, {}),
    ],
  }
  return draw(option, height)
}

/** Runs of seconds without any acceptance that last at least this long; before the first one nothing was sent. */
export function pausesOf(accepted: readonly number[], barMs: number | null): { from: number; to: number }[] {
  const pauses: { from: number; to: number }[] = []
  if (barMs === null) return pauses
  let since: number | null = null
  for (const [second, count] of [...accepted, 1].entries()) {
    if (count === 0) continue
    if (since !== null && (second - since) * 1000 >= barMs) pauses.push({ from: since, to: second })
    since = second + 1
  }
  return pauses
}

/** Nothing is sent while the queue drains: there the line ends, but not before the last fault has been healed. */
function whileSent(accepted: readonly number[], spans: readonly Span[]): readonly number[] {
  const faulty = spans.map(({ from, to }) => Math.ceil(to ?? from))
  return accepted.slice(0, Math.max(accepted.findLastIndex((count) => count > 0) + 1, ...faulty))
}

function relative(span: Span, startedAt: number, seconds: number): Span {
  const second = (at: number) => Math.min(seconds, Math.max(0, (at - startedAt) / 1000))
  return { ...span, from: second(span.from), to: span.to === null ? null : second(span.to) }
}

function xOf(second: number, seconds: number): number {
  return PLOT.left + ((PLOT.right - PLOT.left) * second) / seconds
}

function widthOf(text: string): number {
  return text.length * LETTER
}

function line(name: string, color: string, counts: readonly number[], marks: object): object {
  return {
    type: 'line',
    name,
    color,
    symbol: 'none',
    silent: true,
    lineStyle: { width: 1.8, join: 'round' },
    // A count stands for its whole second: its point lies in the middle.
    data: counts.map((count, second) => [second + 0.5, count]),
    ...marks,
  }
}

function areas(spans: readonly { readonly from: number; readonly to: number; readonly color: string }[]): object {
  return {
    silent: true,
    data: spans.map(({ from, to, color }) => [{ xAxis: from, itemStyle: { color } }, { xAxis: to }]),
  }
}

function verticals(seconds: readonly number[]): object {
  return {
    silent: true,
    symbol: 'none',
    label: { show: false },
    lineStyle: { color: FAULT, type: DASHES, width: 1.2 },
    data: seconds.map((second) => ({ xAxis: second })),
  }
}

function keyText(pauses: boolean): object {
  return textAt(PLOT.right, 36, `shaded: a fault${pauses ? '; red: nothing was accepted' : ''}`, GREY, 'right')
}

/** The name of a fault, and the line that leads from it to the plot. */
function labelAt({ x, row, align }: Label, text: string, top: number): object[] {
  const y = top - (row + 1) * ROW
  const aside = align === 'left' ? 4 : -4
  return [
    {
      type: 'line',
      silent: true,
      shape: { x1: x, y1: y, x2: x, y2: top },
      style: { stroke: FAULT, lineWidth: 1.2, lineDash: DASHES },
    },
    textAt(x + aside, y, text, FAULT, align),
  ]
}

function textAt(x: number, y: number, text: string, fill: string, align: 'left' | 'right'): object {
  return { type: 'text', silent: true, x, y, style: { text, fill, fontSize: 12, fontFamily: FONT, align } }
}

function listOf(spans: readonly Span[], top: number): object[] {
  const perColumn = Math.ceil(spans.length / COLUMNS)
  const width = (PLOT.right - PLOT.left) / COLUMNS
  return spans.map((span, index) =>
    textAt(
      PLOT.left + Math.floor(index / perColumn) * width,
      top + (index % perColumn) * ROW,
      shorten(`${index + 1}  at ${Math.round(span.from)} s: ${span.text}`, Math.floor(width / LETTER)),
      INK,
      'left',
    ),
  )
}

function draw(option: EChartsCoreOption, height: number): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height })
  try {
    chart.setOption(option)
    return `${unnumbered(chart.renderToSVGString())}\n`
  } finally {
    chart.dispose()
  }
}

/** The renderer counts its charts, and its styles (which only serve a mouse) over all of them: no drawing may depend on that. */
function unnumbered(svg: string): string {
  return svg
    .replaceAll(/ class="zr\d+-cls-\d+"/g, '')
    .replaceAll(/\s*<style\b[^]*?<\/style>/g, '')
    .replaceAll(/\bzr\d+-/g, 'plot-')
}
