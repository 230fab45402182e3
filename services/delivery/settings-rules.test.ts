import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadSettings } from '@posthouse/runtime/settings/load'
import { settingsRules } from './settings-rules.ts'
import { settingsTable } from './settings.ts'

/** The complaints about a file. */
function complaints(file: object, environment: Readonly<Record<string, string>> = {}): readonly string[] {
  const text = JSON.stringify({ name: 'delivery-1', hostname: 'relay.test', http: { port: 0 }, ...file })
  const sources = { environment, readFile: () => '', file: { name: 'test.yaml', text } }
  const loaded = loadSettings<typeof settingsTable>(settingsTable, sources, settingsRules)
  return loaded.ok ? [] : loaded.errors
}

const hosts = ['gw.example:25']
const password = { POSTHOUSE_EGRESS_SOCKS_PASSWORD: 'secret' }

test('settings that go together are taken', () => {
  const cases: [file: object, environment?: Readonly<Record<string, string>>][] = [
    [{}],
    [{ route: { smarthosts: hosts, domains: [{ domain: 'example.org', hosts }] } }],
    [
      {
        route: {
          domains: [
            { domain: '*', hosts },
            { domain: 'example.org', hosts },
            { domain: '.example.org', hosts },
          ],
        },
      },
    ],
    [{ egress: { addresses: ['192.0.2.1', '2001:db8::1'] } }],
    [{ egress: { socks: ['proxy:1080'] } }],
    [{ egress: { socks: ['proxy:1080', 'proxy:1081'], socksUser: 'us' } }, password],
    [{}, { POSTHOUSE_ROUTE_DOMAINS: '[{domain: .example.org, hosts: [gw:25]}]' }],
  ]
  for (const [file, environment] of cases) assert.deepEqual(complaints(file, environment), [], JSON.stringify(file))
})

test('each contradiction is a line that names the setting', () => {
  const domains = (...names: string[]): object => ({ domains: names.map((domain) => ({ domain, hosts })) })
  const cases: [expected: RegExp, file: object, environment?: Readonly<Record<string, string>>][] = [
    [/^retry\.first: must not be longer than retry\.longest$/, { retry: { first: '10s', longest: '5s' } }],
    [/^retry\.first: must not be longer than lifetime$/, { retry: { first: '10m' }, lifetime: '5m' }],
    [/^limits\.connectionsPerDestination: /, { limits: { connectionsPerDestination: 5, connections: 4 } }],
    [/^route\.domains\[1\]\.domain: must be .* not "a b"$/, { route: domains('example.org', 'a b') }],
    [/^route\.domains\[0\]\.domain: .* write \.example\.org$/, { route: domains('*.example.org') }],
    [/^route\.domains\[0\]\.domain: must be .* not "192\.0\.2\.1"$/, { route: domains('192.0.2.1') }],
    [
      /^route\.domains\[2\]\.domain: example\.org has its hosts in route\.domains\[0\]$/,
      { route: domains('example.org', '.example.org', 'EXAMPLE.org') },
    ],
    [
      /^route\.domains\[1\]\.domain: \.xn--bcher-kva\.example has its hosts in route\.domains\[0\]$/,
      { route: domains('.bücher.example', '.xn--bcher-kva.example') },
    ],
    [/^route\.domains\[1\]\.domain: \* has its hosts in route\.domains\[0\]$/, { route: domains('*', '*') }],
    [
      /^route\.domains\[0\]\.domain: \* leaves nothing for route\.smarthosts/,
      { route: { smarthosts: hosts, ...domains('*') } },
    ],
    [
      /^route\.domains\[0\]\.hosts: GW\.example:25 comes twice$/,
      { route: { domains: [{ domain: 'example.org', hosts: [...hosts, 'GW.example:25'] }] } },
    ],
    [/^route\.domains\[0\]\.hosts: /, { route: { domains: [{ domain: 'example.org', hosts: [] }] } }],
    [/^route\.domains\[0\]\.hosts: .*"gw"/, { route: { domains: [{ domain: 'example.org', hosts: ['gw'] }] } }],
    [
      /^route\.domains\[0\]\.host: no such setting; did you mean hosts\?/,
      { route: { domains: [{ domain: 'a', hosts, host: 'x' }] } },
    ],
    [
      /^egress\.addresses: means nothing with egress\.socks/,
      { egress: { addresses: ['192.0.2.1'], socks: ['p:1080'] } },
    ],
    [/^egress\.addresses: 0\.0\.0\.0 is no source$/, { egress: { addresses: ['0.0.0.0'] } }],
    [/^egress\.addresses: :: is no source$/, { egress: { addresses: ['::'] } }],
    [/^egress\.addresses: write ::ffff:192\.0\.2\.1 as /, { egress: { addresses: ['::ffff:192.0.2.1'] } }],
    [/^egress\.addresses: 2001:DB8:0::1 comes twice$/, { egress: { addresses: ['2001:db8::1', '2001:DB8:0::1'] } }],
    [/^egress\.addresses: .*"localhost"/, { egress: { addresses: ['localhost'] } }],
    [/^egress\.socks: p:1080 comes twice$/, { egress: { socks: ['P:1080', 'p:1080'] } }],
    [
      /^egress\.socksUser: means nothing without egress\.socksPassword$/,
      { egress: { socks: ['p:1080'], socksUser: 'us' } },
    ],
    [/^egress\.socksPassword: means nothing without egress\.socksUser$/, { egress: { socks: ['p:1080'] } }, password],
    [/^egress\.socksPassword: means nothing without egress\.socks$/, {}, password],
    [
      /^egress\.socksUser: must be 1 to 255 bytes, not 256$/,
      { egress: { socks: ['p:1080'], socksUser: 'é'.repeat(128) } },
      password,
    ],
  ]
  for (const [expected, file, environment] of cases) {
    const lines = complaints(file, environment)
    assert.equal(lines.length, 1, `${String(expected)}: ${lines.join('; ')}`)
    assert.match(lines[0] ?? '', expected)
  }
})

test('a password that is refused is not repeated', () => {
  const secret = 'correct horse '.repeat(30)
  const lines = complaints(
    { egress: { socks: ['p:1080'], socksUser: 'us' } },
    { POSTHOUSE_EGRESS_SOCKS_PASSWORD: secret },
  )
  assert.deepEqual(lines, [`egress.socksPassword: must be 1 to 255 bytes, not ${secret.length}`])
})
