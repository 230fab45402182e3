// A small release with one object of nearly every kind in which nothing is wrong: what the tests of the rules spoil, one
// thing at a time.
import { stringify } from 'yaml'
import type { KubeObject, Rendering } from '../manifest.ts'
import { parseObjects } from '../render.ts'

const selector = (component: string) => ({
  'app.kubernetes.io/name': 'posthouse',
  'app.kubernetes.io/instance': 'sound',
  'app.kubernetes.io/component': component,
})
const labels = (component: string) => ({
  ...selector(component),
  'app.kubernetes.io/version': '1.0.0',
  'app.kubernetes.io/part-of': 'posthouse',
  'app.kubernetes.io/managed-by': 'Helm',
  'helm.sh/chart': 'posthouse-1.0.0',
})
const object = (apiVersion: string, kind: string, name: string, component: string, rest: object) => ({
  apiVersion,
  kind,
  metadata: { name, namespace: 'post', labels: labels(component) },
  ...rest,
})
const base64 = (text: string) => Buffer.from(text).toString('base64')

const securityContext = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
}
const resources = { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '64Mi' } }
const probe = (port: string) => ({ httpGet: { path: '/livez', port } })
const pod = {
  serviceAccountName: 'sound',
  automountServiceAccountToken: false,
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
}

const edge = {
  replicas: 2,
  selector: { matchLabels: selector('edge') },
  template: {
    metadata: { labels: labels('edge') },
    spec: {
      ...pod,
      terminationGracePeriodSeconds: 40,
      topologySpreadConstraints: [
        { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: selector('edge') } },
      ],
      containers: [
        {
          name: 'edge',
          image: 'registry.example:5000/posthouse:1.0.0',
          args: ['edge', '--config', '/etc/posthouse/settings/edge.yaml'],
          env: [
            { name: 'WORD', valueFrom: { secretKeyRef: { name: 'word', key: 'password' } } },
            { name: 'ADDRESS', value: 'nats://edge:$(WORD)@nats:4222' },
          ],
          ports: [
            { name: 'smtp', containerPort: 2525 },
            { name: 'http', containerPort: 8080 },
          ],
          livenessProbe: probe('http'),
          readinessProbe: probe('http'),
          resources,
          securityContext,
          volumeMounts: [
            { name: 'settings', mountPath: '/etc/posthouse/settings' },
            { name: 'word', mountPath: '/etc/posthouse/word' },
          ],
        },
      ],
      volumes: [
        { name: 'settings', configMap: { name: 'edge', items: [{ key: 'edge.yaml', path: 'edge.yaml' }] } },
        { name: 'word', secret: { secretName: 'word' } },
      ],
    },
  },
}

const nats = {
  serviceName: 'nats-headless',
  replicas: 3,
  selector: { matchLabels: selector('nats') },
  template: {
    metadata: { labels: labels('nats') },
    spec: {
      ...pod,
      terminationGracePeriodSeconds: 40,
      containers: [
        {
          name: 'nats',
          image: 'nats:2.15-alpine',
          command: ['nats-server', '--config', '/etc/nats/config/nats.conf'],
          env: [{ name: 'WORD', valueFrom: { secretKeyRef: { name: 'word', key: 'password' } } }],
          ports: [{ name: 'client', containerPort: 4222 }],
          livenessProbe: probe('client'),
          readinessProbe: probe('client'),
          resources,
          securityContext,
          volumeMounts: [
            { name: 'data', mountPath: '/data' },
            { name: 'config', mountPath: '/etc/nats/config' },
          ],
        },
      ],
      volumes: [{ name: 'config', configMap: { name: 'nats' } }],
    },
  },
  volumeClaimTemplates: [{ metadata: { name: 'data' } }],
}

const budget = (component: string) => ({
  spec: { maxUnavailable: 1, selector: { matchLabels: selector(component) } },
})
const policy = (component: string) => ({
  spec: { podSelector: { matchLabels: selector(component) }, policyTypes: ['Ingress', 'Egress'] },
})

const objects = [
  object('v1', 'ServiceAccount', 'sound', 'account', { automountServiceAccountToken: false }),
  object('v1', 'Secret', 'word', 'edge', { type: 'Opaque', data: { password: base64('pretty-secret-word') } }),
  object('v1', 'ConfigMap', 'edge', 'edge', {
    data: { 'edge.yaml': 'stop:\n  deadline: 35s\nnats:\n  passwordFile: /etc/posthouse/word/password\n' },
  }),
  object('v1', 'ConfigMap', 'nats', 'nats', {
    data: { 'nats.conf': 'lame_duck_duration: "10s"\nauthorization { user: edge, password: $WORD }\n' },
  }),
  object('apps/v1', 'Deployment', 'edge', 'edge', { spec: edge }),
  object('apps/v1', 'StatefulSet', 'nats', 'nats', { spec: nats }),
  object('v1', 'Service', 'edge', 'edge', {
    spec: { selector: selector('edge'), ports: [{ name: 'smtp', port: 25, targetPort: 'smtp' }] },
  }),
  object('v1', 'Service', 'nats-headless', 'nats', {
    spec: {
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: selector('nats'),
      ports: [{ name: 'client', port: 4222 }],
    },
  }),
  object('policy/v1', 'PodDisruptionBudget', 'edge', 'edge', budget('edge')),
  object('policy/v1', 'PodDisruptionBudget', 'nats', 'nats', budget('nats')),
  object('networking.k8s.io/v1', 'NetworkPolicy', 'edge', 'edge', policy('edge')),
  object('networking.k8s.io/v1', 'NetworkPolicy', 'nats', 'nats', policy('nats')),
]

/** Made anew at each call. */
export function soundRendering(): Rendering {
  return {
    objects: parseObjects(objects.map((each) => stringify(each, { aliasDuplicateObjects: false })).join('---\n')),
    namespace: 'post',
    release: 'sound',
    secrets: {},
  }
}

/** An object to be spoilt or added. Throws if there is none. */
export function pick({ objects: all }: Rendering, kind: string, name: string): KubeObject {
  const found = all.find((each) => each.kind === kind && each.metadata.name === name)
  if (found === undefined) throw new Error(`there is no ${kind}/${name} in the sound release`)
  return found
}

export function extra(apiVersion: string, kind: string, name: string, rest: object): KubeObject {
  return object(apiVersion, kind, name, 'edge', rest)
}
