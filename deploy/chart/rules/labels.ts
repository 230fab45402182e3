// Names and labels: every object says whose it is, no two are the same, and what selects pods selects by what never changes.
import type { KubeObject, Rendering } from '../manifest.ts'
import { labelsOf, matchesLabels, nameOf, ofKind, selects, workloads } from '../manifest.ts'

const STANDARD = [
  'app.kubernetes.io/name',
  'app.kubernetes.io/instance',
  'app.kubernetes.io/version',
  'app.kubernetes.io/component',
  'app.kubernetes.io/part-of',
  'app.kubernetes.io/managed-by',
  'helm.sh/chart',
]
/** Those that stay the same at every upgrade. */
const LASTING = ['app.kubernetes.io/name', 'app.kubernetes.io/instance', 'app.kubernetes.io/component']
const VALUE = /^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/
const KEY = /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/

/** Every object and every pod has the labels that tools look for, and no label that Kubernetes refuses. */
export function standardLabels(rendering: Rendering): string[] {
  const labelled: [string, Readonly<Record<string, string>>][] = [
    ...rendering.objects.map((object): [string, Record<string, string>] => [
      nameOf(object),
      object.metadata.labels ?? {},
    ]),
    ...workloads(rendering).map(({ object, template }): [string, Readonly<Record<string, string>>] => [
      `${nameOf(object)}: pod`,
      labelsOf(template),
    ]),
  ]
  return labelled.flatMap(([name, labels]) => [
    ...STANDARD.filter((label) => !labels[label]).map((label) => `${name} has no label ${label}`),
    ...Object.entries(labels)
      .filter(([key, value]) => !KEY.test(key) || typeof value !== 'string' || !VALUE.test(value))
      .map(([key, value]) => `${name}: ${key}: ${JSON.stringify(value)} is no label`),
    ...(labels['app.kubernetes.io/instance'] === rendering.release ? [] : [`${name} does not name its release`]),
  ])
}

/** Objects have names that Kubernetes takes, lie in the namespace of the release (or one that was asked for), and are there once. */
export function properNames(rendering: Rendering, elsewhere: readonly string[] = []): string[] {
  const seen = new Set<string>()
  return rendering.objects.flatMap((object) => {
    const { name, namespace } = object.metadata
    const wrong: string[] = []
    const key = `${object.apiVersion}/${object.kind}/${namespace}/${name}`
    if (seen.has(key)) wrong.push('is there twice')
    seen.add(key)
    if (namespace !== rendering.namespace && !elsewhere.includes(namespace ?? ''))
      wrong.push(`lies in the namespace ${namespace}`)
    // The name of a Service is a name of the DNS, and begins with a letter.
    const longest = object.kind === 'StatefulSet' ? 52 : 63
    if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name) || name.length > longest) wrong.push('has a name that is none')
    if (object.kind === 'Service' && !/^[a-z]/.test(name)) wrong.push('is a Service whose name begins with no letter')
    return wrong.map((what) => `${nameOf(object)} ${what}`)
  })
}

/** A workload selects its own pods and no others, by the labels that never change. */
export function lastingSelectors(rendering: Rendering): string[] {
  const all = workloads(rendering)
  return all.flatMap(({ object, template, isLasting }) => {
    if (!isLasting) return []
    const wrong: string[] = []
    const selector =
      (object.spec as { selector?: { matchLabels?: Record<string, string> } }).selector?.matchLabels ?? {}
    const keys = Object.keys(selector)
    for (const label of LASTING) if (!keys.includes(label)) wrong.push(`does not select by ${label}`)
    for (const label of keys) if (!LASTING.includes(label)) wrong.push(`selects by ${label}, which may change`)
    if (!matchesLabels(selector, labelsOf(template))) wrong.push('does not select its own pods')
    for (const other of all) {
      if (other.object !== object && matchesLabels(selector, labelsOf(other.template)))
        wrong.push(`selects the pods of ${nameOf(other.object)}`)
    }
    for (const { labelSelector } of template.spec.topologySpreadConstraints ?? []) {
      if (labelSelector === undefined || !selects(labelSelector, labelsOf(template)))
        wrong.push('spreads other pods than its own')
    }
    return wrong.map((what) => `${nameOf(object)} ${what}`)
  })
}

const API_VERSIONS: Readonly<Record<string, string>> = {
  ConfigMap: 'v1',
  Deployment: 'apps/v1',
  HorizontalPodAutoscaler: 'autoscaling/v2',
  Job: 'batch/v1',
  NetworkPolicy: 'networking.k8s.io/v1',
  Pod: 'v1',
  PodDisruptionBudget: 'policy/v1',
  Secret: 'v1',
  Service: 'v1',
  ServiceAccount: 'v1',
  StatefulSet: 'apps/v1',
  Certificate: 'cert-manager.io/v1',
  Issuer: 'cert-manager.io/v1',
  PodMonitor: 'monitoring.coreos.com/v1',
  ServiceMonitor: 'monitoring.coreos.com/v1',
  PrometheusRule: 'monitoring.coreos.com/v1',
  ScaledObject: 'keda.sh/v1alpha1',
}
/** Kinds that a cluster only has if somebody installed them. */
export const OPTIONAL_KINDS: readonly string[] = Object.entries(API_VERSIONS)
  .filter(([, version]) => /^(cert-manager|monitoring|keda)\./.test(version))
  .map(([kind]) => kind)

/** Every kind is one that is known here, at the version in which all supported clusters have it. */
export function currentVersions(rendering: Rendering): string[] {
  return rendering.objects
    .filter(({ kind, apiVersion }) => API_VERSIONS[kind] !== apiVersion)
    .map((object) => `${nameOf(object)}: ${object.apiVersion} is not the version of this kind`)
}

/** An object of a kind that not every cluster has is there only if asked for. */
export function onlyKubernetesKinds(rendering: Rendering, asked: readonly string[] = []): string[] {
  return ofKind(rendering, ...OPTIONAL_KINDS.filter((kind) => !asked.includes(kind))).map(
    (object: KubeObject) => `${nameOf(object)}: not every cluster has this kind, and nobody asked for it`,
  )
}
