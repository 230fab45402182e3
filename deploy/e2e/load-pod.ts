// The objects of a load: a pod that sends, receives and keeps the ledger, and the Service that the delivery nodes send its mail to.
// They obey the restricted Pod Security Standard, as the namespace wants. Pure.

export interface LoadPodOptions {
  readonly name: string
  readonly image: string
  /** Node that no step breaks; undefined: any. */
  readonly node: string | undefined
  /** Address of the edges' Service. */
  readonly edge: string
  readonly user: string
  /** Secret with the password of the user, under `password`. */
  readonly secret: string
  /** Of the sender, and of the recipients. */
  readonly fromDomain: string
  readonly toDomain: string
  readonly rate: number
  /** Whether the Service leads to the pod from the start: until then its mail waits in the queue. */
  readonly open: boolean
  /** Every so many recipients are deferred by the sink once; 0 = none. */
  readonly deferEvery: number
  readonly sessions: number
  /** Octets of the largest message, KiB. */
  readonly largestKib: number
}

export const CONTAINER = 'load'
const SINK_PORT = 2525
const CONTROL_PORT = 8080
const USER = 10001
/** The Service leads to pods with this label only. */
export const OPEN = { label: 'posthouse-e2e/sink', value: 'open' }

export function loadPod(options: LoadPodOptions): object {
  const { name, image, node, secret, open } = options
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { ...labelsOf(name), ...(open ? { [OPEN.label]: OPEN.value } : {}) } },
    spec: {
      ...(node === undefined ? {} : { nodeSelector: { 'kubernetes.io/hostname': node } }),
      // What it knows ends with it: a second one could judge nothing.
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 15,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: USER,
        runAsGroup: USER,
        fsGroup: USER,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: CONTAINER,
          image,
          imagePullPolicy: 'IfNotPresent',
          command: ['node', 'loadtest/main.ts', 'remote'],
          args: argumentsOf(options),
          ports: [
            { name: 'smtp', containerPort: SINK_PORT },
            { name: 'control', containerPort: CONTROL_PORT },
          ],
          startupProbe: { httpGet: { path: '/livez', port: 'control' }, periodSeconds: 1, failureThreshold: 60 },
          readinessProbe: { httpGet: { path: '/livez', port: 'control' }, periodSeconds: 5, timeoutSeconds: 5 },
          resources: { requests: { cpu: '100m', memory: '192Mi' }, limits: { memory: '1Gi' } },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            runAsNonRoot: true,
            capabilities: { drop: ['ALL'] },
          },
          volumeMounts: [{ name: 'password', mountPath: '/etc/load', readOnly: true }],
        },
      ],
      volumes: [{ name: 'password', secret: { secretName: secret, defaultMode: 0o440 } }],
    },
  }
}

/** With an address of its own: without a pod behind it connections are refused at once, and names do not vanish. */
export function sinkService(name: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels: labelsOf(name) },
    spec: {
      selector: { ...labelsOf(name), [OPEN.label]: OPEN.value },
      ports: [{ name: 'smtp', port: SINK_PORT, targetPort: 'smtp' }],
    },
  }
}

export function userSecret(name: string, password: string): object {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: { password } }
}

/** What a delivery node's settings say of where the mail goes. */
export function sinkAddress(name: string, namespace: string, clusterDomain: string): string {
  return `${name}.${namespace}.svc.${clusterDomain}:${SINK_PORT}`
}

function labelsOf(name: string): Record<string, string> {
  return { 'app.kubernetes.io/name': 'posthouse-e2e', 'app.kubernetes.io/component': name }
}

function argumentsOf(options: LoadPodOptions): string[] {
  const { edge, user, fromDomain, toDomain, rate, deferEvery, sessions, largestKib } = options
  return [
    `--edge=${edge}:587`,
    `--submissions=${edge}:465`,
    `--user=${user}`,
    '--password-file=/etc/load/password',
    `--from-domain=${fromDomain}`,
    `--to-domain=${toDomain}`,
    `--rate=${rate}`,
    `--defer-every=${deferEvery}`,
    `--sessions=${sessions}`,
    `--largest-kib=${largestKib}`,
    `--sink-port=${SINK_PORT}`,
    `--control-port=${CONTROL_PORT}`,
  ]
}
