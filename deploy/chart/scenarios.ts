// The values under which the chart is looked at: those that come with it, and what a user may ask for, each switch at
// least once. With each stands what the user has made beforehand, and what the rules excuse because it was asked for.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Rendering } from './manifest.ts'
import { CHART, NAMESPACE, RELEASE, render, type RenderOptions } from './render.ts'
import type { Excuses } from './rules.ts'

export interface Scenario extends RenderOptions {
  readonly name: string
  /** Secrets that the user has made: their keys by name. */
  readonly secrets?: Readonly<Record<string, readonly string[]>>
  readonly excuses?: Excuses
}

const TLS = ['ca.crt', 'tls.crt', 'tls.key']
const NATS_USERS = ['edge', 'delivery', 'admin', 'cli', 'operator', 'system', 'route']
const EDGE = `Deployment/${RELEASE}-posthouse-edge`
const DELIVERY = `Deployment/${RELEASE}-posthouse-delivery`
const ADMIN = `Deployment/${RELEASE}-posthouse-admin`
const NATS = `StatefulSet/${RELEASE}-posthouse-nats`
const MONITORING = ['PodMonitor', 'PrometheusRule']
const CERT_MANAGER = ['Certificate', 'Issuer']

const off = { enabled: false }
const on = { enabled: true }
const relay = { enabled: true, networks: ['192.0.2.0/24'] }

