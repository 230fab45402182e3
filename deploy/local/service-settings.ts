// The settings files of the services of a local cluster, as values: what a first real installation would write by hand.

import { HOST, type Ports } from './ports.ts'
import type { Secrets } from './secrets.ts'

export interface Cluster {
  readonly nodes: 1 | 3
  readonly ports: Ports
  readonly secrets: Secrets
  /** HOST:PORT that all mail goes to. */
  readonly smarthost: string
}

type Value = Record<string, unknown>

/** How to reach the queue: in every service's settings, and all that the command line tool needs. */
export function queueSettings({ nodes, ports, secrets }: Cluster): Value {
  return {
    nats: {
      servers: ports.nats.map(({ client }) => `${HOST}:${client}`),
      user: secrets.natsUser,
      passwordFile: secrets.natsPasswordFile,
    },
    queue: { replicas: nodes },
  }
}

function commonSettings(cluster: Cluster, name: string, httpPort: number): Value {
  return {
    name,
    hostname: `${name}.posthouse.example`,
    http: { host: HOST, port: httpPort },
    ...queueSettings(cluster),
  }
}

export function edgeSettings(cluster: Cluster, index: number): Value {
  const { ports, secrets } = cluster
  return {
    ...commonSettings(cluster, `edge-${index + 1}`, ports.edges[index] as number),
    listeners: [
      { role: 'submission', host: HOST, port: ports.submission },
      { role: 'submissions', host: HOST, port: ports.submissions },
      { role: 'relay', host: HOST, port: ports.relay, networks: ['127.0.0.0/8'] },
    ],
    reusePort: true,
    local: true,
    usersFile: secrets.usersFile,
  }
}

export function deliverySettings(cluster: Cluster, index: number): Value {
  return {
    ...commonSettings(cluster, `delivery-${index + 1}`, cluster.ports.deliveries[index] as number),
    route: { smarthosts: [cluster.smarthost] },
  }
}

/** `data`: the folder of its index. */
export function adminSettings(cluster: Cluster, index: number, data: string): Value {
  return {
    ...commonSettings(cluster, `admin-${index + 1}`, cluster.ports.admins[index] as number),
    data: { folder: data },
  }
}
