/** What the table of settings cannot say: each complaint one line that begins with the setting's path. */
import { isIP } from 'node:net'
import { canonicalAddress } from '@posthouse/core/network'
import { hopName, parseRouteDomain } from '@posthouse/core/route-table'
import { socksLoginFault } from '@posthouse/core/socks5'
import { queueRules } from '@posthouse/runtime/settings/queue-options'
import { splitHostPort } from '@posthouse/runtime/settings/formats'
import type { DeliverySettings } from './settings.ts'

export function settingsRules(settings: DeliverySettings): string[] {
  const { retry, lifetime, limits } = settings
  const wrong = queueRules(settings)
  if (retry.first > retry.longest) wrong.push('retry.first: must not be longer than retry.longest')
  if (retry.first > lifetime) wrong.push('retry.first: must not be longer than lifetime')
  if (limits.connectionsPerDestination > limits.connections)
    wrong.push('limits.connectionsPerDestination: must not be more than limits.connections')
  return [...wrong, ...routeRules(settings), ...egressRules(settings)]
}

function routeRules({ route }: DeliverySettings): string[] {
  const wrong: string[] = []
  const seen = new Map<string, number>()
  for (const [index, { domain, hosts }] of route.domains.entries()) {
    const path = `route.domains[${index}]`
    const repeated = twice(hosts, hostKey)
    if (repeated !== undefined) wrong.push(`${path}.hosts: ${repeated} comes twice`)
    const parsed = parseRouteDomain(domain)
    if (parsed.is === 'invalid') {
      const meant = domain.startsWith('*.') ? `; for every domain below it write ${domain.slice(1)}` : ''
      wrong.push(
        `${path}.domain: must be a domain, one with a dot in front, or *, not ${JSON.stringify(domain)}${meant}`,
      )
      continue
    }
    if (parsed.is === 'all' && route.smarthosts.length > 0)
      wrong.push(`${path}.domain: * leaves nothing for route.smarthosts; set one of the two`)
    const key = parsed.is === 'all' ? '*' : `${parsed.is === 'below' ? '.' : ''}${parsed.domain}`
    const first = seen.get(key)
    if (first === undefined) seen.set(key, index)
    else wrong.push(`${path}.domain: ${key} has its hosts in route.domains[${first}]`)
  }
  return wrong
}

function egressRules({ egress }: DeliverySettings): string[] {
  const { addresses, socks, socksUser, socksPassword } = egress
  const wrong: string[] = []
  if (socks.length > 0 && addresses.length > 0)
    wrong.push(
      'egress.addresses: means nothing with egress.socks, where the proxies have their own; set one of the two',
    )
  for (const address of addresses)
    if (/^[0.:]+$/.test(canonicalAddress(address) ?? address)) wrong.push(`egress.addresses: ${address} is no source`)
    else if (isIP(address) === 6 && canonicalAddress(address)?.includes(':') === false)
      wrong.push(`egress.addresses: write ${address} as an IPv4 address`)
  for (const [path, list, key] of [
    ['egress.addresses', addresses, (text: string) => canonicalAddress(text) ?? text],
    ['egress.socks', socks, hostKey],
  ] as const) {
    const repeated = twice(list, key)
    if (repeated !== undefined) wrong.push(`${path}: ${repeated} comes twice`)
  }
  for (const [path, value, other, otherPath] of [
    ['egress.socksUser', socksUser, socksPassword, 'egress.socksPassword'],
    ['egress.socksPassword', socksPassword, socksUser, 'egress.socksUser'],
  ] as const) {
    if (value === undefined) continue
    if (socks.length === 0) wrong.push(`${path}: means nothing without egress.socks`)
    else if (other === undefined) wrong.push(`${path}: means nothing without ${otherPath}`)
    const fault = socksLoginFault(value)
    if (fault !== undefined) wrong.push(`${path}: ${fault}`)
  }
  return wrong
}

function hostKey(text: string): string {
  const hop = splitHostPort(text)
  return hop === undefined ? text : hopName(hop)
}

/** The first that is there a second time. */
function twice(list: readonly string[], key: (text: string) => string): string | undefined {
  const seen = new Set<string>()
  return list.find((text) => seen.size === seen.add(key(text)).size)
}
