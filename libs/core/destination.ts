/**
 * Where a recipient's mail waits together with other mail of the same way: its domain, or the smarthosts. The key is
 * stored with deferred tasks as a hint only; routing decides anew.
 */
import { domainToASCII } from 'node:url'
import { domainOf } from './address.ts'

export const SMARTHOST = 'smarthost'

/** The key of an address. A domain with U-labels shares the key of its A-labels; what is no domain keeps its own. */
export function destinationOf(address: string, toSmarthosts: boolean): string {
  if (toSmarthosts) return SMARTHOST
  const domain = domainOf(address)
  return domain.startsWith('[') ? domain : asciiDomain(domain) || domain
}

/** The domain with A-labels, as the DNS knows it; '' if there is none such. */
export function asciiDomain(domain: string): string {
  for (let i = 0; i < domain.length; i += 1) if (domain.charCodeAt(i) > 127) return domainToASCII(domain)
  return domain
}

/** The recipients of one record by destination, in order, at most `limit` to a group (one transaction each). */
export function byDestination<T>(
  items: readonly T[],
  address: (item: T) => string,
  toSmarthosts: boolean,
  limit: number,
): readonly { readonly destination: string; readonly items: readonly T[] }[] {
  const [only] = items
  if (only !== undefined && items.length === 1)
    return [{ destination: destinationOf(address(only), toSmarthosts), items }]
  const groups: { destination: string; items: T[] }[] = []
  const open = new Map<string, T[]>()
  for (const item of items) {
    const destination = destinationOf(address(item), toSmarthosts)
    let group = open.get(destination)
    if (group === undefined || group.length >= limit) {
      group = []
      open.set(destination, group)
      groups.push({ destination, items: group })
    }
    group.push(item)
  }
  return groups
}
