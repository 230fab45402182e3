// The rules of alerts.yaml, as Prometheus reads them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

export const ALERTS_FILE = join(import.meta.dirname, 'alerts.yaml')

export interface Alert {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export interface RulesFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Alert[] }[]
}

/** Throws when there is no such file or it is no YAML; whether Prometheus takes it is promtool's to say. */
export function readRules(file: string = ALERTS_FILE): RulesFile {
  return parse(readFileSync(file, 'utf8')) as RulesFile
}

export function alertsIn({ groups }: RulesFile): Alert[] {
  return groups.flatMap(({ rules }) => rules)
}
