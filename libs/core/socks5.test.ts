import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SocksHandshake, socksLoginFault } from './socks5.ts'
import type { SocksStep } from './socks5.ts'

const target = { address: '192.0.2.1', port: 25 }
const login = { user: 'us', password: 'sécret' }
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const shown = (step: SocksStep): unknown =>
  step.is === 'send'
    ? { send: step.bytes.toString('hex') }
    : step.is === 'open'
      ? { open: step.rest.toString('latin1') }
      : step

/** What comes of the answers, one by one. */
function talk(handshake: SocksHandshake, ...answers: string[]): unknown[] {
  return answers.map((answer) => shown(handshake.take(hex(answer))))
}

test('without a log-in: the method, the request, and the connection with what the host said first', () => {
  const handshake = new SocksHandshake(target)
  assert.equal(handshake.greeting().toString('hex'), '050100')
  assert.deepEqual(talk(handshake, '0500'), [{ send: '05010001c00002010019' }])
  assert.equal(handshake.hasAsked, true)
  const greeting = Buffer.from('220 mx\r\n').toString('hex')
  assert.deepEqual(talk(handshake, `05000001 0a000001 1234 ${greeting}`), [{ open: '220 mx\r\n' }])
})

test('with a log-in: both methods are offered, and the proxy chooses', () => {
  const asked = new SocksHandshake(target, login)
  assert.equal(asked.greeting().toString('hex'), '05020002')
  const password = Buffer.from(login.password).toString('hex')
  assert.deepEqual(talk(asked, '0502'), [{ send: `0102757307${password}` }])
  assert.equal(asked.hasAsked, false)
  assert.deepEqual(talk(asked, '0100'), [{ send: '05010001c00002010019' }])
  assert.deepEqual(talk(new SocksHandshake(target, login), '0500'), [{ send: '05010001c00002010019' }])
})

test('addresses are sent as their bytes', () => {
  const cases: [address: string, bytes: string][] = [
    ['255.0.2.1', '01ff000201'],
    ['::ffff:192.0.2.1', '01c0000201'],
    ['2001:db8::1', '0420010db8000000000000000000000001'],
    ['::1', '0400000000000000000000000000000001'],
    ['fe80::', '04fe800000000000000000000000000000'],
    ['1:2:3:4:5:6:7:8', '0400010002000300040005000600070008'],
  ]
  for (const [address, bytes] of cases) {
    const handshake = new SocksHandshake({ address, port: 2525 })
    assert.deepEqual(talk(handshake, '0500'), [{ send: `050100${bytes}09dd` }], address)
  }
  assert.throws(() => new SocksHandshake({ address: 'mx.example', port: 25 }), /no address/)
})

test('the proxy may name its end of the connection in any way', () => {
  for (const bound of [
    '01 00000000 0000',
    '04 00000000000000000000000000000001 1234',
    '03 03616263 1234',
    '03 00 1234',
  ]) {
    const handshake = new SocksHandshake(target)
    assert.deepEqual(talk(handshake, '0500').length, 1)
    assert.deepEqual(talk(handshake, `050000 ${bound} 3232`), [{ open: '22' }], bound)
  }
})

test('a handshake means the same however it comes in pieces', () => {
  for (const bound of ['01 0a000001 1234', '04 20010db8000000000000000000000001 1234', '03 03616263 1234']) {
    const handshake = new SocksHandshake(target, login)
    const steps = [...hex(`0502 0100 050000 ${bound}`)].map((byte) => handshake.take(Buffer.of(byte)))
    const kinds = steps.map((step) => step.is).filter((is) => is !== 'partial')
    assert.deepEqual(kinds, ['send', 'send', 'open'], bound)
    assert.equal(steps.at(-1)?.is, 'open')
  }
})

test('a failure is the host’s, the proxy’s, or that of the two together', () => {
  const cases: [what: string, whose: string, answers: string[]][] = [
    ['general failure', 'this connection', ['0500', '0501']],
    ['not allowed', 'this connection', ['0500', '0502']],
    ['network unreachable', 'host', ['0500', '0503']],
    ['host unreachable', 'host', ['0500', '0504000100000000 0000']],
    ['refused', 'host', ['0500', '0505']],
    ['TTL expired', 'host', ['0500', '0506']],
    ['no such command', 'proxy', ['0500', '0507']],
    ['no such kind of address', 'this connection', ['0500', '0508']],
    ['a code that nobody knows', 'this connection', ['0500', '05aa']],
    ['no method', 'proxy', ['05ff']],
    ['a method that was not offered', 'proxy', ['0502']],
    ['GSSAPI', 'proxy', ['0501']],
    ['not SOCKS at all', 'proxy', ['48']],
    ['SOCKS 4', 'proxy', ['005a']],
    ['more than was asked', 'proxy', ['050005']],
    ['no SOCKS in the reply', 'proxy', ['0500', '0400']],
    ['an unknown kind of address', 'proxy', ['0500', '0500000901']],
  ]
  for (const [what, whose, answers] of cases) {
    const last = talk(new SocksHandshake(target), ...answers).at(-1) as { is: string; whose: string }
    assert.deepEqual([last.is, last.whose], ['failed', whose], what)
  }
  const refused = talk(new SocksHandshake(target, login), '0502', '0101').at(-1)
  assert.deepEqual(refused, { is: 'failed', whose: 'proxy', why: 'it refuses user and password' })
  const wanted = talk(new SocksHandshake(target), '05ff').at(-1)
  assert.deepEqual(wanted, { is: 'failed', whose: 'proxy', why: 'it wants a log-in' })
})

test('a user or password has 1 to 255 bytes', () => {
  assert.equal(socksLoginFault('x'), undefined)
  assert.equal(socksLoginFault('x'.repeat(255)), undefined)
  assert.match(socksLoginFault('') ?? '', /not 0/)
  assert.match(socksLoginFault('é'.repeat(128)) ?? '', /not 256/)
})
