import assert from 'node:assert/strict'
import { Resolver } from 'node:dns/promises'
import { test, type TestContext } from 'node:test'
import { DnsZoneServer, type Entry } from './dns-zone-server.ts'

async function resolverFor(t: TestContext, zone: Record<string, Entry>, timeout = 5000) {
  const dns = await DnsZoneServer.start(zone)
  t.after(() => dns.stop())
  const resolver = new Resolver({ timeout, tries: 1 })
  resolver.setServers([dns.address])
  return { dns, resolver }
}

test('records of every kind come back as they were put in', async (t) => {
  const { dns, resolver } = await resolverFor(t, {
    'example.org': {
      MX: [
        [10, 'mx.example.org'],
        [20, 'other.example'],
      ],
      TXT: ['v=spf1 -all'],
    },
    'mx.example.org': { A: ['127.0.0.2', '127.0.0.3'], AAAA: ['::1', '2001:db8::1:2'] },
    'no-mail.example': { MX: [[0, '.']] },
    '7.2.0.192.in-addr.arpa': { PTR: ['host.example'] },
  })
  const mx = async (name: string) =>
    (await resolver.resolveMx(name)).map(({ priority, exchange }) => [priority, exchange])
  assert.deepEqual(await mx('Example.ORG'), [
    [10, 'mx.example.org'],
    [20, 'other.example'],
  ])
  assert.deepEqual(await resolver.resolveTxt('example.org'), [['v=spf1 -all']])
  assert.deepEqual(await resolver.resolve4('mx.example.org'), ['127.0.0.2', '127.0.0.3'])
  assert.deepEqual(await resolver.resolve6('mx.example.org'), ['::1', '2001:db8::1:2'])
  assert.deepEqual(await mx('no-mail.example'), [[0, '']])
  assert.deepEqual(await resolver.reverse('192.0.2.7'), ['host.example'])
  assert.equal(dns.queries[0], 'MX example.org')
})

test('an alias leads to its target', async (t) => {
  const { resolver } = await resolverFor(t, {
    'www.example': { CNAME: 'host.example' },
    'host.example': { A: ['127.0.0.9'] },
  })
  assert.deepEqual(await resolver.resolve4('www.example'), ['127.0.0.9'])
  assert.deepEqual(await resolver.resolveCname('www.example'), ['host.example'])
})

test('what does not exist, has no such record, fails or stays silent is told apart', async (t) => {
  const zone = { 'a.b.example': { A: ['127.0.0.1'] }, 'ill.example': 'SERVFAIL', 'dead.example': 'silent' } as const
  const { resolver } = await resolverFor(t, zone, 100)
  await assert.rejects(resolver.resolve4('nowhere.example'), { code: 'ENOTFOUND' })
  await assert.rejects(resolver.resolveMx('a.b.example'), { code: 'ENODATA' })
  await assert.rejects(resolver.resolve4('b.example'), { code: 'ENODATA' })
  await assert.rejects(resolver.resolve4('ill.example'), { code: 'ESERVFAIL' })
  await assert.rejects(resolver.resolve4('dead.example'), { code: 'ETIMEOUT' })
})

test('an answer too large for UDP comes by TCP', async (t) => {
  const TXT = Array.from({ length: 40 }, (_, index) => `${index} ${'x'.repeat(200)}`)
  const { dns, resolver } = await resolverFor(t, { 'large.example': { TXT } })
  assert.equal((await resolver.resolveTxt('large.example')).length, 40)
  assert.deepEqual(dns.queries, ['TXT large.example', 'TXT large.example'])
})

test('the zone may change while it runs', async (t) => {
  const { dns, resolver } = await resolverFor(t, {})
  dns.set('new.example', { A: ['127.0.0.1'] })
  assert.deepEqual(await resolver.resolve4('new.example'), ['127.0.0.1'])
  dns.set('new.example', undefined)
  await assert.rejects(resolver.resolve4('new.example'), { code: 'ENOTFOUND' })
})
