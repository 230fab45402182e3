// The objects that Kubernetes is asked for, as far as the rules look at them, and the questions that many rules ask: which
// pods come of an object, what their containers are, what a selector selects. Nothing is readonly: they are parsed from
// text, and the tests of the rules spoil copies of them.

export interface Metadata {
  name: string
  namespace?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
}

export interface LabelSelector {
  matchLabels?: Record<string, string>
  matchExpressions?: { key: string; operator: string; values?: string[] }[]
}

export interface Probe {
  httpGet?: { path?: string; port: number | string; host?: string; scheme?: string }
  tcpSocket?: { port: number | string; host?: string }
  exec?: { command: string[] }
  grpc?: { port: number }
}

export interface SecurityContext {
  privileged?: boolean
  allowPrivilegeEscalation?: boolean
  readOnlyRootFilesystem?: boolean
  runAsNonRoot?: boolean
  runAsUser?: number
  capabilities?: { add?: string[]; drop?: string[] }
  seccompProfile?: { type: string }
  procMount?: string
  appArmorProfile?: { type: string }
  seLinuxOptions?: { type?: string; user?: string; role?: string }
  windowsOptions?: { hostProcess?: boolean }
  sysctls?: { name: string; value: string }[]
}

export interface EnvVar {
  name: string
  value?: string
  valueFrom?: {
    secretKeyRef?: { name: string; key: string; optional?: boolean }
    configMapKeyRef?: { name: string; key: string; optional?: boolean }
    fieldRef?: { fieldPath: string }
    resourceFieldRef?: object
  }
}

export interface Container {
  name: string
  image?: string
  imagePullPolicy?: string
  command?: string[]
  args?: string[]
  env?: EnvVar[]
  envFrom?: { secretRef?: { name: string }; configMapRef?: { name: string } }[]
  ports?: { name?: string; containerPort: number; hostPort?: number; protocol?: string }[]
  volumeMounts?: { name: string; mountPath: string; subPath?: string; readOnly?: boolean }[]
  resources?: { requests?: Record<string, string | number>; limits?: Record<string, string | number> }
  securityContext?: SecurityContext
  startupProbe?: Probe
  livenessProbe?: Probe
  readinessProbe?: Probe
  lifecycle?: { preStop?: Probe & { sleep?: { seconds: number } }; postStart?: Probe }
  /** Of an init container that goes on running. */
  restartPolicy?: string
}

interface KeyedSource {
  optional?: boolean
  items?: { key: string; path: string; mode?: number }[]
}

export interface Volume {
  name: string
  secret?: KeyedSource & { secretName: string; defaultMode?: number }
  configMap?: KeyedSource & { name: string; defaultMode?: number }
  projected?: {
    sources: { secret?: KeyedSource & { name: string }; configMap?: KeyedSource & { name: string } }[]
  }
  emptyDir?: object
  hostPath?: object
  persistentVolumeClaim?: { claimName: string }
}

export interface PodSpec {
  serviceAccountName?: string
  automountServiceAccountToken?: boolean
  hostNetwork?: boolean
  hostPID?: boolean
  hostIPC?: boolean
  terminationGracePeriodSeconds?: number
  securityContext?: SecurityContext
  initContainers?: Container[]
  containers: Container[]
  volumes?: Volume[]
  imagePullSecrets?: { name: string }[]
  topologySpreadConstraints?: { labelSelector?: LabelSelector; topologyKey: string }[]
  restartPolicy?: string
}

export interface PodTemplate {
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> }
  spec: PodSpec
}

export interface NetworkPeer {
  podSelector?: LabelSelector
  namespaceSelector?: LabelSelector
  ipBlock?: { cidr: string; except?: string[] }
}
export interface NetworkPort {
  protocol?: string
  port?: number | string
  endPort?: number
}
export interface NetworkRules {
  podSelector: LabelSelector
  policyTypes?: string[]
  ingress?: { from?: NetworkPeer[]; ports?: NetworkPort[] }[]
  egress?: { to?: NetworkPeer[]; ports?: NetworkPort[] }[]
}

