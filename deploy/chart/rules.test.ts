// Each rule is shown something wrong of each kind that it is there for, and must say so; and it must have nothing to say of
// a release in which all is well.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Container, KubeObject, PodSpec, Rendering } from './manifest.ts'
import { broken, rules, type Excuses } from './rules.ts'
import { extra, pick, soundRendering } from './rules/sound.ts'

type Plant = (at: Bed) => void

/** The parts that are spoilt most often. */
interface Bed {
  readonly rendering: Rendering
  readonly objects: KubeObject[]
  readonly pod: PodSpec
  readonly container: Container
  readonly of: (kind: string, name: string) => KubeObject
}

function bed(): Bed {
  const rendering = soundRendering()
  const of = (kind: string, name: string) => pick(rendering, kind, name)
  const pod = of('Deployment', 'edge').spec?.template?.spec as PodSpec
  return { rendering, objects: rendering.objects as KubeObject[], pod, container: pod.containers[0] as Container, of }
}

const context = (container: Container) => (container.securityContext ??= {})
const spec = (object: KubeObject) => (object.spec ??= {})
const selector = (object: KubeObject) =>
  (spec(object)['selector'] as { matchLabels: Record<string, string> }).matchLabels
const hpa = (name: string, target: string) =>
  extra('autoscaling/v2', 'HorizontalPodAutoscaler', name, {
    spec: { scaleTargetRef: { kind: 'Deployment', name: target } },
  })
const setting = (at: Bed, text: string) => {
  const config = at.of('ConfigMap', 'edge')
  config.data = { 'edge.yaml': `${config.data?.['edge.yaml']}${text}` }
}

