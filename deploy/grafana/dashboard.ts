// The dashboards of this folder as Grafana has them: their panels, variables, and what they ask Prometheus.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

export interface Place {
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
}

export interface Target {
  readonly refId: string
  readonly expr: string
  readonly legendFormat?: string
  readonly exemplar?: boolean
  readonly datasource: Source
}

export interface Source {
  readonly type: string
  readonly uid: string
}

export interface Link {
  readonly title: string
  readonly url: string
}

export interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly gridPos: Place
  readonly datasource?: Source
  readonly links: readonly Link[]
  readonly fieldConfig?: {
    readonly defaults: {
      readonly unit?: string
      readonly thresholds?: { readonly steps: readonly { readonly color: string; readonly value: number | null }[] }
    }
  }
  readonly targets?: readonly Target[]
  /** Of a row that is folded. */
  readonly panels?: readonly Panel[]
}

export interface Variable {
  readonly name: string
  readonly type: string
  readonly query: string | { readonly query: string }
  readonly includeAll?: boolean
  readonly allValue?: string
}

export interface Dashboard {
  readonly id: null
  readonly uid: string
  readonly title: string
  readonly description: string
  readonly tags: readonly string[]
  readonly schemaVersion: number
  readonly refresh: string
  readonly time: { readonly from: string; readonly to: string }
  readonly links: readonly (Link & { readonly includeVars: boolean; readonly keepTime: boolean })[]
  readonly templating: { readonly list: readonly Variable[] }
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr?: string }[] }
  readonly panels: readonly Panel[]
}

/** All dashboards of the folder by their file name. Throws when one is no JSON. */
export function readDashboards(folder: string = import.meta.dirname): ReadonlyMap<string, Dashboard> {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'))
  return new Map(
    names.toSorted().map((name) => [name, JSON.parse(readFileSync(join(folder, name), 'utf8')) as Dashboard]),
  )
}

/** Those that show something: not the rows, but what lies in folded ones. */
export function panelsOf({ panels }: Dashboard): Panel[] {
  return panels.flatMap((panel) => (panel.type === 'row' ? [...(panel.panels ?? [])] : [panel]))
}

/** The query of a variable; undefined when it asks for no labels. */
export function labelValuesOf({
  type,
  query,
}: Variable): { readonly selector: string; readonly label: string } | undefined {
  if (type !== 'query') return undefined
  const text = typeof query === 'string' ? query : query.query
  const [, selector, label] = /^label_values\((.+),\s*(\w+)\)$/.exec(text) ?? []
  return selector === undefined || label === undefined ? undefined : { selector, label }
}
