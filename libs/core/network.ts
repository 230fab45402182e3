/**
 * Lists of networks in CIDR notation, IPv4 and IPv6. An IPv4-mapped IPv6 address counts as its IPv4 address. A list is
 * parsed once and asked once per connection.
 */

interface Network {
  readonly bits: 32 | 128
  readonly prefix: number
  readonly value: bigint
}

export interface NetworkList {
  has(address: string): boolean
  /** All of the network `entry` lies in one of these. */
  covers(entry: string): boolean
}

/** Returns the list, or the entries that are no networks. */
export function parseNetworks(entries: readonly string[]): NetworkList | { readonly invalid: readonly string[] } {
  const networks: Network[] = []
  const invalid: string[] = []
  for (const entry of entries) {
    const network = parseNetwork(entry)
    if (network === undefined) invalid.push(entry)
    else networks.push(network)
  }
  if (invalid.length > 0) return { invalid }
  return {
    covers(entry) {
      const inner = parseNetwork(entry)
      return inner !== undefined && networks.some((outer) => contains(outer, inner))
    },
    has(address) {
      const parsed = parseAddress(address)
      return parsed !== undefined && networks.some((outer) => contains(outer, { ...parsed, prefix: parsed.bits }))
    },
  }
}

function contains(outer: Network, inner: Network): boolean {
  if (outer.bits !== inner.bits || outer.prefix > inner.prefix) return false
  const free = BigInt(outer.bits - outer.prefix)
  return outer.value >> free === inner.value >> free
}

export function parseNetwork(entry: string): Network | undefined {
  const slash = entry.indexOf('/')
  const address = parseAddress(slash < 0 ? entry : entry.slice(0, slash))
  if (address === undefined) return undefined
  if (slash < 0) return { ...address, prefix: address.bits }
  const length = entry.slice(slash + 1)
  if (!/^\d{1,3}$/.test(length)) return undefined
  // "::ffff:10.0.0.0/104" means 10.0.0.0/8.
  const mapped = address.bits === 32 && entry.includes(':')
  const prefix = Number(length) - (mapped ? 96 : 0)
  return prefix >= 0 && prefix <= address.bits ? { ...address, prefix } : undefined
}

/** Is there an address that lies in both? False if one of the two is no network. */
export function overlaps(one: string, other: string): boolean {
  const [a, b] = [parseNetwork(one), parseNetwork(other)]
  return a !== undefined && b !== undefined && (contains(a, b) || contains(b, a))
}

/** Whom an address belongs to, for counting: itself for IPv4, its /64 for IPv6. */
export function clientKey(address: string): string {
  const parsed = parseAddress(address)
  if (parsed === undefined || parsed.bits === 32) return plainAddress(address)
  return `${(parsed.value >> 64n).toString(16)}/64`
}

/** The neighbourhood of an address, for reputation: its /24 for IPv4, its /64 for IPv6. */
export function clientNetwork(address: string): string {
  const parsed = parseAddress(address)
  if (parsed === undefined) return address
  if (parsed.bits === 128) return `${(parsed.value >> 64n).toString(16)}/64`
  return `${(parsed.value >> 8n).toString(16)}/24`
}

/** Drops the "::ffff:" with which a dual-stack socket shows an IPv4 peer. */
export function plainAddress(address: string): string {
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice(7) : address
}

/** An address as RFC 5952 writes it, an IPv4-mapped one as IPv4 and without a zone; undefined if it is none. */
export function canonicalAddress(text: string): string | undefined {
  const parsed = parseAddress(text)
  if (parsed === undefined) return undefined
  const { bits, value } = parsed
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.')
  const whole = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16)).join(':')
  let zeros: RegExpExecArray | undefined
  for (const run of whole.matchAll(/\b0(?::0)+\b/g)) if (run[0].length > (zeros?.[0].length ?? 0)) zeros = run
  if (zeros === undefined) return whole
  const after = whole.slice(zeros.index + zeros[0].length)
  return `${whole.slice(0, zeros.index).replace(/:$/, '')}::${after.replace(/^:/, '')}`
}

function parseAddress(text: string): { bits: 32 | 128; value: bigint } | undefined {
  if (!text.includes(':')) {
    const value = parseIpv4(text)
    return value === undefined ? undefined : { bits: 32, value }
  }
  const value = parseIpv6(text)
  if (value === undefined) return undefined
  return value >> 32n === 0xffffn ? { bits: 32, value: value & 0xffffffffn } : { bits: 128, value }
}

function parseIpv4(text: string): bigint | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  let value = 0n
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined
    value = (value << 8n) | BigInt(part)
  }
  return value
}

function parseIpv6(text: string): bigint | undefined {
  const zone = text.indexOf('%')
  const halves = (zone < 0 ? text : text.slice(0, zone)).split('::')
  if (halves.length > 2) return undefined
  const left = groups(halves[0] ?? '')
  const right = halves.length === 2 ? groups(halves[1] ?? '') : []
  if (left === undefined || right === undefined) return undefined
  const missing = 8 - left.length - right.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  return [...left, ...Array<number>(missing).fill(0), ...right].reduce((sum, group) => (sum << 16n) | BigInt(group), 0n)
}

function groups(text: string): number[] | undefined {
  if (text === '') return []
  const result: number[] = []
  const parts = text.split(':')
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(part)) result.push(parseInt(part, 16))
    else {
      const ipv4 = index === parts.length - 1 ? parseIpv4(part) : undefined
      if (ipv4 === undefined) return undefined
      result.push(Number(ipv4 >> 16n), Number(ipv4 & 0xffffn))
    }
  }
  return result
}
