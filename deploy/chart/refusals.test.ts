// Values that are wrong, unknown or contradict each other: the chart refuses them before anything is installed, with a sentence
// that names the value. What an install or a pod would stumble over later has its row here, too.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { reason, render, type RenderOptions } from './render.ts'

type Row = readonly [what: string, values: object, says: RegExp, more?: RenderOptions]

const relay = (more: object) => ({
  edge: { listeners: { relay: { enabled: true, networks: ['192.0.2.0/24'], ...more } } },
})
const user = (more: object) => ({ edge: { users: [{ name: 'app', addresses: ['@example.org'], ...more }] } })
const external = { enabled: true, servers: ['nats.example.org:4222'] }
const on = { enabled: true }
const fine: readonly [string, RenderOptions][] = [
  ['a relay for networks outside', { values: relay({}) }],
  ['a user', { values: user({}) }],
  ['external NATS', { values: { nats: { external, usersExistingSecret: 'u' } } }],
  ['a name with a hyphen', { values: { fullnameOverride: 'mail-out' } }],
]

/** By the one who sees it. */
const tables: Readonly<Record<string, readonly Row[]>> = {
  'of one value by itself': [
    ['no such value', { edg: { replicas: 2 } }, /'edg'/],
    ['no such value further down', { edge: { replica: 2 } }, /'\/edge'.*'replica'/],
    ['a text for a number', { edge: { replicas: 'two' } }, /'\/edge\/replicas': got string, want integer/],
    ['a number too small', { edge: { replicas: -1 } }, /'\/edge\/replicas': minimum/],
    [
      'a port that is none',
      { edge: { listeners: { submission: { port: 70_000 } } } },
      /'\/edge\/listeners\/submission\/port'/,
    ],
    ['an even number of servers', { nats: { replicas: 2 } }, /'\/nats\/replicas': value must be one of 1, 3, 5/],
    [
      'a word that is not one of them',
      { edge: { service: { type: 'Balancer' } } },
      /'\/edge\/service\/type': .*'NodePort'/,
    ],
    ['half a digest', { image: { digest: 'sha256:12' } }, /'\/image\/digest'/],
    ['a size without a unit', { nats: { persistence: { size: '10' } } }, /'\/nats\/persistence\/size'/],
    ['a name that is no host', { hostname: 'not a host' }, /'\/hostname': .*a host name/],
    [
      'a network that is none',
      relay({ networks: ['10.1.0.0/33'] }),
      /'\/edge\/listeners\/relay\/networks\/0': .*a network/,
    ],
    [
      'a setting that nobody has',
      { edge: { settings: { limits: { messagesize: '1MiB' } } } },
      /limits'.*'messagesize'/,
    ],
    [
      'a setting out of its range',
      { edge: { settings: { limits: { messageSize: '1KiB' } } } },
      /'\/edge\/settings\/limits\/messageSize': .*from 64KiB to 2GiB/,
    ],
    [
      'a setting of the chart',
      { delivery: { settings: { nats: { user: 'x' } } } },
      /'\/delivery\/settings\/nats'.* nats'/,
    ],
    ['a user without addresses', { edge: { users: [{ name: 'app' }] } }, /'\/edge\/users\/0'.*'addresses'/],
    ['a password in the values', user({ password: 'x' }), /'\/edge\/users\/0'.*'password'/],
    ['an address that is none', user({ addresses: ['nonsense'] }), /users.*nonsense/],
    ['a label that is none', { commonLabels: { team: 'post office' } }, /commonLabels/],
  ],
  'of how values go together': [
    ['idle delivery nodes', { delivery: { replicas: 7 } }, /^delivery\.replicas: 7 .*queue\.partitions \(6\)/],
    [
      'idle delivery nodes at times',
      { delivery: { autoscaling: { ...on, maxReplicas: 7 } } },
      /^delivery\.autoscaling\.maxReplicas: 7 .*queue\.partitions/,
    ],
    [
      'idle delivery nodes by KEDA',
      { delivery: { keda: { ...on, serverAddress: 'http://p:9090', maxReplicas: 7 } } },
      /^delivery\.keda\.maxReplicas: 7 .*queue\.partitions/,
    ],
    [
      'two autoscalers',
      { delivery: { keda: { ...on, serverAddress: 'http://p:9090' }, autoscaling: on } },
      /^delivery\.keda\.enabled: .*delivery\.autoscaling/,
    ],
    ['KEDA without Prometheus', { delivery: { keda: on } }, /^delivery\.keda\.serverAddress: /],
    [
      'a KEDA that cannot scale',
      { delivery: { keda: { ...on, serverAddress: 'http://p:9090', minReplicas: 5, maxReplicas: 4 } } },
      /^delivery\.keda\.minReplicas: 5 /,
    ],
    [
      'an autoscaler that cannot scale',
      { edge: { autoscaling: { ...on, minReplicas: 5, maxReplicas: 4 } } },
      /^edge\.autoscaling\.minReplicas: 5 /,
    ],
    ['more copies than servers', { queue: { replicas: 5 } }, /^queue\.replicas: 5 copies .* there are 3/],
    ['copies that survive nothing', { queue: { replicas: 2 } }, /^queue\.replicas: 2 copies survive no more than 1/],
    ['a queue larger than its room', { queue: { storage: '20GiB' } }, /^queue\.storage: 20GiB .*nats\.maxFileStore/],
    [
      'a queue too small for its partitions',
      { nats: { persistence: { size: '100Mi' } } },
      /^queue\.storage: .*6 partitions/,
    ],
    ['a full disk', { nats: { maxFileStore: '10GiB' } }, /^nats\.maxFileStore: .*nats\.persistence\.size/],
    [
      'no listener',
      { edge: { listeners: { submission: { enabled: false }, submissions: { enabled: false } } } },
      /^edge\.listeners: /,
    ],
    ['a relay for nobody', { edge: { listeners: { relay: on } } }, /^edge\.listeners\.relay\.networks: /],
    [
      'one port twice',
      { edge: { listeners: { submission: { port: 465 } } } },
      /^edge\.listeners\.submissions\.port: 465 is the port of submission/,
    ],
    [
      'users in two places',
      { edge: { ...user({}).edge, usersExistingSecret: 'u' } },
      /^edge\.users: .*usersExistingSecret/,
    ],
    [
      'one user twice',
      { edge: { users: [...user({}).edge.users, ...user({}).edge.users] } },
      /^edge\.users: the name "app" is there twice/,
    ],
    ["the test's own user", user({ name: 'helm-test' }), /^edge\.users: the name "helm-test"/],
    [
      'two certificates for the edges',
      {
        hostname: 'a.example',
        edge: { tls: { existingSecret: 's', certManager: { ...on, issuerRef: { name: 'i' } } } },
      },
      /^edge\.tls\.existingSecret: /,
    ],
    [
      'a certificate for no name',
      { edge: { tls: { certManager: { ...on, issuerRef: { name: 'i' } } } } },
      /^hostname: cert-manager/,
    ],
    [
      'a certificate by nobody',
      { hostname: 'a.example', edge: { tls: { certManager: on } } },
      /^edge\.tls\.certManager\.issuerRef\.name: /,
    ],
    [
      'a drain without an end',
      { edge: { drain: { notReadySeconds: 75 } } },
      /^edge\.drain\.notReadySeconds: .*deadlineSeconds/,
    ],
    [
      'two authorities',
      { internalTls: { certManager: on, existingSecrets: { nats: 'n', client: 'c' } } },
      /^internalTls\.existingSecrets: .*certManager/,
    ],
    [
      'half an authority',
      { internalTls: { existingSecrets: { nats: 'n' } } },
      /^internalTls\.existingSecrets: name both/,
    ],
    [
      'a budget that blocks',
      { edge: { podDisruptionBudget: { maxUnavailable: 0 } } },
      /^edge\.podDisruptionBudget\.max/,
    ],
    ['external NATS nowhere', { nats: { external: on, usersExistingSecret: 'u' } }, /^nats\.external\.servers: /],
    ['external NATS without users', { nats: { external } }, /^nats\.usersExistingSecret: /],
    [
      'more copies than external servers',
      { queue: { replicas: 3 }, nats: { usersExistingSecret: 'u', external: { ...external, serverCount: 1 } } },
      /^queue\.replicas: 3 copies .* there are 1/,
    ],
  ],
  'of what an install would stumble over half-way': [
    ['a release with a dot', {}, /^fullnameOverride: .*"a\.b-posthouse"/, { release: 'a.b' }],
    ['a release with a digit in front', {}, /^fullnameOverride: .*"9mail-posthouse"/, { release: '9mail' }],
    ['a name with capitals', { fullnameOverride: 'Post' }, /fullnameOverride.*Post/],
    ['a user whose name is no key of a Secret', user({ name: 'a@b' }), /^edge\.users: .*"a@b".*existingSecret/],
    ['a user with the name of the file', user({ name: 'users.yaml' }), /^edge\.users: .*"users\.yaml"/],
  ],
  'of what a pod would stumble over at its start': [
    [
      'a password for no proxy',
      { delivery: { socksPasswordSecret: 's' } },
      /^delivery\.socksPasswordSecret: .*egress\.socks/,
    ],
    [
      'a password for nobody',
      { delivery: { socksPasswordSecret: 's', settings: { egress: { socks: ['p.example:1080'] } } } },
      /^delivery\.socksPasswordSecret: .*egress\.socksUser/,
    ],
    [
      'a proxy user without a password',
      { delivery: { settings: { egress: { socks: ['p.example:1080'], socksUser: 'u' } } } },
      /^delivery\.socksPasswordSecret: /,
    ],
    [
      "a route for the test's domain",
      { delivery: { settings: { route: { domains: [{ domain: 'helm-test.invalid', hosts: ['a.example:25'] }] } } } },
      /^delivery\.settings\.route\.domains: .*helm-test\.invalid/,
    ],
    ['a relay for everybody', relay({ networks: ['0.0.0.0/0'] }), /^edge\.listeners\.relay\.networks: 0\.0\.0\.0\/0 /],
    [
      'a relay for the cluster',
      { cluster: { networks: ['10.0.0.0/8'] }, ...relay({ networks: ['10.0.0.0/8'] }) },
      /^edge\.listeners\.relay\.networks: 10\.0\.0\.0\/8 .*cluster/,
    ],
    [
      'balancers that are everybody',
      { edge: { listeners: { submission: { proxyFrom: ['0.0.0.0/0'] } } } },
      /^edge\.listeners\.submission\.proxyFrom: 0\.0\.0\.0\/0/,
    ],
    [
      'balancers that may send',
      relay({ proxyFrom: ['192.0.2.0/24'] }),
      /^edge\.listeners\.relay\.networks: 192\.0\.2\.0\/24 .*proxyFrom/,
    ],
  ],
  'of what would silently do nothing, or harm': [
    ['a key without a Secret', user({ key: 'app' }), /^edge\.users: .*"app".*existingSecret/],
    [
      'encryption of volumes that are not ours',
      { nats: { encryption: on, external, usersExistingSecret: 'u' } },
      /^nats\.encryption\.enabled: /,
    ],
    [
      'a budget that lets the majority go',
      { nats: { podDisruptionBudget: { maxUnavailable: 2 } } },
      /^nats\.podDisruptionBudget/,
    ],
    [
      'a budget that blocks for ever',
      { nats: { podDisruptionBudget: { maxUnavailable: 0 } } },
      /^nats\.podDisruptionBudget/,
    ],
    ['an image that is another one every day', { image: { tag: 'latest' } }, /^image\.tag: latest/],
    [
      'a port of the nodes that nobody gets',
      { edge: { service: { type: 'ClusterIP' }, listeners: { submission: { nodePort: 30_587 } } } },
      /^edge\.listeners\.submission\.nodePort: .*edge\.service\.type/,
    ],
  ],
}