/** By rule: what is done to the sound release, and what the rule says then. */
const planted: Readonly<Record<string, readonly [what: string, plant: Plant, says: RegExp][]>> = {
  'restricted Pod Security': [
    ['hostNetwork', ({ pod }) => (pod.hostNetwork = true), /hostNetwork is on/],
    ['hostPID', ({ pod }) => (pod.hostPID = true), /hostPID is on/],
    ['hostIPC', ({ pod }) => (pod.hostIPC = true), /hostIPC is on/],
    ['hostPath', ({ pod }) => pod.volumes?.push({ name: 'root', hostPath: {} }), /volume root is a hostPath/],
    ['a pod that may be root', ({ pod }) => delete pod.securityContext?.runAsNonRoot, /container edge: runAsNonRoot/],
    ['user 0', ({ pod }) => ((pod.securityContext ??= {}).runAsUser = 0), /runAsUser 0/],
    ['user 0 of a container', ({ container }) => (context(container).runAsUser = 0), /container edge: .*runAsUser 0/],
    ['a container that is root', ({ container }) => (context(container).runAsNonRoot = false), /runAsNonRoot false/],
    ['no seccomp', ({ pod }) => delete pod.securityContext?.seccompProfile, /seccompProfile is not set/],
    [
      'seccomp off',
      ({ container }) => (context(container).seccompProfile = { type: 'Unconfined' }),
      /seccompProfile Unconfined/,
    ],
    ['AppArmor off', ({ pod }) => ((pod.securityContext ??= {}).appArmorProfile = { type: 'Unconfined' }), /appArmor/],
    [
      'an SELinux type',
      ({ container }) => (context(container).seLinuxOptions = { type: 'spc_t' }),
      /SELinux type spc_t/,
    ],
    ['an SELinux role', ({ container }) => (context(container).seLinuxOptions = { role: 'sysadm_r' }), /user or role/],
    ['a sysctl', ({ pod }) => ((pod.securityContext ??= {}).sysctls = [{ name: 'kernel.x', value: '1' }]), /kernel\.x/],
    ['privileged', ({ container }) => (context(container).privileged = true), /privileged is on/],
    ['escalation', ({ container }) => delete context(container).allowPrivilegeEscalation, /allowPrivilegeEscalation/],
    ['capabilities kept', ({ container }) => (context(container).capabilities = { drop: ['NET_RAW'] }), /lacks ALL/],
    ['no capabilities', ({ container }) => delete context(container).capabilities, /lacks ALL/],
    [
      'a capability',
      ({ container }) => (context(container).capabilities = { drop: ['ALL'], add: ['SYS_ADMIN'] }),
      /adds the capability SYS_ADMIN/,
    ],
    ['procMount', ({ container }) => (context(container).procMount = 'Unmasked'), /procMount/],
    ['a hostPort', ({ container }) => container.ports?.push({ containerPort: 25, hostPort: 25 }), /hostPort/],
    [
      'a probe of another host',
      ({ container }) => (container.livenessProbe = { tcpSocket: { port: 80, host: '10.0.0.1' } }),
      /livenessProbe names a host/,
    ],
    [
      'hostProcess',
      ({ container }) => (context(container).windowsOptions = { hostProcess: true }),
      /Windows hostProcess/,
    ],
    [
      'an init container',
      ({ pod }) => (pod.initContainers = [{ name: 'first', image: 'a:1' }]),
      /container first: allowPrivilegeEscalation/,
    ],
    [
      'a pod of a CronJob',
      ({ objects }) =>
        objects.push(
          extra('batch/v1', 'CronJob', 'nightly', {
            spec: { jobTemplate: { spec: { template: { spec: { hostPID: true, containers: [] } } } } },
          }),
        ),
      /CronJob\/nightly: hostPID/,
    ],
  ],
  'read-only root': [
    [
      'a root to write to',
      ({ container }) => delete context(container).readOnlyRootFilesystem,
      /readOnlyRootFilesystem/,
    ],
  ],
  'no token': [
    ['a token', ({ pod }) => delete pod.automountServiceAccountToken, /Deployment\/edge: automount/],
    [
      'a token of the account',
      ({ of }) => delete of('ServiceAccount', 'sound').automountServiceAccountToken,
      /Account\/s/,
    ],
    [
      'rights',
      ({ objects }) => objects.push(extra('rbac.authorization.k8s.io/v1', 'RoleBinding', 'all', {})),
      /RoleBinding\/all: nothing here asks/,
    ],
  ],
  resources: [
    ['no requests', ({ container }) => delete container.resources?.requests, /requests no cpu/],
    ['no memory', ({ container }) => delete container.resources?.requests?.['memory'], /requests no memory/],
    ['no limit', ({ container }) => delete container.resources?.limits, /no limit of memory/],
  ],
  probes: [
    ['no liveness', ({ container }) => delete container.livenessProbe, /edge has no livenessProbe/],
    ['no readiness', ({ container }) => delete container.readinessProbe, /edge has no readinessProbe/],
    [
      'a sidecar',
      ({ pod }) => (pod.initContainers = [{ name: 'beside', restartPolicy: 'Always' }]),
      /beside has no livenessProbe/,
    ],
  ],
  'pinned images': [
    ['latest', ({ container }) => (container.image = 'posthouse:latest'), /latest is another one/],
    ['no tag', ({ container }) => (container.image = 'registry.example:5000/posthouse'), /has no tag/],
    ['half a digest', ({ container }) => (container.image = 'posthouse@sha256:12'), /no whole digest/],
  ],
  'standard labels': [
    ['no version', ({ of }) => delete of('Service', 'edge').metadata.labels?.['app.kubernetes.io/version'], /no label/],
    ['no labels', ({ of }) => delete of('Secret', 'word').metadata.labels, /Secret\/word has no label/],
    ['a pod without', ({ of }) => delete spec(of('Deployment', 'edge')).template?.metadata, /edge: pod has no label/],
    [
      'a number',
      ({ of }) => ((of('Service', 'edge').metadata.labels as Record<string, unknown>)['helm.sh/chart'] = 1),
      /is no label/,
    ],
    [
      'a space',
      ({ of }) => ((of('Service', 'edge').metadata.labels ??= {})['team'] = 'post office'),
      /"post office" is no label/,
    ],
    [
      'another release',
      ({ of }) => ((of('Service', 'edge').metadata.labels ??= {})['app.kubernetes.io/instance'] = 'other'),
      /does not name its release/,
    ],
  ],
  'proper names': [
    ['one object twice', ({ objects, of }) => objects.push(of('Secret', 'word')), /is there twice/],
    ['another namespace', ({ of }) => (of('Secret', 'word').metadata.namespace = 'kube-system'), /kube-system/],
    ['a dot', ({ of }) => (of('ConfigMap', 'edge').metadata.name = 'a.b'), /a name that is none/],
    ['a long name', ({ of }) => (of('StatefulSet', 'nats').metadata.name = 'n'.repeat(53)), /a name that is none/],
    ['a digit', ({ of }) => (of('Service', 'edge').metadata.name = '9mail'), /begins with no letter/],
  ],
  'lasting selectors': [
    [
      'a version',
      ({ of }) => (selector(of('Deployment', 'edge'))['app.kubernetes.io/version'] = '1.0.0'),
      /selects by app\.kubernetes\.io\/version, which may change/,
    ],
    [
      'no component',
      ({ of }) => delete selector(of('Deployment', 'edge'))['app.kubernetes.io/component'],
      /does not select by .*component[^]*selects the pods of StatefulSet\/nats/,
    ],
    [
      'others',
      ({ of }) => (selector(of('Deployment', 'edge'))['app.kubernetes.io/component'] = 'nats'),
      /does not select its own pods/,
    ],
    [
      'spread of others',
      ({ pod }) =>
        (pod.topologySpreadConstraints = [{ topologyKey: 'zone', labelSelector: { matchLabels: { a: 'b' } } }]),
      /spreads other pods/,
    ],
  ],
  'current versions': [
    [
      'an old version',
      ({ of }) => (of('PodDisruptionBudget', 'edge').apiVersion = 'policy/v1beta1'),
      /policy\/v1beta1/,
    ],
    ['an unknown kind', ({ objects }) => objects.push(extra('example.org/v1', 'Thing', 'x', {})), /Thing\/x/],
  ],
  'only Kubernetes kinds': [
    [
      'a PodMonitor',
      ({ objects }) => objects.push(extra('monitoring.coreos.com/v1', 'PodMonitor', 'edge', {})),
      /not every cluster has this kind/,
    ],
  ],
  services: [
    ['nothing selected', ({ of }) => delete spec(of('Service', 'edge'))['selector'], /selects nothing/],
    [
      'nobody there',
      ({ of }) => (spec(of('Service', 'edge'))['selector'] = { 'app.kubernetes.io/component': 'gone' }),
      /the pods of nothing/,
    ],
    [
      'everybody',
      ({ of }) => (spec(of('Service', 'edge'))['selector'] = { 'app.kubernetes.io/instance': 'sound' }),
      /Deployment\/edge and StatefulSet\/nats/,
    ],
    [
      'another component',
      ({ of }) => ((of('Service', 'edge').metadata.labels ??= {})['app.kubernetes.io/component'] = 'nats'),
      /pods of another component/,
    ],
    ['a port nobody has', ({ container }) => container.ports?.shift(), /leads port smtp to smtp/],
    [
      'a number nobody has',
      ({ of }) => (spec(of('Service', 'edge'))['ports'] = [{ name: 'smtp', port: 25 }]),
      /leads port smtp to 25/,
    ],
    ['no ports', ({ of }) => (spec(of('Service', 'edge'))['ports'] = []), /has no port/],
    [
      'a port twice',
      ({ of }) =>
        (spec(of('Service', 'edge'))['ports'] = [
          { name: 'a', port: 25, targetPort: 'smtp' },
          { name: 'b', port: 25, targetPort: 'http' },
        ]),
      /one port twice/,
    ],
    [
      'a name twice',
      ({ of }) =>
        (spec(of('Service', 'edge'))['ports'] = [
          { name: 'a', port: 25, targetPort: 'smtp' },
          { name: 'a', port: 26, targetPort: 'http' },
        ]),
      /two ports of one name/,
    ],
  ],
  'governing services': [
    ['none', ({ of }) => (spec(of('StatefulSet', 'nats'))['serviceName'] = 'nats'), /there is no Service nats/],
    ['one with an address', ({ of }) => delete spec(of('Service', 'nats-headless'))['clusterIP'], /not headless/],
    [
      'one that hides',
      ({ of }) => delete spec(of('Service', 'nats-headless'))['publishNotReadyAddresses'],
      /hides servers that are not ready/,
    ],
    [
      "another's",
      ({ of }) => (spec(of('Service', 'nats-headless'))['selector'] = { a: 'b' }),
      /does not select the pods/,
    ],
  ],
  'disruption budgets': [
    [
      'none',
      ({ objects, of }) => objects.splice(objects.indexOf(of('PodDisruptionBudget', 'nats')), 1),
      /StatefulSet\/nats: its pods are in 0/,
    ],
    [
      'one for all',
      ({ of }) => delete selector(of('PodDisruptionBudget', 'nats'))['app.kubernetes.io/component'],
      /Deployment\/edge: its pods are in 2[^]*Deployment\/edge and StatefulSet\/nats, not of one/,
    ],
    ['none may go', ({ of }) => (spec(of('PodDisruptionBudget', 'edge'))['maxUnavailable'] = 0), /keeps every node/],
    ['no bound', ({ of }) => delete spec(of('PodDisruptionBudget', 'edge'))['maxUnavailable'], /allows nothing/],
  ],
  autoscalers: [
    [
      'a fixed number beside',
      ({ objects }) => objects.push(hpa('edge', 'edge')),
      /Deployment\/edge has replicas beside/,
    ],
    ['of nothing', ({ objects }) => objects.push(hpa('edge', 'gone')), /scales Deployment\/gone, which is not there/],
    ['two', ({ objects }) => objects.push(hpa('one', 'edge'), hpa('two', 'edge')), /one and .*two both scale/],
  ],
  monitors: [
    [
      'of nothing',
      ({ objects }) => objects.push(monitor({ matchLabels: { a: 'b' } }, 'http')),
      /PodMonitor\/monitor selects nothing/,
    ],
    ['of another port', ({ objects }) => objects.push(monitor({}, 'metrics')), /metrics, which Deployment\/edge/],
  ],
  'probed ports': [
    [
      'another name',
      ({ container }) => (container.livenessProbe = { httpGet: { port: 'metrics' } }),
      /livenessProbe asks metrics/,
    ],
    [
      'another number',
      ({ container }) => (container.readinessProbe = { tcpSocket: { port: 9 } }),
      /readinessProbe asks 9/,
    ],
  ],
  'restricted network': [
    [
      'no policy',
      ({ objects, of }) => objects.splice(objects.indexOf(of('NetworkPolicy', 'edge')), 1),
      /Deployment\/edge: no NetworkPolicy restricts its Egress/,
    ],
    [
      'one direction',
      ({ of }) => (spec(of('NetworkPolicy', 'nats'))['policyTypes'] = ['Egress']),
      /StatefulSet\/nats: no NetworkPolicy restricts its Ingress/,
    ],
    [
      'of nobody',
      ({ of }) => (spec(of('NetworkPolicy', 'nats'))['podSelector'] = { matchLabels: { a: 'b' } }),
      /NetworkPolicy\/nats restricts nobody/,
    ],
  ],
  volumes: [
    ['a mount of nothing', ({ container }) => container.volumeMounts?.push({ name: 'x', mountPath: '/x' }), /mounts x/],
    ['an idle volume', ({ pod }) => pod.volumes?.push({ name: 'x', emptyDir: {} }), /volume x that nobody mounts/],
    ['two of one name', ({ pod }) => pod.volumes?.push({ name: 'word', emptyDir: {} }), /two volumes word/],
    [
      'two in one place',
      ({ container }) => container.volumeMounts?.push({ name: 'word', mountPath: '/etc/posthouse/settings' }),
      /two volumes at \/etc\/posthouse\/settings/,
    ],
  ],
  keys: [
    [
      'a file',
      ({ of }) => (of('ConfigMap', 'edge').data = { 'other.yaml': '' }),
      /ConfigMap\/edge has no key edge\.yaml/,
    ],
    [
      'a mounted Secret',
      ({ pod, container }) => {
        pod.volumes?.push({ name: 'w', secret: { secretName: 'gone' } })
        container.volumeMounts?.push({ name: 'w', mountPath: '/w' })
      },
      /there is no Secret\/gone/,
    ],
    [
      'a part of a projected volume',
      ({ pod, container }) => {
        pod.volumes?.push({
          name: 'w',
          projected: { sources: [{ secret: { name: 'word', items: [{ key: 'gone', path: 'a' }] } }] },
        })
        container.volumeMounts?.push({ name: 'w', mountPath: '/w' })
      },
      /Secret\/word has no key gone/,
    ],
    [
      'two files of one name',
      ({ pod, container }) => {
        const items = [{ key: 'password', path: 'a' }]
        pod.volumes?.push({
          name: 'w',
          projected: { sources: [{ secret: { name: 'word', items } }, { secret: { name: 'word', items } }] },
        })
        container.volumeMounts?.push({ name: 'w', mountPath: '/w' })
      },
      /two files are mounted as \/w\/a/,
    ],
    [
      'a variable',
      ({ of }) => (of('Secret', 'word').data = { other: 'eA==' }),
      /WORD is to come from Secret\/word, key pa/,
    ],
    ['a reference', ({ container }) => container.env?.reverse(), /ADDRESS names WORD, which is not set before it/],
    ['a variable twice', ({ container }) => container.env?.push({ name: 'WORD', value: 'x' }), /sets WORD twice/],
    ['all of nothing', ({ container }) => (container.envFrom = [{ secretRef: { name: 'gone' } }]), /no Secret\/gone/],
    [
      'a name that is no key',
      ({ of }) => Object.assign(of('Secret', 'word').data ?? {}, { 'a@b': 'eA==' }),
      /a@b is no key/,
    ],
    [
      'a number in a ConfigMap',
      ({ of }) => Object.assign(of('ConfigMap', 'edge').data ?? {}, { count: 3 }),
      /count is no text/,
    ],
    ['an empty Secret', ({ of }) => (of('Secret', 'word').data = {}), /Secret\/word holds nothing/],
  ],
  'named files': [
    [
      'in settings',
      (at) => setting(at, 'usersFile: /etc/posthouse/users/users.yaml\n'),
      /no file \/etc\/posthouse\/users\/u/,
    ],
    ['in arguments', ({ container }) => container.args?.push('--x=/etc/posthouse/x'), /no file \/etc\/posthouse\/x/],
  ],
  accounts: [['none', ({ pod }) => (pod.serviceAccountName = 'gone'), /no ServiceAccount gone/]],
  'no leftovers': [
    [
      'a Secret',
      ({ objects }) => objects.push(extra('v1', 'Secret', 'idle', { data: { a: 'eA==' } })),
      /Secret\/idle is used by nobody/,
    ],
    [
      'a ConfigMap',
      ({ objects }) => objects.push(extra('v1', 'ConfigMap', 'idle', { data: { a: 'b' } })),
      /ConfigMap\/idle is used by nobody/,
    ],
  ],
  'secrets in Secrets': [
    [
      'a copy',
      (at) => setting(at, 'note: pretty-secret-word\n'),
      /ConfigMap\/edge shows what is in Secret\/word, key pass/,
    ],
    [
      'a copy in base64',
      ({ of }) =>
        (of('Deployment', 'edge').metadata.annotations = {
          note: Buffer.from('pretty-secret-word').toString('base64'),
        }),
      /Deployment\/edge shows/,
    ],
    ['a password in settings', (at) => setting(at, 'password: x1\n'), /sets a password in plain text/],
    ['a password in nats.conf', (at) => setting(at, '{ user: a, password: "x" }\n'), /sets a password in plain text/],
    ['an encryption key', (at) => setting(at, `key: ${'k'.repeat(32)}\n`), /sets a key in plain text/],
    ['an argument', ({ container }) => container.args?.push('--password=x'), /Deployment\/edge sets a password/],
    [
      'a variable',
      ({ container }) => container.env?.push({ name: 'A_PASSWORD', value: 'x' }),
      /sets A_PASSWORD in plain/,
    ],
    [
      'an address',
      ({ container }) => container.env?.push({ name: 'A', value: 'nats://a:b@c:4222' }),
      /a password in an address/,
    ],
  ],
  'time to stop': [
    ['too little', ({ pod }) => (pod.terminationGracePeriodSeconds = 35), /has 35 s to stop, .* edge may take 35 s/],
    ['the default', ({ pod }) => delete pod.terminationGracePeriodSeconds, /has 30 s to stop/],
    [
      'a wait before',
      ({ container }) => (container.lifecycle = { preStop: { sleep: { seconds: 10 } } }),
      /edge may take 45 s/,
    ],
    [
      'a lame duck',
      ({ of }) => (of('ConfigMap', 'nats').data = { 'nats.conf': 'lame_duck_duration: "40s"\n' }),
      /StatefulSet\/nats: has 40 s to stop/,
    ],
  ],
}

