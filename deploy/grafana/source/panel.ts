// What a panel shows, in the words of this project; grafana-json.ts says it in Grafana's.

/** As Grafana names them; `/s`: so many of what the title says. */
export type Unit = 'none' | '/s' | 's' | 'd' | 'bytes' | 'Bps' | 'percentunit'

interface Text {
  /** Not twice in one dashboard. */
  readonly title: string
  /** What it shows, and a sentence with "Act when" or "Act on". */
  readonly description: string
  readonly unit: Unit
  /** PromQL by the name that its series get, which may hold {{labels}}. The choice above the dashboard is put into each metric. */
  readonly queries: Readonly<Record<string, string>>
  /** The dashboard that says more, by its file. */
  readonly more?: string
}

interface Limits {
  /** From here on orange, and red. */
  readonly warn?: number
  readonly act?: number
}

/** Lines over time, with the limits as dashed lines. */
export interface Graph extends Text, Limits {
  readonly type: 'graph'
  readonly max?: number
  readonly stacked?: true
  /** Dots for single messages, which lead to their traces. */
  readonly exemplars?: true
}

/** Numbers of now. */
export interface Stat extends Text, Limits {
  readonly type: 'stat'
  /** Below it red, in place of the limits above. */
  readonly atLeast?: number
}

/** Numbers of now side by side, the largest first. */
export interface Bars extends Text, Limits {
  readonly type: 'bars'
}

/** 1 and 0 over time, in green and red. */
export interface States extends Text {
  readonly type: 'states'
  /** What 0 and 1 mean. */
  readonly words: readonly [zero: string, one: string]
}

/** The labels of what is there now. */
export interface Table extends Text {
  readonly type: 'table'
  /** Other headings than the labels; Value is the number. */
  readonly headings: Readonly<Record<string, string>>
}

export type Panel = Graph | Stat | Bars | States | Table
type Fields<P> = Omit<P, 'type'>

export const graph = (fields: Fields<Graph>): Graph => ({ type: 'graph', ...fields })
export const stat = (fields: Fields<Stat>): Stat => ({ type: 'stat', ...fields })
export const bars = (fields: Fields<Bars>): Bars => ({ type: 'bars', ...fields })
export const states = (fields: Fields<States>): States => ({ type: 'states', ...fields })
export const table = (fields: Fields<Table>): Table => ({ type: 'table', ...fields })

/** Panels side by side, of equal width. */
export interface Line {
  /** In Grafana's units of about 38 pixels. */
  readonly height: number
  readonly panels: readonly Panel[]
}

export const line = (height: number, ...panels: Panel[]): Line => ({ height, panels })

export interface Row {
  readonly title: string
  readonly lines: readonly Line[]
}

export const row = (title: string, ...lines: Line[]): Row => ({ title, lines })

export interface Dashboard {
  /** Also its address: posthouse-<file>. */
  readonly file: string
  readonly title: string
  readonly description: string
  readonly rows: readonly Row[]
}

/** Half of a histogram is below the first, 99 of 100 are below the second. */
export function times(histogram: string): Readonly<Record<string, string>> {
  const below = (part: number) =>
    `histogram_quantile(${part}, sum by (le) (rate(${histogram}_bucket[$__rate_interval])))`
  return { 'half of them': below(0.5), '99 of 100': below(0.99) }
}

/** The series that are not zero; one named "none" when all are, so that a panel that is fine is not an empty one. */
export function notZero(query: string, label: string): string {
  return `(${query} > 0) or on () label_replace(vector(0), "${label}", "none", "", "")`
}

/** For the names of series, one for each node: under Kubernetes a pod. */
export const NODE = '{{pod}} {{instance}}'