describe('is not refused:', { concurrency: 2 }, () => {
  for (const [what, options] of fine) {
    test(what, async () => {
      const answer = await render(options)
      assert.equal(answer.is, 'rendered', answer.is === 'refused' ? answer.why : '')
    })
  }
})

for (const [kind, table] of Object.entries(tables)) {
  describe(`is refused, because ${kind}:`, { concurrency: 2 }, () => {
    for (const [what, values, says, more] of table) {
      test(what, async () => {
        const answer = await render({ values, ...more })
        assert.equal(answer.is, 'refused', 'it is not refused')
        assert.match(answer.is === 'refused' ? answer.why : '', says)
      })
    }
  })
}

test('of what helm says, the sentences are left', () => {
  const table: [said: string, left: string][] = [
    [
      "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nposthouse:\n- at '/a': x\n- at '/b': y\n\n",
      "'/a': x\n'/b': y",
    ],
    [
      'Error: execution error at (posthouse/templates/validate.yaml:1:4): a.b: no.\n\nUse --debug flag to render\n',
      'a.b: no.',
    ],
    ['Error: INSTALLATION FAILED: execution error at (posthouse/templates/x.yaml:1:4): a.b: no.\n', 'a.b: no.'],
    ['Error: chart requires kubeVersion: >=1.29.0-0\n', 'chart requires kubeVersion: >=1.29.0-0'],
  ]
  for (const [said, left] of table) assert.equal(reason(said), left)
})
