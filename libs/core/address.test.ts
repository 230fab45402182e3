import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { domainOf, isOwnership, mailboxKey, owns, parseMailbox, parsePath } from './address.ts'
import type { Mailbox } from './address.ts'

const parsed: readonly (readonly [path: string, address: string, rest?: string])[] = [
  ['<a@b.example>', 'a@b.example'],
  ['<a@b.example> SIZE=1  BODY=7BIT', 'a@b.example', 'SIZE=1  BODY=7BIT'],
  ['<>', ''],
  ['<Postmaster>', 'Postmaster'],
  ['<a+b=c@d_e.example>', 'a+b=c@d_e.example'],
  ['<user.@mobile.example>', 'user.@mobile.example'],
  ['<"a b\\">"@c.example>', '"a b\\">"@c.example'],
  ['<@one.example,@two.example:a@b.example>', 'a@b.example'],
  ['<a@[192.0.2.1]>', 'a@[192.0.2.1]'],
  ['<a@[IPv6:2001:db8::1]>', 'a@[IPv6:2001:db8::1]'],
  ['<ü@Bücher.example> SMTPUTF8', 'ü@Bücher.example', 'SMTPUTF8'],
  ['<a@xn--bcher-kva.example>', 'a@xn--bcher-kva.example'],
]
for (const [path, address, rest] of parsed) {
  test(`understands ${path}`, () => {
    const result = parsePath(path)
    assert.ok('mailbox' in result, JSON.stringify(result))
    assert.equal(result.mailbox.address, address)
    assert.equal(result.rest, rest ?? '')
  })
}

const invalid = [
  'a@b.example',
  '<a@b.example',
  '<a@b.example>x',
  '<a>',
  '<@b.example>',
  '<a@>',
  '<a@b..example>',
  '<a@.example>',
  '<a@-b.example>',
  '<a@b.example->',
  '<a b@c.example>',
  '<a@b@c.example>',
  '<a<b@c.example>',
  '<a\u0000@b.example>',
  '<a\u200b@b.example>',
  '<a\ufffd@b.example>',
  '<a@[300.0.0.1]>',
  '<@relay.example a@b.example>',
  `<${'a'.repeat(300)}@b.example>`,
  `<a@${'b'.repeat(64)}.example>`,
  `<${'ü'.repeat(130)}@b.example>`,
]
for (const path of invalid) {
  test(`refuses ${JSON.stringify(path.slice(0, 40))}`, () => assert.ok('invalid' in parsePath(path)))
}

test('no path makes it throw, and what is understood is part of what was given', () => {
  const part = fc.constantFrom('<', '>', '@', '"', '\\', ' ', 'a', '.', ':', ',', '[', ']', 'ü', '\r', '\n', 'example')
  fc.assert(
    fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
      const text = parts.join('')
      const result = parsePath(text)
      if (!('mailbox' in result)) return
      assert.ok(text.includes(result.mailbox.address))
      assert.doesNotMatch(result.mailbox.address, /[\r\n]/)
    }),
    { numRuns: 5000 },
  )
})

const mailbox = (address: string): Mailbox => {
  const result = parseMailbox(address)
  assert.ok(!('invalid' in result))
  return result
}

test('an address, a domain or everything is owned, whatever its case', () => {
  assert.equal(owns('a@b.example', mailbox('A@B.Example')), true)
  assert.equal(owns('a@b.example', mailbox('x@b.example')), false)
  assert.equal(owns('@b.example', mailbox('x@B.example')), true)
  assert.equal(owns('@b.example', mailbox('x@sub.b.example')), false)
  assert.equal(owns('@b.example', mailbox('x@notb.example')), false)
  assert.equal(owns('*', mailbox('x@y.example')), true)
  for (const entry of ['*', '@b.example', 'a@b.example']) assert.equal(isOwnership(entry), true)
  for (const entry of ['', '@', 'a', '**', '@*', 'a@b example']) assert.equal(isOwnership(entry), false)
})

test('the local part is kept to the byte, the domain compared ignoring case', () => {
  assert.equal(mailboxKey(mailbox('Joe@B.example')), 'Joe@b.example')
  assert.notEqual(mailboxKey(mailbox('Joe@b.example')), mailboxKey(mailbox('joe@b.example')))
  assert.equal(domainOf('"a@b"@C.Example'), 'c.example')
  assert.equal(domainOf(''), '')
})
