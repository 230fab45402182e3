// Who may reach whom: first that the evaluation does what the API says, then what the policies of the chart come to. A denial
// is asked for with addresses, which blocks of addresses may mean; a leave without, when they may not.

import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { KubeObject, NetworkRules, PodTemplate, Rendering } from './manifest.ts'
import { barred, podOf, strange, tcp, udp, type End, type Port } from './reachability.ts'
import { NAMESPACE, RELEASE } from './render.ts'
import { renderScenario, scenario, type Scenario } from './scenarios.ts'

const template = (
  labels: Record<string, string>,
  ports: PodTemplate['spec']['containers'][0]['ports'] = [],
): PodTemplate => ({
  metadata: { labels },
  spec: { containers: [{ name: 'a', ports }] },
})
const internet: End = { is: 'host', name: 'the Internet', address: '203.0.113.7' }

describe('a policy', () => {
  const server = strange(
    'server',
    template({ app: 'server' }, [{ name: 'smtp', containerPort: 2525 }]),
    'here',
    '10.0.0.1',
  )
  const client = strange('client', template({ app: 'client' }), 'here', '10.0.0.2')
  const far = strange('far', template({ app: 'client' }), 'there', '10.0.0.3')
  const onNode = strange('on the node', template({ app: 'client' }), 'here', '10.9.0.1')
  onNode.template.spec.hostNetwork = true
  const of = (...rules: NetworkRules[]): Rendering => ({
    namespace: 'here',
    release: 'r',
    secrets: {},
    objects: rules.map((spec, index): KubeObject => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: `p${index}`, namespace: 'here' },
      spec: spec as unknown as Record<string, unknown>,
    })),
  })
  const servers = { podSelector: { matchLabels: { app: 'server' } } }
  const clients = { podSelector: { matchLabels: { app: 'client' } } }
  const into = (ingress: NonNullable<NetworkRules['ingress']>) => of({ ...servers, policyTypes: ['Ingress'], ingress })

  const table: [what: string, rendering: Rendering, from: End, to: End, port: Port, may: boolean][] = [
    ['that is none lets all through', of(), client, server, tcp(1), true],
    ['of others lets all through', of({ ...clients, policyTypes: ['Ingress'] }), client, server, tcp(1), true],
    ['without rules lets nobody in', of({ ...servers, policyTypes: ['Ingress'] }), client, server, tcp(2525), false],
    [
      'of what comes in says nothing of what goes out',
      of({ ...clients, policyTypes: ['Ingress'] }),
      client,
      server,
      tcp(1),
      true,
    ],
    ['without rules lets nobody out', of({ ...clients, policyTypes: ['Egress'] }), client, server, tcp(2525), false],
    ['without types is one of what comes in', of(servers), client, server, tcp(2525), false],
    ['with an empty rule lets everybody in', into([{}]), internet, server, tcp(9), true],
    ['knows pods of its own namespace', into([{ from: [clients] }]), client, server, tcp(9), true],
    ['does not mean pods of another by their labels', into([{ from: [clients] }]), far, server, tcp(9), false],
    ['does not mean hosts by labels', into([{ from: [{ podSelector: {} }] }]), internet, server, tcp(9), false],
    ['does not mean pods on the network of their node', into([{ from: [clients] }]), onNode, server, tcp(9), false],
    ['means all pods of all namespaces', into([{ from: [{ namespaceSelector: {} }] }]), far, server, tcp(9), true],
    [
      'means some pods of some namespaces',
      into([{ from: [{ ...clients, namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'here' } } }] }]),
      far,
      server,
      tcp(9),
      false,
    ],
    ['knows ports by name', into([{ ports: [{ port: 'smtp' }] }]), client, server, tcp(2525), true],
    ['knows ports by number', into([{ ports: [{ port: 25 }] }]), client, server, tcp(2525), false],
    ['knows ranges of ports', into([{ ports: [{ port: 2000, endPort: 2525 }] }]), client, server, tcp(2525), true],
    ['takes a port without protocol for TCP', into([{ ports: [{ port: 53 }] }]), client, server, udp(53), false],
    ['knows UDP', into([{ ports: [{ port: 53, protocol: 'UDP' }] }]), client, server, udp(53), true],
    [
      'knows blocks of addresses',
      into([{ from: [{ ipBlock: { cidr: '203.0.113.0/24' } }] }]),
      internet,
      server,
      tcp(9),
      true,
    ],
    [
      'knows holes in them',
      into([{ from: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['203.0.113.0/24'] } }] }]),
      internet,
      server,
      tcp(9),
      false,
    ],
    [
      'keeps the families of addresses apart',
      into([{ from: [{ ipBlock: { cidr: '::/0' } }] }]),
      internet,
      server,
      tcp(9),
      false,
    ],
    [
      'adds to another',
      of({ ...servers, policyTypes: ['Ingress'] }, { podSelector: {}, policyTypes: ['Ingress'], ingress: [{}] }),
      client,
      server,
      tcp(9),
      true,
    ],
    [
      'at one end does not do for the other',
      of(
        { ...clients, policyTypes: ['Egress'], egress: [{}] },
        { ...servers, policyTypes: ['Ingress'], ingress: [{ from: [servers] }] },
      ),
      client,
      server,
      tcp(9),
      false,
    ],
    [
      'of its pods does not hold on the network of a node',
      of({ ...clients, policyTypes: ['Egress'] }),
      onNode,
      server,
      tcp(9),
      true,
    ],
  ]
  for (const [what, rendering, from, to, port, may] of table) {
    test(what, () => assert.equal(barred(rendering, from, to, port) === undefined, may))
  }
})

