import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readProxyHeader } from './proxy-header.ts'
import type { ProxyFault } from './proxy-header.ts'

const signature = '0d0a0d0a000d0a515549540a'
const addresses4 = 'c0000207' + '0a000001' + '8235' + '0019'
const addresses6 = '20010db8000000000000000000000007' + '20010db8000000000000000000000001' + '8235' + '0019'
/** `head`: version with command, then family with transport, in hex. */
function binary(head: string, rest: string, length = rest.length / 2): Buffer {
  return Buffer.from(signature + head + length.toString(16).padStart(4, '0') + rest, 'hex')
}

const clients: readonly (readonly [header: string | Buffer, address: string, port: number])[] = [
  ['PROXY TCP4 192.0.2.7 10.0.0.1 33333 25\r\n', '192.0.2.7', 33333],
  ['PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n', '255.255.255.255', 65535],
  ['PROXY TCP6 2001:DB8:0:0::7 2001:db8::1 0 0\r\n', '2001:db8::7', 0],
  ['PROXY TCP6 ::ffff:192.0.2.7 ::ffff:c000:201 1 2\r\n', '192.0.2.7', 1],
  [`PROXY TCP6 ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`, `${'ffff:'.repeat(7)}ffff`, 65535],
  [binary('2111', addresses4), '192.0.2.7', 33333],
  [binary('2121', addresses6), '2001:db8::7', 33333],
  [binary('2121', `${'0'.repeat(20)}ffffc0000207${addresses6.slice(32)}`), '192.0.2.7', 33333],
  // What a cloud's balancer adds: its own type 0xea, and padding.
  [binary('2111', `${addresses4}ea00020101040003000000`), '192.0.2.7', 33333],
  [binary('2121', addresses6 + '00'.repeat(4096 - 52)), '2001:db8::7', 33333],
]
for (const [header, address, port] of clients) {
  const bytes = Buffer.from(header)
  test(`${show(header)} is from ${address}`, () => {
    assert.deepEqual(readProxyHeader(bytes), { is: 'client', length: bytes.length, address, port })
  })
}

const locals: readonly (readonly [what: string, header: string | Buffer])[] = [
  ['UNKNOWN', 'PROXY UNKNOWN\r\n'],
  ['UNKNOWN with addresses', `PROXY UNKNOWN ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`],
  ['LOCAL', binary('2000', '')],
  ['LOCAL with addresses', binary('2011', addresses4)],
  ['LOCAL with a family that does not exist', binary('20ff', '0102')],
  ['a client of no family', binary('2100', '')],
  ['a client by UDP', binary('2112', addresses4)],
  ['a client on a Unix socket', binary('2131', '00'.repeat(216))],
]
for (const [what, header] of locals) {
  test(`${what} is the balancer's own`, () => {
    const bytes = Buffer.from(header)
    assert.deepEqual(readProxyHeader(bytes), { is: 'local', length: bytes.length })
  })
}

const invalid: readonly (readonly [bytes: string | Buffer, why: ProxyFault])[] = [
  ['E', 'no header'],
  ['EHLO client.example\r\n', 'no header'],
  [Buffer.from('16030100f8010000', 'hex'), 'no header'],
  ['proxy TCP4 192.0.2.7 10.0.0.1 33333 25\r\n', 'no header'],
  ['PROXY\r', 'no header'],
  ['PROXYX', 'no header'],
  ['\r\n\r\nEHLO', 'no header'],
  [' PROXY TCP4 192.0.2.7 10.0.0.1 33333 25\r\n', 'no header'],
  ['PROXY TCP4 192.0.2.7 10.0.0.1 33333 25\n', 'malformed line'],
  ['PROXY UNKNOWN\n', 'malformed line'],
  ['PROXY UNKNOWN\n\r\n', 'malformed line'],
  ['PROXY UNKNOWNS\r\n', 'malformed line'],
  ['PROXY \r\n', 'malformed line'],
  ['PROXY TCP4\r\n', 'malformed line'],
  ['PROXY UDP4 192.0.2.7 10.0.0.1 33333 25\r\n', 'malformed line'],
  ['PROXY tcp4 192.0.2.7 10.0.0.1 33333 25\r\n', 'malformed line'],
  ['PROXY TCP4 192.0.2.7 10.0.0.1 33333\r\n', 'malformed line'],
  ['PROXY TCP4 192.0.2.7 10.0.0.1 33333 25 \r\n', 'malformed line'],
  ['PROXY TCP4 192.0.2.7 10.0.0.1 33333 25 26\r\n', 'malformed line'],
  ['PROXY TCP4  192.0.2.7 10.0.0.1 33333 25\r\n', 'malformed line'],
  ['PROXY TCP4 192.0.2.7\t10.0.0.1 33333 25\r\n', 'malformed line'],
  ['PROXY TCP4 192.0.2 10.0.0.1 33333 25\r\n', 'malformed line'],
  ['PROXY TCP4 192.0.2.256 10.0.0.1 33333 25\r\n', 'malformed line'],
  ['PROXY TCP4 192.0.2.07 10.0.0.1 33333 25\r\n', 'malformed line'],
  ['PROXY TCP4 192.0.2.7 host 33333 25\r\n', 'malformed line'],
  ['PROXY TCP4 192.0.2.7 10.0.0.1 033 25\r\n', 'malformed line'],
  ['PROXY TCP4 192.0.2.7 10.0.0.1 65536 25\r\n', 'malformed line'],
  ['PROXY TCP4 192.0.2.7 10.0.0.1 1 65536\r\n', 'malformed line'],
  ['PROXY TCP4 192.0.2.7 10.0.0.1 -1 25\r\n', 'malformed line'],
  ['PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n', 'malformed line'],
  ['PROXY TCP6 192.0.2.7 10.0.0.1 1 2\r\n', 'malformed line'],
  ['PROXY TCP6 2001:db8::7 10.0.0.1 1 2\r\n', 'malformed line'],
  ['PROXY TCP6 2001:db8::7%eth0 2001:db8::1 1 2\r\n', 'malformed line'],
  ['PROXY TCP6 [2001:db8::7] [2001:db8::1] 1 2\r\n', 'malformed line'],
  [`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`, 'line too long'],
  [`PROXY UNKNOWN ${'x'.repeat(93)}`, 'line too long'],
  [binary('1111', addresses4), 'unknown version'],
  [binary('3111', addresses4), 'unknown version'],
  [binary('2211', addresses4), 'unknown command'],
  [binary('2141', addresses4), 'unknown address family'],
  [binary('2113', addresses4), 'unknown address family'],
  [binary('2111', addresses4.slice(2)), 'addresses cut short'],
  [binary('2121', addresses4), 'addresses cut short'],
  [binary('2111', addresses4, 0), 'addresses cut short'],
  // Known before the rest has come.
  [binary('2111', '', 4081), 'header too long'],
  [binary('2000', '', 0xffff), 'header too long'],
]
for (const [bytes, why] of invalid) {
  test(`${show(bytes)}: ${why}`, () => {
    assert.deepEqual(readProxyHeader(Buffer.from(bytes)), { is: 'invalid', why })
  })
}