function monitor(selected: object, port: string): KubeObject {
  return extra('monitoring.coreos.com/v1', 'PodMonitor', 'monitor', {
    spec: { selector: selected, podMetricsEndpoints: [{ port }] },
  })
}

test('no rule has anything to say of a release in which all is well', () => {
  assert.deepEqual(broken(soundRendering()), [])
})

test('every rule is tried here', () => {
  assert.deepEqual(Object.keys(planted).toSorted(), rules.map(({ name }) => name).toSorted())
})

for (const { name, check } of rules) {
  describe(`${name}: finds`, () => {
    for (const [what, plant, says] of planted[name] ?? []) {
      test(what, () => {
        const at = bed()
        plant(at)
        assert.match(check(at.rendering, {}).join('\n'), says)
      })
    }
  })
}

test('what the user asked for is excused, and nothing else', () => {
  const at = bed()
  at.pod.hostNetwork = true
  at.pod.serviceAccountName = 'mine'
  at.objects.splice(at.objects.indexOf(at.of('PodDisruptionBudget', 'nats')), 1)
  at.objects.splice(at.objects.indexOf(at.of('NetworkPolicy', 'nats')), 1)
  at.objects.push(monitor({ matchLabels: { 'app.kubernetes.io/component': 'edge' } }, 'http'))
  at.of('ConfigMap', 'nats').metadata.namespace = 'other'
  const excuses: Excuses = {
    hostNetwork: ['Deployment/edge'],
    accounts: ['mine'],
    noBudget: ['StatefulSet/nats'],
    openNetwork: true,
    kinds: ['PodMonitor'],
    namespaces: ['other'],
  }
  assert.deepEqual(broken(at.rendering, excuses), [])
  for (const key of Object.keys(excuses)) {
    const { [key as keyof Excuses]: _, ...rest } = excuses
    assert.equal(broken(at.rendering, rest).length, key === 'openNetwork' ? 2 : 1, key)
  }
})