export const scenarios: readonly Scenario[] = [
  { name: 'the defaults' },
  {
    name: 'values-small.yaml',
    files: [join(CHART, 'values-small.yaml')],
    excuses: { noBudget: [EDGE, DELIVERY, ADMIN, NATS] },
  },
  {
    name: 'values-production.yaml',
    files: [join(CHART, 'values-production.yaml')],
    values: { hostname: 'smtp.example.org' },
    excuses: { kinds: MONITORING },
  },
  ...examples(),
  {
    name: 'everything on',
    values: {
      nameOverride: 'relay',
      commonLabels: { team: 'mail' },
      commonAnnotations: { 'example.org/owner': 'mail' },
      hostname: 'smtp.example.org',
      cluster: { networks: ['10.0.0.0/8', 'fd00::/8'] },
      image: { pullSecrets: ['registry'], pullPolicy: 'Always' },
      edge: {
        autoscaling: on,
        listeners: {
          submission: { nodePort: 30587, proxyFrom: ['192.0.2.1/32'], bareNewlines: 'normalise' },
          submissions: { nodePort: 30465 },
          relay: { ...relay, nodePort: 30025, proxyFrom: ['198.51.100.0/24'] },
        },
        service: {
          annotations: { 'example.org/lb': 'x' },
          loadBalancerClass: 'a/b',
          loadBalancerSourceRanges: ['192.0.2.0/24'],
        },
        users: [{ name: 'app', addresses: ['*'] }],
        settings: { limits: { messageSize: '128MiB' }, log: { level: 'debug' } },
        ...placement('edge'),
      },
      delivery: {
        autoscaling: on,
        settings: { retry: { first: '1m' }, route: { ownNames: ['mx.example.org'] } },
        ...placement('delivery'),
      },
      admin: { settings: { events: { keep: '3d' } }, ...placement('admin') },
      nats: {
        encryption: on,
        persistence: {
          storageClassName: 'fast',
          annotations: { 'example.org/backup': 'daily' },
          whenDeleted: 'Delete',
        },
        whenUnsatisfiable: 'DoNotSchedule',
        ...placement('nats'),
      },
      networkPolicy: {
        metricsFrom: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
        smtpFrom: [{ ipBlock: { cidr: '192.0.2.0/24' } }],
        deliveryPorts: [2526],
        extraEgress: [{ to: [{ ipBlock: { cidr: '198.51.100.9/32' } }], ports: [{ port: 4318 }] }],
      },
      serviceAccount: { annotations: { 'example.org/role': 'mail' } },
      monitoring: {
        podMonitor: { ...on, labels: { release: 'prometheus' } },
        prometheusRule: { ...on, labels: { release: 'prometheus' } },
        dashboards: { ...on, namespace: 'grafana' },
      },
    },
    excuses: { kinds: MONITORING, namespaces: ['grafana'] },
  },
  {
    name: 'everything off',
    values: {
      edge: {
        replicas: 0,
        podDisruptionBudget: off,
        listeners: { submission: off },
        service: { type: 'ClusterIP' },
        topologySpreadConstraints: [],
      },
      delivery: { replicas: 0, podDisruptionBudget: off, topologySpreadConstraints: [] },
      admin: { replicas: 0, podDisruptionBudget: off, topologySpreadConstraints: [] },
      nats: { podDisruptionBudget: off, topologySpreadConstraints: [] },
      networkPolicy: off,
      serviceAccount: { create: false, name: 'mine' },
      monitoring: { scrapeAnnotations: false },
      test: off,
    },
    excuses: { noBudget: [EDGE, DELIVERY, ADMIN, NATS], accounts: ['mine'], openNetwork: true },
  },
  {
    name: 'existing Secrets',
    values: {
      edge: {
        tls: { existingSecret: 'smtp' },
        users: [
          { name: 'app', addresses: ['@example.org'], existingSecret: 'app' },
          { name: 'other@example.org', addresses: ['other@example.org'], existingSecret: 'others', key: 'other' },
        ],
      },
      nats: { usersExistingSecret: 'nats-users', encryption: { ...on, existingSecret: 'at-rest', key: 'volume' } },
      internalTls: { existingSecrets: { nats: 'nats', client: 'client' } },
    },
    secrets: {
      smtp: ['tls.crt', 'tls.key'],
      app: ['password'],
      others: ['other'],
      'nats-users': NATS_USERS,
      'at-rest': ['volume'],
      nats: TLS,
      client: TLS,
    },
  },
  {
    name: 'an existing users file',
    values: { edge: { usersExistingSecret: 'users' } },
    secrets: { users: ['users.yaml'] },
  },
  {
    name: 'users of the chart',
    values: {
      edge: {
        users: [
          { name: 'app', addresses: ['@example.org'] },
          { name: 'billing.v2', addresses: ['bills@example.org', 'bills@example.net'] },
          { name: 'printer_2', addresses: ['printer@example.org'] },
        ],
      },
    },
  },
  {
    name: 'cert-manager',
    values: {
      hostname: 'smtp.example.org',
      edge: { tls: { certManager: { ...on, issuerRef: { name: 'public' }, dnsNames: ['mail.example.org'] } } },
      internalTls: { certManager: on },
    },
    excuses: { kinds: CERT_MANAGER },
  },
  {
    name: 'cert-manager with an issuer for the inside',
    values: { internalTls: { certManager: { ...on, issuerRef: { name: 'inside', kind: 'ClusterIssuer' } } } },
    excuses: { kinds: CERT_MANAGER },
  },
  {
    name: 'KEDA',
    values: { delivery: { keda: { ...on, serverAddress: 'http://prometheus.monitoring:9090' } } },
    excuses: { kinds: ['ScaledObject'] },
  },
  {
    name: 'the network of the nodes',
    values: { delivery: { hostNetwork: true } },
    excuses: { hostNetwork: [DELIVERY] },
  },
  { name: 'encryption at rest', values: { nats: { encryption: { ...on, cipher: 'aes' } } } },
  { name: 'five NATS servers', values: { nats: { replicas: 5 }, queue: { replicas: 5 } } },
  {
    name: 'one NATS server',
    values: { nats: { replicas: 1 } },
    excuses: { noBudget: [NATS] },
  },
  {
    name: 'both families of addresses',
    values: { listenAddress: '::', edge: { service: { ipFamilyPolicy: 'PreferDualStack' } } },
  },
  {
    name: 'a relay without log-ins',
    values: { edge: { listeners: { submission: off, submissions: off, relay } } },
  },
  {
    name: 'implicit TLS only',
    values: { edge: { listeners: { submission: off } } },
  },
  {
    name: 'smarthosts and routes by domain',
    values: {
      delivery: {
        settings: {
          route: {
            smarthosts: ['smart.example.org:587'],
            domains: [{ domain: 'example.net', hosts: ['gate.example.net:2500'] }],
          },
        },
      },
    },
  },
  {
    name: 'a SOCKS proxy with a password',
    values: {
      delivery: {
        settings: { egress: { socks: ['socks.example.org:1080'], socksUser: 'posthouse' } },
        socksPasswordSecret: 'socks',
      },
    },
    secrets: { socks: ['password'] },
  },
  {
    name: 'webhooks',
    values: {
      admin: {
        settings: {
          webhooks: [
            {
              name: 'crm',
              url: 'https://crm.example.org/events',
              secretFile: '/etc/posthouse/webhooks/crm',
              events: ['delivered', 'bounced'],
            },
          ],
        },
        webhooksSecret: 'webhooks',
      },
    },
    secrets: { webhooks: ['crm'] },
  },
  {
    name: 'external NATS without TLS',
    values: {
      nats: {
        usersExistingSecret: 'nats-users',
        external: { ...on, servers: ['192.0.2.10:4222'], serverCount: 1, users: { edge: 'posthouse-edge' } },
      },
    },
    secrets: { 'nats-users': ['edge', 'delivery', 'admin', 'cli'] },
  },
  {
    name: 'external NATS that wants no certificate',
    values: {
      nats: {
        usersExistingSecret: 'nats-users',
        external: { ...on, servers: ['nats.example.org:4222'], tlsExistingSecret: 'nats-ca', clientCertificate: false },
      },
    },
    secrets: { 'nats-users': ['edge', 'delivery', 'admin', 'cli'], 'nats-ca': ['ca.crt'] },
  },
  {
    name: 'images by digest',
    values: {
      image: { repository: 'registry.example.org/posthouse', digest: `sha256:${'a'.repeat(64)}` },
      nats: { image: { digest: `sha256:${'b'.repeat(64)}` } },
    },
  },
  {
    name: 'the ports of the nodes',
    values: { edge: { service: { type: 'NodePort', externalTrafficPolicy: 'Cluster' } } },
  },
  { name: 'a long name', release: 'as-long-as-helm-lets-it-be-'.padEnd(53, 'x') },
  { name: 'a name of its own', values: { fullnameOverride: 'post' } },
  { name: 'the oldest Kubernetes', kubeVersion: '1.29.0' },
  { name: 'an upgrade', isUpgrade: true },
]

