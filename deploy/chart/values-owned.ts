// The settings that the chart sets itself, from values of its own: `edge.settings`, `delivery.settings` and `admin.settings` may not hold them. Each
// with where it comes from, as it reads after "left out: ". "http.*" is every setting below http.

/** By path, as in the service's table of settings. */
export type Owned = Readonly<Record<string, string>>

const ofEveryService: Owned = {
  name: 'the chart sets it from the name of the pod',
  hostname: 'the chart sets it from hostname',
  'http.*': 'the chart sets it for probes and metrics',
  'nats.*': 'the chart sets it from nats',
  'queue.partitions': 'the chart sets it from queue',
  'queue.replicas': 'the chart sets it from queue',
  'queue.storage': 'the chart sets it from queue',
}

export const ownedSettings: Readonly<Record<'edge' | 'delivery' | 'admin', Owned>> = {
  edge: {
    ...ofEveryService,
    'stop.*': 'the chart sets it from edge.drain',
    listeners: 'the chart sets it from edge.listeners',
    'tls.certFile': 'the chart sets it from edge.tls',
    'tls.keyFile': 'the chart sets it from edge.tls',
    usersFile: 'the chart sets it from edge.users',
    local: 'it is for a machine without a cluster',
    reusePort: 'no two pods share a port',
    'cluster.networks': 'the chart sets it from cluster',
    'cluster.nodeAddresses': 'the chart sets it from cluster',
  },
  delivery: {
    ...ofEveryService,
    'stop.*': 'the chart sets it from delivery.drain',
    'egress.socksPassword': 'the chart sets it from delivery.socksPasswordSecret',
  },
  admin: {
    ...ofEveryService,
    'stop.*': 'the chart sets it from admin.drain',
    'data.folder': 'the chart sets it to its volume',
    'events.room': 'the chart sets it from admin.dataSize',
  },
}

/** Where the setting comes from; undefined: it is the user's. */
export function ownerOf(owned: Owned, path: string): string | undefined {
  const group = Object.keys(owned).find((key) => key.endsWith('.*') && path.startsWith(key.slice(0, -1)))
  return owned[path] ?? (group === undefined ? undefined : owned[group])
}
