// Of the objects of Kubernetes, the fields that are read here.

export interface Meta {
  readonly name: string
  readonly uid?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly deletionTimestamp?: string
  readonly generation?: number
}

export interface List<T> {
  readonly items: readonly T[]
}

export interface Pod {
  readonly metadata: Meta
  readonly spec: {
    readonly nodeName?: string
    readonly containers: readonly { readonly name: string }[]
    readonly volumes?: readonly { readonly persistentVolumeClaim?: { readonly claimName: string } }[]
  }
  readonly status?: {
    readonly phase?: string
    readonly podIP?: string
    readonly conditions?: readonly Condition[]
    readonly containerStatuses?: readonly ContainerStatus[]
  }
}

export interface ContainerStatus {
  readonly name: string
  readonly restartCount: number
  readonly lastState?: { readonly terminated?: { readonly exitCode: number; readonly reason?: string } }
}

export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
}

/** A Deployment or a StatefulSet. */
export interface Workload {
  readonly kind?: string
  readonly metadata: Meta
  readonly spec: { readonly replicas?: number }
  readonly status?: {
    readonly observedGeneration?: number
    readonly replicas?: number
    readonly readyReplicas?: number
    readonly updatedReplicas?: number
    readonly currentRevision?: string
    readonly updateRevision?: string
  }
}

export interface Node {
  readonly metadata: Meta
  readonly spec: { readonly unschedulable?: boolean }
  readonly status?: {
    readonly conditions?: readonly Condition[]
    readonly addresses?: readonly { readonly type: string; readonly address: string }[]
    readonly capacity?: { readonly cpu?: string; readonly memory?: string }
    readonly nodeInfo?: {
      /** Of the kernel: nodes that share it run on one machine. */
      readonly bootID?: string
      readonly kernelVersion?: string
      readonly containerRuntimeVersion?: string
      readonly architecture?: string
    }
  }
}

export interface Endpoints {
  readonly subsets?: readonly { readonly addresses?: readonly { readonly ip: string }[] }[]
}

export function isTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return conditions?.some((condition) => condition.type === type && condition.status === 'True') === true
}

/** The service's part of a chart's object: edge, delivery, nats. */
export function componentOf(meta: Meta): string | undefined {
  return meta.labels?.['app.kubernetes.io/component']
}
