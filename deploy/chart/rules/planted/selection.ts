// What the rules on what points at pods must find.
import { autoscaler, monitor, selector, spec, type Planted } from './bed.ts'

export const selection: Planted = {
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
      ({ objects }) => objects.push(autoscaler('edge', 'edge')),
      /Deployment\/edge has replicas beside/,
    ],
    [
      'of nothing',
      ({ objects }) => objects.push(autoscaler('edge', 'gone')),
      /scales Deployment\/gone, which is not there/,
    ],
    [
      'two',
      ({ objects }) => objects.push(autoscaler('one', 'edge'), autoscaler('two', 'edge')),
      /one and .*two both scale/,
    ],
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
}
