// Writes what is generated: docs/settings.md and docs/metrics.md, from the tables of the services that are there,
// docs/nats.md, from what each of them asks of the NATS servers, and docs/faults.md, from the runs written down in docs/faults.json. `check` compares instead of writing.
//
//   node deploy/check/generate.ts
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { format, resolveConfig } from 'prettier'
import { metricsMarkdown } from '@posthouse/runtime/metrics/markdown'
import type { MetricsTable } from '@posthouse/runtime/metrics/table'
import { settingsMarkdown } from '@posthouse/runtime/settings/markdown'
import type { SettingsTable } from '@posthouse/runtime/settings/table'
import { natsMarkdown } from './nats-document.ts'

export const root = join(import.meta.dirname, '../..')

/** Every generated file, by its path in the tree. */
export async function generate(): Promise<ReadonlyMap<string, string>> {
  const settings = await tables<SettingsTable>('settings.ts', 'settingsTable')
  const metrics = await tables<MetricsTable>('metrics.ts', 'metricsTable')
  const faults = await faultsMarkdown(join(root, 'docs/faults.json'))
  const files = new Map<string, string>()
  for (const [path, text] of [
    ['docs/settings.md', settingsMarkdown(settings)],
    ['docs/metrics.md', metricsMarkdown(metrics)],
    ['docs/nats.md', natsMarkdown()],
    ...(faults === undefined ? [] : [['docs/faults.md', faults] as const]),
  ] as const) {
    const options = await resolveConfig(join(root, path))
    files.set(path, await format(text, { ...options, filepath: path }))
  }
  return files
}

/** Those of the files that stand otherwise in the folder, or not at all. */
export function outOfDate(files: ReadonlyMap<string, string>, folder: string): string[] {
  const stale: string[] = []
  for (const [path, text] of files) {
    const file = join(folder, path)
    if (!existsSync(file)) stale.push(`${path} is missing`)
    else if (readFileSync(file, 'utf8') !== text) stale.push(`${path} is not what the tables say`)
  }
  return stale
}

/** Undefined until a run of the faults has been written down. */
async function faultsMarkdown(data: string): Promise<string | undefined> {
  if (!existsSync(data)) return undefined
  const module = (await import(pathToFileURL(join(root, 'loadtest/faults/report/document.ts')).href)) as {
    faultsDocument(data: unknown): string
  }
  return module.faultsDocument(JSON.parse(readFileSync(data, 'utf8')))
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

if (import.meta.main)
  for (const [path, text] of await generate()) {
    writeFileSync(join(root, path), text)
    process.stdout.write(`${path}\n`)
  }
