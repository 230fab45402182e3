// The files that a container finds, from the ConfigMaps and Secrets that its pod mounts: which there are, and what is in them
// where the chart made them. What is mounted and not there is said, too; Kubernetes would let such a pod wait for ever.
import { posix } from 'node:path'
import type { Container, KubeObject, PodTemplate, Rendering, Volume } from './manifest.ts'
import { contentsOf, ofKind } from './manifest.ts'

export interface MountedFile {
  readonly path: string
  /** In the Secret or ConfigMap. */
  readonly key: string
  /** Undefined: the user's own, or what cert-manager will make. */
  readonly content: string | undefined
}

export interface Mounted {
  readonly files: readonly MountedFile[]
  /** "Secret/mail has no key edge": what the pod would wait for. */
  readonly missing: readonly string[]
}

/** Keys of a Secret or ConfigMap, with what is in them as far as that is known; undefined if there will be none of that name. */
export function contentsByName(
  rendering: Rendering,
  kind: 'Secret' | 'ConfigMap',
  name: string,
): Readonly<Record<string, string | undefined>> | undefined {
  const made = ofKind(rendering, kind).find(({ metadata }) => metadata.name === name)
  if (made !== undefined) return contentsOf(made)
  if (kind === 'ConfigMap') return undefined
  const keys =
    rendering.secrets[name] ?? (isOfCertManager(rendering, name) ? ['tls.crt', 'tls.key', 'ca.crt'] : undefined)
  return keys === undefined ? undefined : Object.fromEntries(keys.map((key) => [key, undefined]))
}

function isOfCertManager(rendering: Rendering, name: string): boolean {
  return ofKind(rendering, 'Certificate').some(({ spec }: KubeObject) => spec?.['secretName'] === name)
}

/** What the container finds below its mounts. */
export function mountedFiles(container: Container, template: PodTemplate, rendering: Rendering): Mounted {
  const files: MountedFile[] = []
  const missing: string[] = []
  for (const { name, mountPath, subPath } of container.volumeMounts ?? []) {
    const volume = (template.spec.volumes ?? []).find((each) => each.name === name)
    if (volume === undefined) continue
    for (const source of sources(volume)) {
      const contents = contentsByName(rendering, source.kind, source.name)
      if (contents === undefined) {
        if (source.optional !== true) missing.push(`there is no ${source.kind}/${source.name}`)
        continue
      }
      const items = source.items ?? Object.keys(contents).map((key) => ({ key, path: key }))
      for (const { key, path } of items) {
        if (!(key in contents)) {
          if (source.optional !== true) missing.push(`${source.kind}/${source.name} has no key ${key}`)
        } else if (subPath === undefined) files.push({ path: posix.join(mountPath, path), key, content: contents[key] })
        else if (subPath === path) files.push({ path: mountPath, key, content: contents[key] })
      }
    }
  }
  return { files, missing }
}

export interface Source {
  readonly kind: 'Secret' | 'ConfigMap'
  readonly name: string
  readonly items?: readonly { readonly key: string; readonly path: string }[]
  readonly optional?: boolean
}

/** The ConfigMaps and Secrets that a volume is made of. */
export function sources({ secret, configMap, projected }: Volume): Source[] {
  const parts = projected?.sources ?? []
  return [
    ...(secret === undefined ? [] : [{ ...secret, kind: 'Secret' as const, name: secret.secretName }]),
    ...(configMap === undefined ? [] : [{ ...configMap, kind: 'ConfigMap' as const }]),
    ...parts.flatMap((part) => (part.secret === undefined ? [] : [{ ...part.secret, kind: 'Secret' as const }])),
    ...parts.flatMap((part) =>
      part.configMap === undefined ? [] : [{ ...part.configMap, kind: 'ConfigMap' as const }],
    ),
  ]
}
