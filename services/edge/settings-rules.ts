/** What the table of settings cannot say: settings that need one another. */
import { parseNetwork, parseNetworks } from '@posthouse/core/network'
import { queueRules } from '@posthouse/runtime/settings/queue-options'
import { clusterNetworks, whyHidden } from './cluster-networks.ts'
import type { ClusterNetwork } from './cluster-networks.ts'
import type { EdgeSettings } from './settings.ts'

type ListenerSettings = EdgeSettings['listeners'][number]

/** One line for each thing wrong. `own`: what the process found out about the cluster it runs in. */
export function settingsRules(settings: EdgeSettings, own: readonly ClusterNetwork[] = []): string[] {
  const wrong = queueRules(settings)
  const { certFile, keyFile } = settings.tls
  if ((certFile === undefined) !== (keyFile === undefined)) wrong.push('tls.certFile: goes with tls.keyFile')
  if (settings.stop.notReadyFor >= settings.stop.deadline) {
    wrong.push('stop.notReadyFor: must be shorter than stop.deadline, which counts from the same moment')
  }
  const cluster = clusterNetworks(settings.cluster, own)
  if ('invalid' in parseNetworks(settings.cluster.networks)) wrong.push('cluster.networks: not all are networks')
  const hasTls = certFile !== undefined || settings.local
  for (const [index, listener] of settings.listeners.entries()) {
    const place = `listeners[${index}]`
    wrong.push(...proxyRules(listener, place))
    if (listener.role === 'relay') {
      wrong.push(...relayRules(listener, place, cluster))
      continue
    }
    if (listener.networks.length > 0) wrong.push(`${place}.networks: only a relay listener has networks`)
    if (listener.allowClusterNetworks) wrong.push(`${place}.allowClusterNetworks: only a relay listener has networks`)
    if (!hasTls) wrong.push(`${place}.role: ${listener.role} needs tls.certFile and tls.keyFile`)
    if (settings.usersFile === undefined) wrong.push(`${place}.role: ${listener.role} needs usersFile`)
  }
  return wrong
}

function relayRules(listener: ListenerSettings, place: string, cluster: readonly ClusterNetwork[]): string[] {
  const { networks, proxyFrom, allowClusterNetworks } = listener
  if (networks.length === 0) return [`${place}.networks: a relay listener needs the networks it serves`]
  if ('invalid' in parseNetworks(networks)) return [`${place}.networks: not all are networks`]
  // With load balancers that name the clients there are addresses to go by; what else comes is told apart (believedNetworks).
  if (allowClusterNetworks || proxyFrom.length > 0) return []
  return networks.flatMap((entry) => {
    const why = whyHidden(entry, cluster)
    if (why === undefined) return []
    return [
      `${place}.networks: ${entry} ${why}: strangers may come from there, their address replaced on the way (SNAT), and ` +
        `would send without a log-in; list other networks, let the load balancer name its clients (proxyFrom), or, if ` +
        `nobody else can reach this port through the cluster, set allowClusterNetworks`,
    ]
  })
}

function proxyRules({ networks, proxyFrom }: ListenerSettings, place: string): string[] {
  const balancers = parseNetworks(proxyFrom)
  if ('invalid' in balancers) return [`${place}.proxyFrom: not all are networks`]
  if (proxyFrom.some((entry) => parseNetwork(entry)?.prefix === 0)) {
    return [`${place}.proxyFrom: everybody could claim any address; name the load balancers`]
  }
  // What comes from a balancer's own address is a health check, or mail whose sender got lost on the way to the balancer.
  return networks
    .filter((entry) => balancers.covers(entry))
    .map((entry) => `${place}.networks: ${entry} lies in proxyFrom, whose own addresses are never served`)
}
