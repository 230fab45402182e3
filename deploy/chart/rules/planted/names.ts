// What the rules on names, references and secrets must find.
import { extra } from '../sound.ts'
import { selector, setting, spec, type Planted } from './bed.ts'

export const names: Planted = {
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
}
