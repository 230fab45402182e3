// Settings are one table per service: a row says what a value is, its range, its default and one line of help. The type of
// the loaded settings object follows from the table, and so do the loader's messages, `--help`, `--print-settings` and
// docs/settings.md. Keys are YAML paths ("limits.messageSize"); the object is nested (`settings.limits.messageSize`).
import { environmentName } from './names.ts'
import type { Format } from './formats.ts'

interface Row<Default> {
  /** One line: what the value does, and when to change it. */
  readonly help: string
  /** Used when nothing is said. Without a default (and without `optional`) the setting is required. */
  readonly default?: Default
  /** May be left out: the value is then undefined. */
  readonly optional?: true
}

export interface StringRow extends Row<string> {
  readonly type: 'string'
  /** A named form, checked and shown in messages; 'path' is resolved against the folder of the settings file. */
  readonly format?: Format
}
export interface IntegerRow extends Row<number> {
  readonly type: 'integer'
  readonly min?: number
  readonly max?: number
  /** What is counted ("messages", "partitions"): shown in messages and docs. */
  readonly unit?: string
}
/** Written "250ms", "10s", "5m", "1h30m", "5d"; the value is in milliseconds. */
export interface DurationRow extends Row<string> {
  readonly type: 'duration'
  readonly min?: string
  readonly max?: string
}
/** Written "512B", "64KiB", "64MiB", "10GiB"; the value is in bytes. */
export interface BytesRow extends Row<string> {
  readonly type: 'bytes'
  readonly min?: string
  readonly max?: string
}
export interface BooleanRow extends Row<boolean> {
  readonly type: 'boolean'
}
export interface EnumRow extends Row<string> {
  readonly type: 'enum'
  readonly values: readonly string[]
}
/** A list of strings, each of one form; in the environment separated by commas. */
export interface ListRow extends Row<readonly string[]> {
  readonly type: 'list'
  readonly format?: Format
  readonly min?: number
  readonly max?: number
}
/** A list of objects, each with a table of its own; in the environment as YAML or JSON. */
export interface ObjectsRow extends Row<readonly Readonly<Record<string, unknown>>[]> {
  readonly type: 'objects'
  readonly item: SettingsTable
  readonly min?: number
  readonly max?: number
}
/** Never in the settings file itself: `<path>File` names a file that holds it, or the environment does. */
export interface SecretRow {
  readonly type: 'secret'
  readonly help: string
  readonly optional?: true
}

export type SettingRow =
  StringRow | IntegerRow | DurationRow | BytesRow | BooleanRow | EnumRow | ListRow | ObjectsRow | SecretRow

export interface SettingsTable {
  readonly [path: string]: SettingRow
}

type Bare<R> = R extends { type: 'integer' | 'duration' | 'bytes' }
  ? number
  : R extends { type: 'boolean' }
    ? boolean
    : R extends { type: 'enum'; values: readonly (infer V)[] }
      ? V
      : R extends { type: 'list' }
        ? readonly string[]
        : R extends { type: 'objects'; item: infer T extends SettingsTable }
          ? readonly Settings<T>[]
          : string

type Value<R> = R extends { optional: true } ? Bare<R> | undefined : Bare<R>

type Head<P> = P extends `${infer H}.${string}` ? H : P
type Tail<P, H extends string> = P extends `${H}.${infer R}` ? R : never

/** The settings object that a table describes. */
export type Settings<T> = {
  readonly [H in Head<keyof T & string> & string]: H extends keyof T
    ? Value<T[H]>
    : Settings<{ [R in Tail<keyof T & string, H>]: T[`${H}.${R}` & keyof T] }>
}

/** Returns the table as it is, with its literal types. Throws when a row contradicts another one: that is a bug. */
export function defineSettings<const T extends SettingsTable>(table: T): T {
  const variables = new Map<string, string>()
  for (const [path, row] of Object.entries(table)) {
    if (!/^[a-z][A-Za-z0-9]*(\.[a-z][A-Za-z0-9]*)*$/.test(path)) throw new Error(`${path}: not a path of settings`)
    for (const other of Object.keys(table))
      if (other.startsWith(`${path}.`)) throw new Error(`${path}: is both a value and the parent of ${other}`)
    const names = row.type === 'secret' ? [path, `${path}File`] : [path]
    for (const name of names) {
      const variable = environmentName(name)
      const taken = variables.get(variable)
      if (taken !== undefined) throw new Error(`${name} and ${taken} share the variable ${variable}`)
      variables.set(variable, name)
    }
  }
  return table
}
