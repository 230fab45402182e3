/**
 * Whose mail goes to hosts that the settings name, whatever the DNS says: by the domain of the recipient, as in Postfix's
 * transport table the most specific row wins: the domain itself, then the nearest domain above it (".example.org" is
 * every domain below example.org, not example.org), then "*", then the smarthosts. All mail for the same hosts, in the
 * same order, has one destination, however many rows lead there.
 *
 * A destination is a hint when it is stored: whoever reads it later asks the table of that time.
 */
import { asciiDomain, byDestination, destinationOf, SMARTHOST } from './destination.ts'

/** A host of the settings. */
export interface NextHop {
  /** A name or an address. */
  readonly host: string
  readonly port: number
}

export interface RouteRow {
  /** "example.org", ".example.org" or "*"; with A- or U-labels, in any case. */
  readonly domain: string
  /** In the order to try; at least one. */
  readonly hosts: readonly NextHop[]
}

export type RouteDomain =
  { readonly is: 'exactly' | 'below'; readonly domain: string } | { readonly is: 'all' } | { readonly is: 'invalid' }

const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/
const longestDomain = 253

/** What the domain of a row stands for, in lower case and A-labels. */
export function parseRouteDomain(text: string): RouteDomain {
  if (text === '*') return { is: 'all' }
  const isBelow = text.startsWith('.')
  const domain = asciiDomain((isBelow ? text.slice(1) : text).toLowerCase())
  const labels = domain.split('.')
  // A name whose last label is a number would be an address, which has no place here.
  const isDomain = domain.length <= longestDomain && labels.every((one) => label.test(one))
  if (!isDomain || /^\d+$/.test(labels.at(-1) ?? '')) return { is: 'invalid' }
  return { is: isBelow ? 'below' : 'exactly', domain }
}

/** "gw.example:25", "[2001:db8::1]:25", in lower case. */
export function hopName({ host, port }: NextHop): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`.toLowerCase()
}

export class RouteTable {
  /** Destinations by domain. */
  readonly #exactly = new Map<string, string>()
  readonly #below = new Map<string, string>()
  /** Destination of what no row is for; undefined: the MX hosts of its domain. */
  readonly #all: string | undefined
  readonly #hosts = new Map<string, readonly NextHop[]>()
  readonly #hasRows: boolean

  /** Throws when a row's domain is none, or comes twice: the settings have been checked before. */
  constructor(rows: readonly RouteRow[], smarthosts: readonly NextHop[]) {
    this.#hasRows = rows.length > 0
    let all: string | undefined
    for (const { domain: text, hosts } of rows) {
      const parsed = parseRouteDomain(text)
      if (parsed.is === 'invalid') throw new Error(`${text} is no domain`)
      const destination = `via ${hosts.map(hopName).join(' ')}`
      this.#hosts.set(destination, hosts)
      if (parsed.is === 'all') all = destination
      else {
        const rowsOfKind = parsed.is === 'below' ? this.#below : this.#exactly
        if (rowsOfKind.has(parsed.domain)) throw new Error(`${text} comes twice`)
        rowsOfKind.set(parsed.domain, destination)
      }
    }
    if (all === undefined && smarthosts.length > 0) {
      all = SMARTHOST
      this.#hosts.set(SMARTHOST, smarthosts)
    }
    this.#all = all
  }

  /** All mail has the same destination. */
  get isOneWay(): boolean {
    return this.#all !== undefined && this.#hosts.size === 1
  }

  /** The hosts that the settings name for a destination; undefined: the DNS says them. */
  hostsOf(destination: string): readonly NextHop[] | undefined {
    return this.#hosts.get(destination)
  }

  destinationOf(address: string): string {
    return this.#way(destinationOf(address, false))
  }

  /** Where the mail goes now that waits under a destination of another time, as far as that tells. */
  current(destination: string): string {
    return this.#hosts.has(destination) ? destination : this.#way(destination)
  }

  /** The recipients of one record by destination, at most `limit` to a group (one transaction each). */
  split<T>(
    items: readonly T[],
    address: (item: T) => string,
    limit: number,
  ): readonly { readonly destination: string; readonly items: readonly T[] }[] {
    if (!this.#hasRows) return byDestination(items, address, this.#all !== undefined, limit)
    const ways = new Map<string, T[]>()
    for (const item of items) {
      const destination = this.destinationOf(address(item))
      const some = ways.get(destination)
      if (some === undefined) ways.set(destination, [item])
      else some.push(item)
    }
    return [...ways].flatMap(([destination, some]) =>
      byDestination(some, address, true, limit).map((group) => ({ destination, items: group.items })),
    )
  }

  /** The destination of a domain. */
  #way(domain: string): string {
    const exactly = this.#exactly.get(domain)
    if (exactly !== undefined) return exactly
    if (this.#below.size > 0)
      for (let dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1)) {
        const below = this.#below.get(domain.slice(dot + 1))
        if (below !== undefined) return below
      }
    return this.#all ?? domain
  }
}