/** The ends of a release, with or without addresses. */
function cast(rendering: Rendering, addresses: boolean) {
  const at = (n: number) => (addresses ? `10.244.0.${n}` : undefined)
  const own = (kind: string, name: string, n: number) => podOf(rendering, `${kind}/${RELEASE}-posthouse-${name}`, at(n))
  const foreign = (labels: Record<string, string>, namespace: string, n: number) =>
    strange(`a pod of ${namespace}`, template(labels, [{ name: 'smtp', containerPort: 25 }]), namespace, at(n))
  return {
    edge: own('Deployment', 'edge', 1),
    delivery: own('Deployment', 'delivery', 2),
    nats: own('StatefulSet', 'nats', 3),
    otherNats: own('StatefulSet', 'nats', 4),
    test: own('Pod', 'test', 5),
    neighbour: foreign({ app: 'web' }, NAMESPACE, 6),
    stranger: foreign({ app: 'web' }, 'elsewhere', 7),
    admin: own('Deployment', 'admin', 10),
    // Poses as one of the release, from another namespace.
    impostor: foreign(
      {
        'app.kubernetes.io/name': 'posthouse',
        'app.kubernetes.io/instance': RELEASE,
        'app.kubernetes.io/component': 'edge',
      },
      'elsewhere',
      8,
    ),
    dns: strange('the DNS', template({ 'k8s-app': 'kube-dns' }), 'kube-system', at(9)),
    internet,
    internet6: { is: 'host', name: 'the Internet', address: '2001:db8::7' } satisfies End,
    // The service of the cloud that hands out credentials.
    metadata: { is: 'host', name: 'the metadata of the cloud', address: '169.254.169.254' } satisfies End,
  }
}
type Who = keyof ReturnType<typeof cast>

const SMTP = [2587, 2465].map(tcp)
const NATS_PORTS = [4222, 6222, 8222].map(tcp)
const DNS = [udp(53), tcp(53)]
const ANY = [22, 25, 53, 80, 443, 465, 587, 2525, 2587, 4222, 6222, 8080, 8222, 9090].map(tcp)
const but = (ports: readonly Port[], ...without: number[]) => ports.filter(({ number }) => !without.includes(number))

interface Row {
  readonly from: Who
  readonly to: Who
  readonly may?: readonly Port[]
  readonly mayNot?: readonly Port[]
}

