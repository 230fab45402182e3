// What a pod names is there: volumes, keys of Secrets and ConfigMaps, files that settings name, accounts. And what is there
// is named by somebody.
import type { Container, PodTemplate, Rendering } from '../manifest.ts'
import { containersOf, contentsOf, nameOf, ofKind, workloads } from '../manifest.ts'
import { contentsByName, mountedFiles, sources } from '../mounted-files.ts'

/** Every mount has a volume, every volume a mount, and no two lie in the same place. */
export function volumes(rendering: Rendering): string[] {
  return workloads(rendering).flatMap(({ object, template }) => {
    const claims = (object.spec?.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name)
    const there = [...(template.spec.volumes ?? []).map(({ name }) => name), ...claims]
    const containers = containersOf(template)
    const mounted = containers.flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name))
    const wrong = [
      ...there.filter((name, index) => there.indexOf(name) !== index).map((name) => `has two volumes ${name}`),
      ...there.filter((name) => !mounted.includes(name)).map((name) => `has a volume ${name} that nobody mounts`),
      ...mounted.filter((name) => !there.includes(name)).map((name) => `mounts ${name}, which is no volume`),
      ...containers.flatMap((container) => doubles(container)),
    ]
    return wrong.map((what) => `${nameOf(object)} ${what}`)
  })
}

function doubles({ name, volumeMounts = [] }: Container): string[] {
  const paths = volumeMounts.map(({ mountPath }) => mountPath)
  return paths
    .filter((path, index) => paths.indexOf(path) !== index)
    .map((path) => `mounts two volumes at ${path} in container ${name}`)
}

/** Whatever a pod takes from a Secret or ConfigMap is in it, no two files have one name, and keys are such that Kubernetes takes them. */
export function keys(rendering: Rendering): string[] {
  return [
    ...workloads(rendering).flatMap(({ object, template }) =>
      containersOf(template).flatMap((container) =>
        [...missingFiles(container, template, rendering), ...missingVariables(container, rendering)].map(
          (what) => `${nameOf(object)}: container ${container.name}: ${what}`,
        ),
      ),
    ),
    ...ofKind(rendering, 'Secret', 'ConfigMap').flatMap((object) => {
      const found = Object.entries(contentsOf(object))
      if (found.length === 0) return [`${nameOf(object)} holds nothing`]
      return [
        ...found.filter(([key]) => !/^[-._a-zA-Z0-9]{1,253}$/.test(key)).map(([key]) => `${key} is no key`),
        ...found.filter(([, value]) => typeof value !== 'string').map(([key]) => `${key} is no text`),
      ].map((what) => `${nameOf(object)}: ${what}`)
    }),
  ]
}

function missingFiles(container: Container, template: PodTemplate, rendering: Rendering): string[] {
  const { files, missing } = mountedFiles(container, template, rendering)
  const paths = files.map(({ path }) => path)
  return [
    ...missing,
    ...paths.filter((path, index) => paths.indexOf(path) !== index).map((path) => `two files are mounted as ${path}`),
  ]
}

function missingVariables({ env = [], envFrom = [] }: Container, rendering: Rendering): string[] {
  const names = env.map(({ name }) => name)
  return [
    ...names.filter((name, index) => names.indexOf(name) !== index).map((name) => `sets ${name} twice`),
    ...env.flatMap(({ name, valueFrom }) => {
      const { secretKeyRef, configMapKeyRef } = valueFrom ?? {}
      const reference = secretKeyRef ?? configMapKeyRef
      if (reference === undefined || reference.optional === true) return []
      const kind = secretKeyRef === undefined ? 'ConfigMap' : 'Secret'
      const contents = contentsByName(rendering, kind, reference.name)
      return contents !== undefined && reference.key in contents
        ? []
        : [`${name} is to come from ${kind}/${reference.name}, key ${reference.key}, which is not there`]
    }),
    // $(NAME) in a value stands for a variable further up; one that is not there stays as it is written.
    ...env.flatMap(({ name, value }, index) =>
      [...(value ?? '').matchAll(/\$\((\w+)\)/g)]
        .filter((match) => !names.slice(0, index).includes(match[1] ?? ''))
        .map((match) => `${name} names ${match[1]}, which is not set before it`),
    ),
    ...envFrom.flatMap(({ secretRef, configMapRef }) => [
      ...(secretRef !== undefined && contentsByName(rendering, 'Secret', secretRef.name) === undefined
        ? [`there is no Secret/${secretRef.name}`]
        : []),
      ...(configMapRef !== undefined && contentsByName(rendering, 'ConfigMap', configMapRef.name) === undefined
        ? [`there is no ConfigMap/${configMapRef.name}`]
        : []),
    ]),
  ]
}

const OF_A_MOUNT = /\/etc\/(?:posthouse|nats)\/[\w@.-]+(?:\/[\w@.-]+)*/g

/** A file below /etc/posthouse or /etc/nats that settings or arguments name is mounted in the same container. */
export function namedFiles(rendering: Rendering): string[] {
  return workloads(rendering).flatMap(({ object, template }) =>
    containersOf(template).flatMap((container) => {
      const { files } = mountedFiles(container, template, rendering)
      const there = new Set(files.map(({ path }) => path))
      const texts = [
        ...(container.command ?? []),
        ...(container.args ?? []),
        ...(container.env ?? []).map(({ value = '' }) => value),
        ...files.map(({ content = '' }) => content),
      ]
      const named = new Set(texts.flatMap((text) => text.match(OF_A_MOUNT) ?? []))
      const folder = (path: string) => [...there].some((file) => file.startsWith(`${path}/`))
      return [...named]
        .filter((path) => !there.has(path) && !folder(path))
        .map((path) => `${nameOf(object)}: container ${container.name}: there will be no file ${path}`)
    }),
  )
}

/** The account of a pod is made here, or is the user's (`accounts`). */
export function accounts(rendering: Rendering, usersOwn: readonly string[] = []): string[] {
  const made = ofKind(rendering, 'ServiceAccount').map(({ metadata }) => metadata.name)
  return workloads(rendering)
    .filter(({ template }) => ![...made, ...usersOwn].includes(template.spec.serviceAccountName ?? 'default'))
    .map(
      ({ object, template }) =>
        `${nameOf(object)}: there is no ServiceAccount ${template.spec.serviceAccountName ?? 'default'}`,
    )
}

/** Secrets and ConfigMaps that are made are used by a pod. `kept`: names of those that are there for others. */
export function noLeftovers(rendering: Rendering, kept: readonly RegExp[] = []): string[] {
  const used = new Set(
    workloads(rendering).flatMap(({ template }) => [
      ...(template.spec.volumes ?? []).flatMap(sources).map(({ kind, name }) => `${kind}/${name}`),
      ...containersOf(template).flatMap(({ env = [], envFrom = [] }) => [
        ...env.flatMap(({ valueFrom }) => [
          `Secret/${valueFrom?.secretKeyRef?.name}`,
          `ConfigMap/${valueFrom?.configMapKeyRef?.name}`,
        ]),
        ...envFrom.flatMap(({ secretRef, configMapRef }) => [
          `Secret/${secretRef?.name}`,
          `ConfigMap/${configMapRef?.name}`,
        ]),
      ]),
    ]),
  )
  return ofKind(rendering, 'Secret', 'ConfigMap')
    .filter((object) => !used.has(nameOf(object)) && !kept.some((name) => name.test(object.metadata.name)))
    .map((object) => `${nameOf(object)} is used by nobody`)
}
