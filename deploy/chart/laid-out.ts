// A container of a rendering, laid out in a folder of this machine so that what runs in it runs here: its mounts lie below the
// folder at their own paths, filled from the rendered ConfigMaps and Secrets; its variables are resolved as Kubernetes does
// it; and what names another machine or a fixed port is replaced as the caller says. Nothing else is changed.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Container, EnvVar, PodTemplate, Rendering } from './manifest.ts'
import { contentsByName, mountedFiles } from './mounted-files.ts'

const USERS_OWN = 'as-the-user-made-it'

export interface Place {
  readonly folder: string
  /** What the API server knows of the pod, by field: "metadata.name". */
  readonly fields?: Readonly<Record<string, string>>
  /** What stands instead of what, in files, arguments and variables alike; of two that fit in one place the first. */
  readonly instead?: readonly (readonly [what: string | RegExp, by: string])[]
  /** What is under a key of a Secret that the user has made. */
  readonly secret?: (key: string) => string
}

export interface LaidOut {
  /** Command and arguments, in a row. */
  readonly words: readonly string[]
  /** The variables of the container, and no others. */
  readonly env: Readonly<Record<string, string>>
  /** Where a file of the container lies here. */
  readonly at: (path: string) => string
}

/** Writes the files of the container. Throws if one of its Secrets or ConfigMaps is not there. */
export async function layOut(
  container: Container,
  template: PodTemplate,
  rendering: Rendering,
  place: Place,
): Promise<LaidOut> {
  const { folder, instead = [], secret = () => USERS_OWN } = place
  const at = (path: string) => join(folder, path)
  const mounts = (container.volumeMounts ?? []).map(({ mountPath }) => mountPath)
  const moved = mounts.map((path) => [new RegExp(`(?<![\\w./-])${escaped(path)}(?![\\w.-])`), at(path)] as const)
  const here = replacer([...moved, ...instead])
  for (const path of mounts) await mkdir(at(path), { recursive: true })
  const { files, missing } = mountedFiles(container, template, rendering)
  if (missing.length > 0) throw new Error(missing.join('; '))
  for (const { path, key, content } of files) {
    await mkdir(dirname(at(path)), { recursive: true })
    await writeFile(at(path), content === undefined ? secret(key) : here(content), { mode: 0o600 })
  }
  const env = variables(container, rendering, place)
  return {
    words: [...(container.command ?? []), ...(container.args ?? [])].map(here),
    env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, here(value)])),
    at,
  }
}

/** In one pass: what stands there instead is not looked at again. Expressions have no groups that capture. */
function replacer(pairs: readonly (readonly [what: string | RegExp, by: string])[]): (text: string) => string {
  if (pairs.length === 0) return (text) => text
  const sources = pairs.map(([what]) => `(${typeof what === 'string' ? escaped(what) : what.source})`)
  const any = new RegExp(sources.join('|'), 'g')
  return (text) =>
    text.replace(any, (...found: (string | undefined)[]) => {
      const index = found.slice(1, pairs.length + 1).findIndex((group) => group !== undefined)
      return pairs[index]?.[1] ?? ''
    })
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}

function variables(container: Container, rendering: Rendering, place: Place): Record<string, string> {
  const env: Record<string, string> = {}
  for (const variable of container.env ?? []) {
    const value = valueOf(variable, container, rendering, place)
    env[variable.name] = value.replace(/\$\((\w+)\)/g, (whole, name: string) => env[name] ?? whole)
  }
  return env
}

function valueOf(
  { name, value = '', valueFrom }: EnvVar,
  container: Container,
  rendering: Rendering,
  place: Place,
): string {
  if (valueFrom === undefined) return value
  const { secretKeyRef, configMapKeyRef, fieldRef, resourceFieldRef } = valueFrom
  if (fieldRef !== undefined) {
    const field = place.fields?.[fieldRef.fieldPath]
    if (field === undefined) throw new Error(`${name}: what is ${fieldRef.fieldPath}?`)
    return field
  }
  if (resourceFieldRef !== undefined) {
    const { resource } = resourceFieldRef as { resource: string }
    if (resource !== 'limits.memory') throw new Error(`${name}: ${resource} is not known here`)
    return String(bytes(container.resources?.limits?.['memory']))
  }
  const [kind, reference] =
    secretKeyRef === undefined ? ['ConfigMap' as const, configMapKeyRef] : ['Secret' as const, secretKeyRef]
  const contents = contentsByName(rendering, kind, reference?.name ?? '')
  if (reference === undefined || contents === undefined || !(reference.key in contents))
    throw new Error(`${name}: ${kind}/${reference?.name} has no key ${reference?.key}`)
  return contents[reference.key] ?? place.secret?.(reference.key) ?? USERS_OWN
}

const UNITS: Readonly<Record<string, number>> = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 }

/** A quantity of Kubernetes as it is given for memory. */
function bytes(quantity: string | number | undefined): number {
  const match = /^(\d+)(Ki|Mi|Gi)?$/.exec(String(quantity))
  if (match === null) throw new Error(`${quantity} is no size of memory`)
  return Number(match[1]) * (UNITS[match[2] ?? ''] ?? 1)
}
