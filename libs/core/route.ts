/**
 * Which hosts take the mail of a domain (RFC 5321 section 5.1): MX hosts by preference, equal ones by chance; the domain
 * itself if it has no MX; nobody if its MX is null (RFC 7505); and never a host that would give the mail back to us: our
 * own place in the list ends it. Works on answers of the DNS; asking is for others.
 */

export interface MxRecord {
  readonly exchange: string
  readonly priority: number
}

export type MxAnswer =
  | { readonly is: 'found'; readonly records: readonly MxRecord[] }
  /** The name exists but has no MX. */
  | { readonly is: 'none' }
  | { readonly is: 'no such name' }
  /** No answer, or a broken one: nothing can be concluded. */
  | { readonly is: 'failed'; readonly reason: string }

export type AddressAnswer =
  | { readonly is: 'found'; readonly addresses: readonly string[] }
  | { readonly is: 'none' }
  | { readonly is: 'no such name' }
  | { readonly is: 'failed'; readonly reason: string }

/** A reason not to try any host, with its status (RFC 3463). */
export type NoRoute = {
  readonly is: 'unroutable' | 'unknown'
  readonly status: string
  readonly reason: string
}
export type Route = { readonly is: 'hosts'; readonly hosts: readonly string[] } | NoRoute

/** More hosts than this are not tried in one attempt. */
const MOST_HOSTS = 20

/** `isOwn` knows our own names; `chance` gives numbers in [0, 1). */
export function planRoute(
  domain: string,
  answer: MxAnswer,
  isOwn: (host: string) => boolean,
  chance: () => number,
): Route {
  switch (answer.is) {
    case 'failed':
      return { is: 'unknown', status: '4.4.3', reason: `MX of ${domain}: ${answer.reason}` }
    case 'no such name':
      return { is: 'unroutable', status: '5.1.2', reason: `the domain ${domain} does not exist` }
    case 'none':
      return isOwn(domain) ? loop(domain) : { is: 'hosts', hosts: [domain] }
    case 'found':
      return byPreference(domain, answer.records, isOwn, chance)
  }
}

function byPreference(
  domain: string,
  records: readonly MxRecord[],
  isOwn: (host: string) => boolean,
  chance: () => number,
): Route {
  const usable: MxRecord[] = []
  let isNull = false
  for (const { exchange, priority } of records) {
    const host = exchange.toLowerCase().replace(/\.$/, '')
    if (host === '') isNull = true
    else if (!usable.some((record) => record.exchange === host)) usable.push({ exchange: host, priority })
  }
  if (usable.length === 0)
    return isNull
      ? { is: 'unroutable', status: '5.1.10', reason: `the domain ${domain} accepts no mail (null MX)` }
      : { is: 'unroutable', status: '5.4.4', reason: `the domain ${domain} has no usable MX` }
  const own = Math.min(...usable.filter(({ exchange }) => isOwn(exchange)).map(({ priority }) => priority))
  const better = usable.filter(({ priority }) => priority < own)
  if (better.length === 0) return loop(domain)
  const shuffled = shuffle(better, chance).toSorted((a, b) => a.priority - b.priority)
  return { is: 'hosts', hosts: shuffled.slice(0, MOST_HOSTS).map(({ exchange }) => exchange) }
}

function loop(domain: string): NoRoute {
  return { is: 'unroutable', status: '5.4.6', reason: `mail for ${domain} would come back to this host` }
}

export type HostAddresses =
  | { readonly is: 'addresses'; readonly addresses: readonly string[] }
  /** The host has none. */
  | { readonly is: 'none'; readonly reason: string }
  | { readonly is: 'unknown'; readonly reason: string }
  /** An address of ours: this host and those after it would give the mail back. */
  | { readonly is: 'own' }

/** The addresses of one host from its A and AAAA answers, in the order to try: shuffled, families alternating. */
export function planAddresses(
  host: string,
  v4: AddressAnswer,
  v6: AddressAnswer,
  isOwn: (address: string) => boolean,
  chance: () => number,
): HostAddresses {
  const four = v4.is === 'found' ? shuffle(v4.addresses, chance) : []
  const six = v6.is === 'found' ? shuffle(v6.addresses, chance) : []
  if (four.some(isOwn) || six.some(isOwn)) return { is: 'own' }
  const addresses: string[] = []
  for (let i = 0; i < Math.max(four.length, six.length); i += 1) {
    const a = six[i]
    const b = four[i]
    if (a !== undefined) addresses.push(a)
    if (b !== undefined) addresses.push(b)
  }
  if (addresses.length > 0) return { is: 'addresses', addresses }
  for (const answer of [v4, v6])
    if (answer.is === 'failed') return { is: 'unknown', reason: `address of ${host}: ${answer.reason}` }
  const missing = v4.is === 'no such name' || v6.is === 'no such name'
  return { is: 'none', reason: missing ? `the host ${host} does not exist` : `the host ${host} has no address` }
}

/** What to conclude when no host of a route had an address. */
export function withoutAddresses(domain: string, reasons: readonly { unknown: boolean; reason: string }[]): NoRoute {
  const unknown = reasons.find((one) => one.unknown)
  if (unknown !== undefined) return { is: 'unknown', status: '4.4.3', reason: unknown.reason }
  const reason = reasons[0]?.reason ?? `no host takes mail for ${domain}`
  return { is: 'unroutable', status: '5.4.4', reason }
}

export function shuffle<T>(list: readonly T[], chance: () => number): T[] {
  const result = [...list]
  for (let i = result.length - 1; i > 0; i -= 1) {
    const j = Math.floor(chance() * (i + 1))
    const other = result[j] as T
    result[j] = result[i] as T
    result[i] = other
  }
  return result
}
