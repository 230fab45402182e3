// Writes what is generated: docs/settings.md and docs/metrics.md, from the tables of the services that are there,
// docs/nats.md, from what each of them asks of the NATS servers, docs/faults.md, from the runs written down in docs/faults.json,
// docs/kubernetes-results.md, from the run on a cluster written down in docs/kubernetes.json,
// the dashboards in deploy/grafana, from deploy/grafana/source,
// and of the chart in helm/posthouse the schema of its values and their table in its README.md, from values.yaml, and what it
// carries in files/. `check` compares instead of writing.
//
//   node deploy/check/generate.ts
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { format, resolveConfig } from 'prettier'
import { metricsMarkdown } from '@posthouse/runtime/metrics/markdown'
import type { MetricsTable } from '@posthouse/runtime/metrics/table'
import { settingsMarkdown } from '@posthouse/runtime/settings/markdown'
import type { SettingsTable } from '@posthouse/runtime/settings/table'
import { readValues } from '../chart/values-document.ts'
import { chartCopies, copiedFolders, natsPermissionsFile, natsPermissionsYaml } from '../chart/values-files.ts'
import { readmeMarkdown } from '../chart/values-readme.ts'
import { valuesSchema } from '../chart/values-schema.ts'
import { resultsDocument } from '../e2e/report/document.ts'
import type { RunResult } from '../e2e/result.ts'
import { dashboardFiles } from '../grafana/source/dashboards.ts'
import { natsMarkdown } from './nats-document.ts'

export const root = join(import.meta.dirname, '../..')

const DASHBOARDS = 'deploy/grafana'

/** Every generated file, by its path in the tree. Throws when values.yaml is not as it has to be. */
export async function generate(): Promise<ReadonlyMap<string, string>> {
  const settings = await settingsTables()
  const metrics = await metricsTables()
  const faults = await faultsMarkdown(join(root, 'docs/faults.json'))
  const files = new Map<string, string>()
  for (const [path, text] of [
    ['docs/settings.md', settingsMarkdown(settings)],
    ['docs/metrics.md', metricsMarkdown(metrics)],
    ['docs/nats.md', natsMarkdown()],
    ...(faults === undefined ? [] : [['docs/faults.md', faults] as const]),
    ...chartDocuments(settings),
    ...kubernetesResults(join(root, 'docs/kubernetes.json')),
    ...[...dashboardFiles()].map(([name, text]) => [`${DASHBOARDS}/${name}`, text] as const),
  ] as const) {
    const options = await resolveConfig(join(root, path))
    files.set(path, await format(text, { ...options, filepath: path }))
  }
  return new Map([...files, ...chartCopies(root, dashboardsIn(files))])
}

/** By the file's name. */
function dashboardsIn(files: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map(
    [...files].filter(([path]) => dirname(path) === DASHBOARDS).map(([path, text]) => [basename(path), text]),
  )
}

/** Those of the files that stand otherwise in the folder, or not at all, and those that nothing makes any more. */
export function outOfDate(files: ReadonlyMap<string, string>, folder: string): string[] {
  const stale: string[] = []
  for (const [path, text] of files) {
    const file = join(folder, path)
    if (!existsSync(file)) stale.push(`${path} is missing`)
    else if (readFileSync(file, 'utf8') !== text) stale.push(`${path} is not what it is made from`)
  }
  return [...stale, ...leftOver(files, folder).map((path) => `${path} is made from nothing`)]
}

function leftOver(files: ReadonlyMap<string, string>, folder: string): string[] {
  return [DASHBOARDS, ...copiedFolders]
    .filter((made) => existsSync(join(folder, made)))
    .flatMap((made) => readdirSync(join(folder, made)).map((name) => `${made}/${name}`))
    .filter((path) => path.endsWith('.json') && !files.has(path))
}

function chartDocuments(
  settings: ReadonlyMap<string, SettingsTable>,
): readonly (readonly [path: string, text: string])[] {
  const chart = 'helm/posthouse'
  const read = (name: string) => readFileSync(join(root, chart, name), 'utf8')
  const { values, complaints } = readValues(read('values.yaml'), `${chart}/values.yaml`)
  if (complaints.length > 0) throw new Error(complaints.join('\n'))
  return [
    [`${chart}/values.schema.json`, JSON.stringify(valuesSchema(values, settings))],
    [`${chart}/README.md`, readmeMarkdown(read('README.md'), values)],
    [natsPermissionsFile, natsPermissionsYaml()],
  ]
}

/** None until a run on a cluster has been written down. */
function kubernetesResults(data: string): [path: string, text: string][] {
  if (!existsSync(data)) return []
  return [['docs/kubernetes-results.md', resultsDocument(JSON.parse(readFileSync(data, 'utf8')) as RunResult)]]
}

/** Undefined until a run of the faults has been written down. */
async function faultsMarkdown(data: string): Promise<string | undefined> {
  if (!existsSync(data)) return undefined
  const module = (await import(pathToFileURL(join(root, 'loadtest/faults/report/document.ts')).href)) as {
    faultsDocument(data: unknown): string
  }
  return module.faultsDocument(JSON.parse(readFileSync(data, 'utf8')))
}

/** The settings of each service that has any, by its name. */
export function settingsTables(): Promise<ReadonlyMap<string, SettingsTable>> {
  return tables<SettingsTable>('settings.ts', 'settingsTable')
}

/** The metrics of each service that has any, by its name. */
export function metricsTables(): Promise<ReadonlyMap<string, MetricsTable>> {
  return tables<MetricsTable>('metrics.ts', 'metricsTable')
}

async function tables<T>(file: string, name: string): Promise<ReadonlyMap<string, T>> {
  const found = new Map<string, T>()
  for (const service of readdirSync(join(root, 'services')).sort()) {
    const path = join(root, 'services', service, file)
    if (!existsSync(path)) continue
    const module = (await import(pathToFileURL(path).href)) as Readonly<Record<string, T | undefined>>
    const table = module[name]
    if (table === undefined) throw new Error(`services/${service}/${file} does not export ${name}`)
    found.set(service, table)
  }
  return found
}

if (import.meta.main) {
  const files = await generate()
  for (const [path, text] of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
    process.stdout.write(`${path}\n`)
  }
  for (const path of leftOver(files, root)) {
    rmSync(join(root, path))
    process.stdout.write(`${path} removed\n`)
  }
}
