// A secret's value: from its variable, from a file that a variable names, or from a file that the settings file names. Never
// from the settings file itself, and no complaint repeats it.
import { resolve } from 'node:path'
import { show } from './check.ts'
import { firstLine } from './document.ts'
import type { Found } from './document.ts'
import type { SettingsSources } from './load.ts'
import { environmentName } from './names.ts'
import type { SecretRow } from './table.ts'

export function readSecret(
  path: string,
  row: SecretRow,
  found: ReadonlyMap<string, Found>,
  sources: SettingsSources,
  folder: string,
  errors: string[],
): { value: string | undefined; origin: 'file' | 'environment' } | undefined {
  const variable = environmentName(path)
  const direct = sources.environment[variable]
  const fileVariable = sources.environment[`${variable}_FILE`]
  const inFile = found.get(`${path}File`)
  if (direct !== undefined && fileVariable !== undefined) {
    errors.push(`${path}: both ${variable} and ${variable}_FILE are set; set one`)
    return undefined
  }
  if (direct !== undefined) {
    if (direct === '') errors.push(`${path}: is empty (${variable})`)
    return { value: direct, origin: 'environment' }
  }
  const named: unknown = fileVariable ?? inFile?.node?.toJSON()
  const place = fileVariable === undefined ? (inFile?.line ?? '') : ` (${variable}_FILE)`
  if (named === undefined || named === null || named === '') {
    if (row.optional !== true) errors.push(`${path}: is required; name its file in ${path}File or set ${variable}`)
    return undefined
  }
  if (typeof named !== 'string') {
    errors.push(`${path}File: must be a file path, not ${show(named)}${place}`)
    return undefined
  }
  try {
    const value = sources.readFile(fileVariable === undefined ? resolve(folder, named) : named).replace(/\r?\n$/, '')
    if (value === '') errors.push(`${path}File: ${named} is empty${place}`)
    return { value, origin: fileVariable === undefined ? 'file' : 'environment' }
  } catch (error) {
    errors.push(`${path}File: cannot read ${named}: ${firstLine((error as Error).message)}${place}`)
    return undefined
  }
}
