import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formats, type Format } from '@posthouse/runtime/settings/formats'
import { formSchemas } from './values-forms.ts'
import { misfits } from './values-validator.ts'

const taken = (form: Format, text: string) => misfits(formSchemas[form], text).length === 0

const groups = fc.array(fc.stringMatching(/^[0-9A-Fa-f]{1,5}$/), { minLength: 1, maxLength: 9 })
const v4 = fc
  .array(fc.oneof(fc.nat(300).map(String), fc.stringMatching(/^[0-9]{0,3}$/)), { minLength: 3, maxLength: 5 })
  .map((parts) => parts.join('.'))
const v6 = fc
  .tuple(groups, fc.option(fc.nat(9)), fc.option(v4), fc.constantFrom('', '', '', ':', '%eth0', '%', '%a b'))
  .map(([parts, gap, tail, end]) => {
    const all = tail === null ? parts : [...parts, tail]
    return (gap === null ? all.join(':') : `${all.slice(0, gap).join(':')}::${all.slice(gap).join(':')}`) + end
  })
const goodV6 = fc.ipV6()
const label = fc.oneof(fc.stringMatching(/^[A-Za-z0-9_-]{1,6}$/), fc.stringMatching(/^[a-z]{60,66}$/))
const host = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'))
const address = fc.oneof(v4, fc.ipV4(), v6, goodV6)
const anyHost = fc.oneof(host, address, fc.string({ maxLength: 8 }))
const port = fc.oneof(fc.nat(70_000).map(String), fc.stringMatching(/^0?[0-9]{0,5}$/))

const texts: Readonly<Record<Format, fc.Arbitrary<string>>> = {
  ip: fc.oneof(address, fc.string({ maxLength: 8 })),
  host: anyHost,
  'host:port': fc
    .tuple(
      fc.oneof(
        anyHost,
        fc.oneof(goodV6, v6).map((text) => `[${text}]`),
      ),
      port,
    )
    .map(([name, digits]) => `${name}:${digits}`),
  cidr: fc
    .tuple(fc.oneof(address, anyHost), fc.option(fc.oneof(fc.nat(140).map(String), fc.stringMatching(/^[0-9]{1,4}$/))))
    .map(([name, length]) => (length === null ? name : `${name}/${length}`)),
  url: fc.oneof(
    fc.webUrl(),
    fc.webUrl().map((url) => ` \n${url.replace('ttp', 'T\tTp')}`),
    fc.string({ maxLength: 12 }),
  ),
  name: fc.oneof(fc.stringMatching(/^[\w.-]{1,70}$/), fc.string({ maxLength: 5 })),
  path: fc.string({ unit: 'binary', maxLength: 5 }),
}

for (const form of Object.keys(texts) as Format[])
  test(`the schema takes as ${form} ${form === 'url' ? 'whatever' : 'just what'} the loader takes`, () => {
    let right = 0
    fc.assert(
      fc.property(texts[form], (text) => {
        const fits = formats[form].fits(text)
        if (fits) right++
        if (form !== 'url' || fits) assert.equal(taken(form, text), fits, JSON.stringify(text))
      }),
      { numRuns: 4000 },
    )
    assert.ok(right > 200, `only ${right} were right`)
  })

test('what is clearly no URL of a collector is refused', () => {
  for (const text of ['', '127.0.0.1:4318', 'ftp://a', 'grpc://a', 'https//a', 'httpx://a'])
    assert.ok(!taken('url', text), text)
})

test('a host name of 253 letters is the longest, with a port, too', () => {
  const label63 = 'a'.repeat(63)
  const longest = [label63, label63, label63, 'a'.repeat(61)].join('.')
  for (const [name, right] of [
    [longest, true],
    [`${longest}a`, false],
  ] as const) {
    assert.equal(taken('host', name), right)
    assert.equal(taken('host:port', `${name}:25`), right)
    assert.equal(formats.host.fits(name), right)
  }
})
