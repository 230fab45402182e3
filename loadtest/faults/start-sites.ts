// The far ends of the mail, in this process: a sink for each address, with a domain and an MX host of its own, and the DNS
// server that names them. Answers live for seconds, so that a fault ends soon after it is healed.

import { DnsZone, type DnsEntry } from '@posthouse/testkit/dns-zone'
import { startSink, type Sink } from '../sink.ts'
import type { DnsBehaviour, Sites, SitesOptions } from './sites.ts'

/** Recipients whose address begins so are refused for good: their mail bounces. */
export const REFUSED_PREFIX = 'refused.'

/** Where bounces go: the domains that the load sends from. */
export const SENDER_DOMAINS: readonly string[] = ['sender.example', 'posthouse.example']

const TTL_S = 5

export async function startSites(options: SitesOptions): Promise<Sites> {
  await using started = new AsyncDisposableStack()
  const sinks = new Map<string, Sink>()
  for (const [index, host] of options.addresses.entries()) {
    const sink = await startSink({
      host,
      port: options.port,
      traceHeaders: 1,
      refusePrefix: REFUSED_PREFIX,
      nameOf: (address, hello) => deliveryNamedIn(hello) ?? options.nameOf(address),
      record: options.record,
    })
    sinks.set(domainOf(index), started.use(sink))
  }
  const zone = started.use(await DnsZone.start({}, options.dns))
  const serve = (behaviour: DnsBehaviour) => {
    zone.names.clear()
    zone.otherwise = behaviour === 'silent' || behaviour === 'SERVFAIL' ? behaviour : undefined
    if (zone.otherwise !== undefined) return
    const names = behaviour === 'right' ? truth(options.addresses) : lies(options.addresses)
    for (const [name, entry] of names) zone.names.set(name, entry)
  }
  serve('right')
  const all = started.move()
  return {
    domains: [...sinks.keys()],
    behave(domain, behaviour) {
      const sink = sinks.get(domain)
      if (sink === undefined) throw new Error(`there is no site ${domain}`)
      sink.behave({ refusePrefix: REFUSED_PREFIX, ...behaviour })
    },
    dns: serve,
    heal() {
      serve('right')
      for (const sink of sinks.values()) {
        sink.behave({ refusePrefix: REFUSED_PREFIX })
        sink.dropSilenced()
      }
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

function domainOf(index: number): string {
  return `site-${index + 1}.example`
}

/** On loopback all nodes have one address; there only the name that a delivery node says in EHLO tells. */
function deliveryNamedIn(hello: string): string | undefined {
  const [label = ''] = hello.split('.')
  return /^delivery-\d+$/.test(label) ? label : undefined
}

function truth(addresses: readonly string[]): [string, DnsEntry][] {
  return addresses.flatMap((address, index) => {
    const host = `mx.${domainOf(index)}`
    return [...mailGoesTo(index, [host]), [host, { a: [address], ttl: TTL_S }]]
  })
}

/** A host that does not exist alone would be a reason to return the mail: the second makes it one to try again. */
function lies(addresses: readonly string[]): [string, DnsEntry][] {
  const nobody = nobodyNear(addresses)
  return addresses.flatMap((_, index) => {
    const [gone, deaf] = [`gone.${domainOf(index)}`, `deaf.${domainOf(index)}`]
    return [...mailGoesTo(index, [gone, deaf]), [deaf, { a: [nobody], ttl: TTL_S }]]
  })
}

/** The first site takes the bounces as well. */
function mailGoesTo(index: number, hosts: readonly string[]): [string, DnsEntry][] {
  const entry: DnsEntry = { mx: hosts.map((host, at) => [10 * (at + 1), host]), ttl: TTL_S }
  return [domainOf(index), ...(index === 0 ? SENDER_DOMAINS : [])].map((domain) => [domain, entry])
}

/** An address of the sites' network that is no site's. */
function nobodyNear(addresses: readonly string[]): string {
  const [first = '127.0.0.1'] = addresses
  const network = first.slice(0, first.lastIndexOf('.'))
  for (let host = 250; host > 0; host--) {
    const address = `${network}.${host}`
    if (!addresses.includes(address)) return address
  }
  throw new Error(`every address of ${network} is a site's`)
}
