// deploy/compose.yaml as Compose sees it: merged, with the variables put in, and every short form written out.
import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'

export const COMPOSE_FILE = join(import.meta.dirname, '../../compose.yaml')

export interface Mount {
  /** Absolute, of the machine; or the name of a volume. */
  readonly source: string
  /** Absolute, of the container. */
  readonly target: string
  readonly kind: 'config' | 'secret' | 'bind' | 'volume'
  readonly writable: boolean
}

export interface Service {
  readonly name: string
  readonly image: string
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly networks: readonly string[]
  readonly mounts: readonly Mount[]
  /** As it stands in the file. */
  readonly raw: Readonly<Record<string, unknown>>
}

type Value = Record<string, unknown>

export interface ComposeFile {
  readonly services: ReadonlyMap<string, Service>
  readonly raw: Value
}

export function readCompose(file: string, variables: Readonly<Record<string, string>>): ComposeFile {
  const text = readFileSync(file, 'utf8').replaceAll(
    /\$\{(\w+)(?::([-?])([^}]*))?\}/g,
    (_, name: string, sign, other) => {
      const value = variables[name] ?? (sign === '-' ? (other as string) : undefined)
      if (value === undefined) throw new Error(`${name}: ${String(other)}`)
      return value
    },
  )
  const raw = parse(text, { merge: true }) as Value
  const folder = dirname(file)
  const services = Object.entries(raw['services'] as Record<string, Value>).map(
    ([name, service]): [string, Service] => [
      name,
      {
        name,
        image: String(service['image']),
        command: (service['command'] as string[] | undefined) ?? [],
        environment: (service['environment'] as Record<string, string> | undefined) ?? {},
        networks: namesOf(service['networks']),
        mounts: [
          ...granted(raw, service, 'configs', folder),
          ...granted(raw, service, 'secrets', folder),
          ...((service['volumes'] as (string | Value)[] | undefined) ?? []).map((volume) => mountOf(volume, folder)),
        ],
        raw: service,
      },
    ],
  )
  return { services: new Map(services), raw }
}

function namesOf(value: unknown): string[] {
  return Array.isArray(value) ? (value as string[]) : Object.keys(value ?? {})
}

function granted(raw: Value, service: Value, section: 'configs' | 'secrets', folder: string): Mount[] {
  const defined = (raw[section] ?? {}) as Record<string, { file: string } | undefined>
  return ((service[section] as (string | { source: string; target?: string })[] | undefined) ?? []).map((grant) => {
    const name = typeof grant === 'string' ? grant : grant.source
    const definition = defined[name]
    if (definition === undefined) throw new Error(`${section}: ${name} is defined nowhere`)
    const usual = section === 'secrets' ? `/run/secrets/${name}` : `/${name}`
    return {
      source: resolve(folder, definition.file),
      target: (typeof grant === 'string' ? undefined : grant.target) ?? usual,
      kind: section === 'secrets' ? 'secret' : 'config',
      writable: false,
    }
  })
}

function mountOf(volume: string | Value, folder: string): Mount {
  if (typeof volume === 'string') {
    const [source = '', target = '', mode] = volume.split(':')
    const kind = /^[./~]/.test(source) ? 'bind' : 'volume'
    return { source: kind === 'bind' ? resolve(folder, source) : source, target, kind, writable: mode !== 'ro' }
  }
  const { type, source, target, read_only } = volume as {
    type: string
    source: string
    target: string
    read_only?: boolean
  }
  if (type !== 'bind') throw new Error(`a volume of type ${type} is not understood here`)
  return { source: resolve(folder, source), target, kind: 'bind', writable: read_only !== true }
}