const all = [...clients.map(([header]) => header), ...locals.map(([, header]) => header)].map((it) => Buffer.from(it))

test('a header is partial until its last byte has come, and what follows does not change it', () => {
  for (const header of all) {
    for (let length = 0; length < header.length; length += 1) {
      assert.equal(readProxyHeader(header.subarray(0, length)).is, 'partial')
    }
    const whole = readProxyHeader(header)
    for (const rest of ['\r\n', 'EHLO x\r\n', 'PROXY ', '\u0016\u0003\u0001']) {
      assert.deepEqual(readProxyHeader(Buffer.concat([header, Buffer.from(rest)])), whole)
    }
  }
})

test('whatever comes: a verdict once made stands, and a header is no longer than what came', () => {
  const ip = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string({ maxLength: 5 }))
  const number = fc.integer({ min: -1, max: 70_000 })
  const text = fc.tuple(fc.constantFrom('TCP4', 'TCP6', 'UNKNOWN', 'X'), ip, ip, number, number, fc.string())
  const lines = text.map((words) => Buffer.from(`PROXY ${words.join(' ')}\r\n`))
  const bytes = fc.uint8Array({ maxLength: 80 }).map((rest) => Buffer.from(rest))
  const mutated = fc.tuple(fc.constantFrom(...all), fc.nat(60), fc.nat(255)).map(([header, at, value]) => {
    const copy = Buffer.from(header)
    if (at < copy.length) copy[at] = value
    return copy
  })
  const signed = bytes.map((rest) => Buffer.concat([Buffer.from(signature, 'hex'), rest]))
  fc.assert(
    fc.property(fc.oneof(bytes, lines, signed, mutated), bytes, (first, more) => {
      let verdict = readProxyHeader(Buffer.alloc(0))
      const whole = Buffer.concat([first, more])
      for (let length = 1; length <= whole.length; length += 1) {
        const now = readProxyHeader(whole.subarray(0, length))
        if (verdict.is === 'partial') verdict = now
        else assert.deepEqual(now, verdict)
        if ('length' in now) assert.ok(now.length <= length)
      }
      assert.ok(verdict.is !== 'partial' || whole.length < 4096)
    }),
    { numRuns: 500 },
  )
})

test('every address of a client comes through both versions alike', () => {
  const port = fc.nat(65535)
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), port, port, (address, from, to) => {
      const six = address.includes(':')
      const line = readProxyHeader(Buffer.from(`PROXY TCP${six ? 6 : 4} ${address} ${address} ${from} ${to}\r\n`))
      assert.equal(line.is, 'client')
      const ports = Buffer.from([from >> 8, from & 255, to >> 8, to & 255]).toString('hex')
      const same = readProxyHeader(binary(six ? '2121' : '2111', inHex(address).repeat(2) + ports))
      assert.equal(same.is, 'client')
      assert.deepEqual([same.address, same.port], [line.address, line.port])
    }),
  )
})

function inHex(address: string): string {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number)).toString('hex')
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [left = '', right] = canonical.split('::')
  const groups = (half: string): string[] => half.split(':').filter(Boolean)
  const missing = 8 - groups(left).length - groups(right ?? '').length
  return [...groups(left), ...Array<string>(missing).fill('0'), ...groups(right ?? '')]
    .map((group) => group.padStart(4, '0'))
    .join('')
}

function show(header: string | Buffer): string {
  if (typeof header === 'string') return JSON.stringify(header)
  return header.length > 60 ? `${header.length} bytes ${header.toString('hex', 12, 16)}` : header.toString('hex', 12)
}
