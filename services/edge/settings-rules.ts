/** What the table of settings cannot say: settings that need one another. */
import { parseNetwork, parseNetworks } from '@posthouse/core/network'
import { queueRules } from '@posthouse/runtime/settings/queue-options'
import type { EdgeSettings } from './settings.ts'

/** One line for each thing wrong. */
export function settingsRules(settings: EdgeSettings): string[] {
  const wrong = queueRules(settings)
  const { certFile, keyFile } = settings.tls
  if ((certFile === undefined) !== (keyFile === undefined)) wrong.push('tls.certFile: goes with tls.keyFile')
  const hasTls = certFile !== undefined || settings.local
  for (const [index, listener] of settings.listeners.entries()) {
    const place = `listeners[${index}]`
    wrong.push(...proxyRules(listener, place))
    if (listener.role === 'relay') {
      if (listener.networks.length === 0) wrong.push(`${place}.networks: a relay listener needs the networks it serves`)
      else if ('invalid' in parseNetworks(listener.networks)) wrong.push(`${place}.networks: not all are networks`)
      continue
    }
    if (listener.networks.length > 0) wrong.push(`${place}.networks: only a relay listener has networks`)
    if (!hasTls) wrong.push(`${place}.role: ${listener.role} needs tls.certFile and tls.keyFile`)
    if (settings.usersFile === undefined) wrong.push(`${place}.role: ${listener.role} needs usersFile`)
  }
  return wrong
}

function proxyRules({ networks, proxyFrom }: EdgeSettings['listeners'][number], place: string): string[] {
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