function placement(component: string): object {
  return {
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    tolerations: [{ key: 'mail', operator: 'Exists' }],
    affinity: { nodeAffinity: {} },
    priorityClassName: 'high',
    podAnnotations: { 'example.org/note': component },
    podLabels: { 'example.org/tier': component },
    ...(component === 'nats' ? undefined : { extraEnv: [{ name: 'NODE_OPTIONS', value: '--max-old-space-size=512' }] }),
  }
}

/** Values for this chart that come as examples; those for other charts begin with the name of theirs. */
function examples(): Scenario[] {
  const secrets: Readonly<Record<string, Scenario['secrets']>> = {
    'external-nats.yaml': { 'nats-users': ['edge', 'delivery', 'admin', 'cli'], 'nats-client-tls': TLS },
  }
  return readdirSync(join(CHART, 'examples'))
    .filter((file) => file.endsWith('.yaml') && !file.endsWith('-chart.yaml'))
    .map((file) => ({
      name: `examples/${file}`,
      files: [join(CHART, 'examples', file)],
      ...(secrets[file] === undefined ? undefined : { secrets: secrets[file] }),
    }))
}

/** The scenario of that name. Throws if there is none. */
export function scenario(name: string): Scenario {
  const found = scenarios.find((each) => each.name === name)
  if (found === undefined) throw new Error(`there is no scenario ${name}`)
  return found
}

/** Rejects with the reason if the chart refuses the values. */
export async function renderScenario(options: Scenario): Promise<Rendering> {
  const rendered = await render(options)
  if (rendered.is === 'refused') throw new Error(`${options.name} is refused: ${rendered.why}`)
  const { release = RELEASE, namespace = NAMESPACE, secrets = {} } = options
  return { objects: rendered.objects, release, namespace, secrets }
}