export interface ServicePort {
  name?: string
  port: number
  targetPort?: number | string
  protocol?: string
  nodePort?: number
}

/** Whatever has a kind; the fields of all kinds that the rules know. */
export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: Metadata
  type?: string
  data?: Record<string, string>
  stringData?: Record<string, string>
  automountServiceAccountToken?: boolean
  spec?: ObjectSpec
}

export interface ObjectSpec {
  [field: string]: unknown
  template?: PodTemplate
  volumeClaimTemplates?: { metadata: { name: string } }[]
}

/** What is rendered, and what a rule must know of the world around it. */
export interface Rendering {
  readonly objects: readonly KubeObject[]
  readonly namespace: string
  readonly release: string
  /** Secrets that the user has made: their keys by name. */
  readonly secrets: Readonly<Record<string, readonly string[]>>
}

/** An object that pods come of. */
export interface Workload {
  readonly object: KubeObject
  readonly template: PodTemplate
  /** Its pods run until they are told to stop, rather than to an end of their own. */
  readonly isLasting: boolean
}

const LASTING = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet']

export function workloads({ objects }: Pick<Rendering, 'objects'>): Workload[] {
  return objects.flatMap((object) => {
    const template = templateOf(object)
    return template === undefined ? [] : [{ object, template, isLasting: LASTING.includes(object.kind) }]
  })
}

function templateOf({ kind, metadata, spec }: KubeObject): PodTemplate | undefined {
  if (kind === 'Pod') return { metadata, spec: spec as unknown as PodSpec }
  if (kind === 'CronJob')
    return (spec as unknown as { jobTemplate: { spec: { template: PodTemplate } } }).jobTemplate.spec.template
  return spec?.template
}

export function ofKind({ objects }: Pick<Rendering, 'objects'>, ...kinds: string[]): KubeObject[] {
  return objects.filter(({ kind }) => kinds.includes(kind))
}

/** "Deployment/mail-posthouse-edge", for messages. */
export function nameOf({ kind, metadata }: KubeObject): string {
  return `${kind}/${metadata.name}`
}

export function containersOf({ spec }: PodTemplate): Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers]
}

/** Those that run as long as the pod does. */
export function lastingContainers({ spec }: PodTemplate): Container[] {
  return [...(spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always'), ...spec.containers]
}

export function labelsOf({ metadata }: PodTemplate): Readonly<Record<string, string>> {
  return metadata?.labels ?? {}
}

export function matchesLabels(
  wanted: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted ?? {}).every(([key, value]) => labels[key] === value)
}

/** As Kubernetes does it: an empty selector selects everything. */
export function selects(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  const expressions = (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const value = labels[key]
    switch (operator) {
      case 'In':
        return value !== undefined && values.includes(value)
      case 'NotIn':
        return value === undefined || !values.includes(value)
      case 'Exists':
        return value !== undefined
      case 'DoesNotExist':
        return value === undefined
      default:
        throw new Error(`no such operator of a label selector: ${operator}`)
    }
  })
  return expressions && matchesLabels(selector.matchLabels, labels)
}

/** What a Secret or ConfigMap holds: keys, with values as text. */
export function contentsOf({ kind, data, stringData }: KubeObject): Record<string, string> {
  const plain = Object.entries(data ?? {}).map(([key, value]) => [
    key,
    kind === 'Secret' ? Buffer.from(value, 'base64').toString('utf8') : value,
  ])
  return { ...Object.fromEntries(plain), ...stringData }
}

/** The number of a port that may be named. */
export function portOf(template: PodTemplate, port: number | string): number | undefined {
  if (typeof port === 'number') return port
  const ports = containersOf(template).flatMap((container) => container.ports ?? [])
  return ports.find(({ name }) => name === port)?.containerPort
}