const matrix: readonly Row[] = [
  // Mail comes in from everywhere, metrics are read from inside, and nothing else reaches an edge.
  { from: 'internet', to: 'edge', may: SMTP, mayNot: but(ANY, 2587) },
  { from: 'internet6', to: 'edge', may: SMTP, mayNot: [tcp(8080)] },
  { from: 'stranger', to: 'edge', may: [...SMTP, tcp(8080)], mayNot: but(ANY, 2587, 8080) },
  { from: 'neighbour', to: 'edge', may: [...SMTP, tcp(8080)] },
  // An edge talks to the queue and the DNS; not to the Internet, and to nobody else in the cluster.
  { from: 'edge', to: 'nats', may: [tcp(4222)], mayNot: but(ANY, 4222) },
  { from: 'edge', to: 'dns', may: DNS, mayNot: but(ANY, 53) },
  { from: 'edge', to: 'internet', mayNot: ANY },
  { from: 'edge', to: 'internet6', mayNot: ANY },
  { from: 'edge', to: 'metadata', mayNot: ANY },
  { from: 'edge', to: 'delivery', mayNot: ANY },
  { from: 'edge', to: 'neighbour', mayNot: ANY },
  { from: 'edge', to: 'stranger', mayNot: ANY },
  // A delivery node brings mail to any host, and nobody connects to it but for its metrics.
  { from: 'delivery', to: 'internet', may: [tcp(25)], mayNot: but(ANY, 25, 53, 2525) },
  { from: 'delivery', to: 'internet6', may: [tcp(25)], mayNot: [tcp(443)] },
  { from: 'delivery', to: 'metadata', mayNot: [tcp(80), tcp(443)] },
  { from: 'delivery', to: 'nats', may: [tcp(4222)], mayNot: but(ANY, 25, 53, 2525, 4222) },
  { from: 'delivery', to: 'dns', may: DNS },
  { from: 'delivery', to: 'edge', mayNot: but(ANY, 53) },
  { from: 'internet', to: 'delivery', mayNot: ANY },
  { from: 'stranger', to: 'delivery', may: [tcp(8080)], mayNot: but(ANY, 8080) },
  { from: 'edge', to: 'delivery', mayNot: [tcp(8080)] },
  // An admin node talks to the queue, and to the Internet where there are webhooks.
  { from: 'admin', to: 'nats', may: [tcp(4222)], mayNot: but(ANY, 4222) },
  { from: 'admin', to: 'dns', may: DNS, mayNot: but(ANY, 53) },
  { from: 'admin', to: 'internet', mayNot: ANY },
  { from: 'admin', to: 'edge', mayNot: ANY },
  { from: 'internet', to: 'admin', mayNot: ANY },
  { from: 'stranger', to: 'admin', may: [tcp(8080)], mayNot: but(ANY, 8080) },
  // The queue hears the release's own nodes and nobody else.
  { from: 'neighbour', to: 'nats', mayNot: [...ANY, ...NATS_PORTS] },
  { from: 'stranger', to: 'nats', mayNot: [...ANY, ...NATS_PORTS] },
  { from: 'impostor', to: 'nats', mayNot: [...ANY, ...NATS_PORTS] },
  { from: 'internet', to: 'nats', mayNot: [...ANY, ...NATS_PORTS] },
  { from: 'test', to: 'nats', mayNot: NATS_PORTS },
  { from: 'edge', to: 'nats', mayNot: [tcp(6222), tcp(8222)] },
  { from: 'delivery', to: 'nats', mayNot: [tcp(6222), tcp(8222)] },
  { from: 'nats', to: 'otherNats', may: [tcp(6222)], mayNot: but(ANY, 6222) },
  { from: 'nats', to: 'dns', may: DNS },
  { from: 'nats', to: 'internet', mayNot: ANY },
  { from: 'nats', to: 'edge', mayNot: ANY },
  { from: 'nats', to: 'delivery', mayNot: ANY },
  // The test sends a message in by the edge, and has it brought by a delivery node.
  { from: 'test', to: 'edge', may: SMTP, mayNot: but(ANY, 2587) },
  { from: 'test', to: 'dns', may: DNS },
  { from: 'test', to: 'internet', mayNot: ANY },
  { from: 'delivery', to: 'test', may: [tcp(2525)], mayNot: but(ANY, 53, 2525) },
  { from: 'edge', to: 'test', mayNot: ANY },
  { from: 'stranger', to: 'test', mayNot: ANY },
  { from: 'internet', to: 'test', mayNot: ANY },
]

describe('with the defaults', () => {
  let rendering: Rendering
  before(async () => {
    rendering = await renderScenario(scenario('the defaults'))
  })
  for (const { from, to, may = [], mayNot = [] } of matrix) {
    test(`${from} -> ${to}: ${said(may)}${mayNot.length > 0 ? `, not ${said(mayNot)}` : ''}`, () => {
      const [plain, addressed] = [cast(rendering, false), cast(rendering, true)]
      for (const port of may) assert.equal(barred(rendering, plain[from], plain[to], port), undefined, said([port]))
      for (const port of mayNot)
        assert.notEqual(barred(rendering, addressed[from], addressed[to], port), undefined, said([port]))
    })
  }
})

function said(ports: readonly Port[]): string {
  return ports.length === 0
    ? 'nothing'
    : ports.map(({ number, protocol }) => `${number}${protocol === 'UDP' ? '/udp' : ''}`).join(' ')
}

