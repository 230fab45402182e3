/**
 * The networks of the cluster a node runs in. An address from there proves nothing: on the way through a service, a node
 * replaces a stranger's address by one of its own, or of the bridge behind which its pods are (SNAT), and whoever relays for
 * "the cluster" relays for everybody. What the settings do not say a process in Kubernetes knows in part by itself.
 */
import type { NetworkInterfaceInfo } from 'node:os'
import { overlaps, parseNetwork, parseNetworks } from '@posthouse/core/network'

export interface ClusterNetwork {
  readonly network: string
  /** For people: whose it is, or who says so. */
  readonly whose: string
}

export function clusterNetworks(
  settings: { readonly networks: readonly string[]; readonly nodeAddresses: readonly string[] },
  own: readonly ClusterNetwork[],
): readonly ClusterNetwork[] {
  return [
    ...settings.networks.map((network) => ({ network, whose: 'cluster.networks' })),
    ...settings.nodeAddresses.map((network) => ({ network, whose: 'cluster.nodeAddresses' })),
    ...own,
  ]
}

/**
 * What a process finds out by itself; nothing outside of Kubernetes. The whole network of an interface counts, not only the
 * address: the bridge of the node is there, whose address is the one that strangers are given on their way to a pod of
 * the same node.
 */
export function ownNetworks(
  environment: Readonly<Record<string, string | undefined>>,
  interfaces: Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>,
): readonly ClusterNetwork[] {
  if (environment['KUBERNETES_SERVICE_HOST'] === undefined) return []
  return Object.entries(interfaces).flatMap(([name, addresses]) =>
    (addresses ?? [])
      .filter(({ internal }) => !internal)
      .map(({ address, cidr }) => ({ network: cidr ?? address, whose: `${name} of this pod` })),
  )
}

const loopback = parseNetworks(['127.0.0.0/8', '::1'])

/** Why nobody can know who comes from this network; undefined if the cluster hides nobody there. */
export function whyHidden(entry: string, cluster: readonly ClusterNetwork[]): string | undefined {
  if (cluster.length === 0 || ('covers' in loopback && loopback.covers(entry))) return undefined
  const found = cluster.find(({ network }) => overlaps(entry, network))
  if (found !== undefined) return `overlaps ${found.network} (${found.whose})`
  // Also of the other family: addresses that the cluster has and does not know of here.
  return parseNetwork(entry)?.prefix === 0 ? 'is everybody, the cluster included' : undefined
}

/**
 * Those of a relay listener's networks whose addresses are believed of the connection itself. The others count only when a
 * load balancer of `proxyFrom` names the client, because the PROXY protocol does not keep anybody from going round the
 * balancer: who does so comes with an address that a node gave him, which need not be in proxyFrom, and would be served for
 * it. So the whole entry is not believed, not only what is known of the cluster in it: other nodes' addresses will be there too.
 */
export function believedNetworks(
  listener: { readonly networks: readonly string[]; readonly allowClusterNetworks: boolean },
  cluster: readonly ClusterNetwork[],
): readonly string[] {
  if (listener.allowClusterNetworks) return listener.networks
  return listener.networks.filter((entry) => whyHidden(entry, cluster) === undefined)
}
