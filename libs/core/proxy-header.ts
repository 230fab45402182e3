/**
 * The header of the PROXY protocol (versions 1 and 2 of HAProxy's proxy-protocol.txt), with which a load balancer begins a
 * connection to say whose it is. The bytes are judged as far as they have come: what can be no header is known at once,
 * and no byte behind the header is looked at. Strict where the text says "must", so that nothing else passes for a header.
 */
import { canonicalAddress } from './network.ts'

export type ProxyHeader =
  | { readonly is: 'partial' }
  | { readonly is: 'invalid'; readonly why: ProxyFault }
  /** `length`: of the header, in bytes; what follows is the client's. */
  | { readonly is: 'client'; readonly length: number; readonly address: string; readonly port: number }
  /** The balancer speaks for itself (LOCAL: a health check), or does not say for whom (UNKNOWN, UNSPEC, not IP). */
  | { readonly is: 'local'; readonly length: number }

export type ProxyFault =
  | 'no header'
  | 'line too long'
  | 'malformed line'
  | 'unknown version'
  | 'unknown command'
  | 'unknown address family'
  | 'addresses cut short'
  | 'header too long'

/** With its CRLF, by the specification. */
const longestLine = 107
/** Version 2 allows 64 KiB, of which the addresses take 36 bytes; nobody's extensions fill more than this. */
const longestHeader = 4096

const line = Buffer.from('PROXY ')
const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
/** Signature, version with command, family with transport, and the length of the rest. */
const fixedPart = 16
const LOCAL = 0
const PROXY = 1
const tcp4 = 0x11
const tcp6 = 0x21

const partial: ProxyHeader = { is: 'partial' }
const invalid = (why: ProxyFault): ProxyHeader => ({ is: 'invalid', why })

/** `bytes`: all that has come since the connection began. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (beginsLike(bytes, line)) return bytes.length < line.length ? partial : readLine(bytes)
  if (beginsLike(bytes, signature)) return bytes.length < fixedPart ? partial : readBinary(bytes)
  return invalid('no header')
}

function beginsLike(bytes: Buffer, beginning: Buffer): boolean {
  const length = Math.min(bytes.length, beginning.length)
  return bytes.subarray(0, length).equals(beginning.subarray(0, length))
}

function readLine(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, longestLine).indexOf('\r\n')
  if (end < 0) {
    if (bytes.subarray(0, longestLine).includes('\n')) return invalid('malformed line')
    return bytes.length < longestLine ? partial : invalid('line too long')
  }
  const text = bytes.toString('latin1', 0, end)
  const length = end + 2
  // What follows UNKNOWN is to be ignored.
  if (/^PROXY UNKNOWN(?: .*)?$/.test(text)) return { is: 'local', length }
  const match = /^PROXY TCP([46]) ([\da-fA-F:.]+) ([\da-fA-F:.]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})$/.exec(text)
  if (match === null) return invalid('malformed line')
  const [, family, source = '', destination = '', ...ports] = match
  const address = canonicalAddress(source)
  if (address === undefined || canonicalAddress(destination) === undefined) return invalid('malformed line')
  if ([source, destination].some((end) => end.includes(':') !== (family === '6'))) return invalid('malformed line')
  if (ports.some((port) => Number(port) > 65535)) return invalid('malformed line')
  return { is: 'client', length, address, port: Number(ports[0]) }
}

function readBinary(bytes: Buffer): ProxyHeader {
  const command = bytes.readUInt8(12) & 0x0f
  const family = bytes.readUInt8(13)
  const length = fixedPart + bytes.readUInt16BE(14)
  if (bytes.readUInt8(12) >> 4 !== 2) return invalid('unknown version')
  if (command > PROXY) return invalid('unknown command')
  if (length > longestHeader) return invalid('header too long')
  if (command === PROXY && (family >> 4 > 3 || (family & 0x0f) > 2)) return invalid('unknown address family')
  const hasClient = command !== LOCAL && (family === tcp4 || family === tcp6)
  // Two addresses and two ports.
  if (hasClient && length < fixedPart + (family === tcp4 ? 12 : 36)) return invalid('addresses cut short')
  if (bytes.length < length) return partial
  if (!hasClient) return { is: 'local', length }
  const port = bytes.readUInt16BE(family === tcp4 ? 24 : 48)
  return { is: 'client', length, address: family === tcp4 ? ipv4(bytes) : ipv6(bytes), port }
}

function ipv4(header: Buffer): string {
  return header.subarray(fixedPart, fixedPart + 4).join('.')
}
function ipv6(header: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, group) => header.readUInt16BE(fixedPart + 2 * group).toString(16))
  return canonicalAddress(groups.join(':')) ?? ''
}