describe('what the user says of the network', { concurrency: 2 }, () => {
  const ask = async (options: Scenario) => {
    const rendering = await renderScenario(options)
    const ends = cast(rendering, true)
    return (from: Who, to: Who, port: Port) => barred(rendering, ends[from], ends[to], port) === undefined
  }

  test('networkPolicy.smtpFrom shuts everybody else out, but for the test', async () => {
    const may = await ask({
      name: 'smtpFrom',
      values: { networkPolicy: { smtpFrom: [{ ipBlock: { cidr: '203.0.113.0/24' } }] } },
    })
    assert.ok(may('internet', 'edge', tcp(2587)))
    assert.ok(may('test', 'edge', tcp(2587)))
    assert.ok(!may('stranger', 'edge', tcp(2587)))
    assert.ok(!may('internet6', 'edge', tcp(2465)))
    assert.ok(may('stranger', 'edge', tcp(8080)))
  })

  test('networkPolicy.metricsFrom shuts everybody else out', async () => {
    const metricsFrom = [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': NAMESPACE } } }]
    const may = await ask({ name: 'metricsFrom', values: { networkPolicy: { metricsFrom } } })
    for (const node of ['edge', 'delivery', 'admin'] as const) {
      assert.ok(may('neighbour', node, tcp(8080)), node)
      assert.ok(!may('stranger', node, tcp(8080)), node)
    }
  })

  test('the ports of smarthosts, routes and proxies, and further ones, are open to delivery nodes only', async () => {
    const values = {
      networkPolicy: { deliveryPorts: [10025] },
      delivery: {
        settings: {
          route: {
            smarthosts: ['smart.example.org:587'],
            domains: [{ domain: 'a.example', hosts: ['[2001:db8::1]:2500'] }],
          },
        },
      },
    }
    const may = await ask({ name: 'ports', values })
    for (const port of [587, 2500, 10025, 2525]) {
      assert.ok(may('delivery', 'internet', tcp(port)), String(port))
      assert.ok(!may('edge', 'internet', tcp(port)), String(port))
    }
    assert.ok(!may('delivery', 'internet', tcp(443)))
    const socks = await ask(scenario('a SOCKS proxy with a password'))
    assert.ok(socks('delivery', 'internet', tcp(1080)))
  })

  test('the ports of webhooks are open to admin nodes only', async () => {
    const webhooks = ['https://a.example/x?y', 'http://b.example', 'https://[2001:db8::1]:8443/'].map((url, n) => ({
      name: `w${n}`,
      url,
      secretFile: 'x',
    }))
    const may = await ask({ name: 'webhooks', values: { admin: { settings: { webhooks } } } })
    for (const port of [443, 80, 8443]) {
      assert.ok(may('admin', 'internet', tcp(port)), String(port))
      assert.ok(!may('edge', 'internet', tcp(port)), String(port))
    }
    assert.ok(!may('admin', 'internet', tcp(25)))
  })

  test('networkPolicy.extraEgress is open to edges, delivery nodes and admin nodes', async () => {
    const extraEgress = [{ to: [{ ipBlock: { cidr: '203.0.113.7/32' } }], ports: [{ port: 4318 }] }]
    const may = await ask({ name: 'extra', values: { networkPolicy: { extraEgress } } })
    for (const node of ['edge', 'delivery', 'admin'] as const) assert.ok(may(node, 'internet', tcp(4318)), node)
    assert.ok(!may('nats', 'internet', tcp(4318)))
    assert.ok(!may('edge', 'internet6', tcp(4318)))
  })

  test('a relay listener is reached by its port, and without a listener there is none', async () => {
    const relay = { enabled: true, networks: ['192.0.2.0/24'] }
    const may = await ask({
      name: 'relay',
      values: { edge: { listeners: { relay, submissions: { enabled: false } } } },
    })
    assert.ok(may('internet', 'edge', tcp(2525)))
    assert.ok(may('internet', 'edge', tcp(2587)))
    assert.ok(!may('internet', 'edge', tcp(2465)))
  })

  test('delivery nodes on the network of their nodes still reach the queue', async () => {
    const cluster = { networks: ['10.244.0.0/16'] }
    const may = await ask({ name: 'host network', values: { delivery: { hostNetwork: true }, cluster } })
    assert.ok(may('delivery', 'nats', tcp(4222)))
    assert.ok(!may('stranger', 'nats', tcp(8222)))
  })

  test('NATS servers that exist are reached at their ports, and at no others', async () => {
    const rendering = await renderScenario({
      name: 'external',
      values: {
        nats: {
          usersExistingSecret: 'u',
          external: { enabled: true, servers: ['203.0.113.7:4333', '203.0.113.8:4222'] },
        },
      },
    })
    for (const name of ['edge', 'delivery']) {
      const pod = podOf(rendering, `Deployment/${RELEASE}-posthouse-${name}`)
      for (const port of [4333, 4222]) assert.equal(barred(rendering, pod, internet, tcp(port)), undefined, name)
      assert.notEqual(barred(rendering, pod, internet, tcp(443)), undefined, name)
    }
  })
})
