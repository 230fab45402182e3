// Rules over every service of deploy/compose.yaml, and what its files say of each other. Docker itself is not needed.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { queueUsers } from '@posthouse/queue/jetstream/permissions'
import { parse } from 'yaml'
import { ACCOUNTS_FILE, accountsText } from './nats-accounts.ts'
import { COMPOSE_FILE, readCompose, type Service } from './test/compose-file.ts'
import { copiedFolder, HOSTNAME } from './test/copied-folder.ts'

const VARIABLES = { POSTHOUSE_HOSTNAME: HOSTNAME }
const compose = readCompose(COMPOSE_FILE, VARIABLES)
const services = [...compose.services.values()]
const settings = (name: string) =>
  parse(readFileSync(join(import.meta.dirname, name), 'utf8')) as Record<string, Record<string, unknown>>
const seconds = (text: unknown): number => {
  const [, number, unit] = /^(\d+)(s|m)$/.exec(String(text)) ?? []
  assert.ok(unit !== undefined, `${String(text)} is no duration`)
  return Number(number) * (unit === 'm' ? 60 : 1)
}
const named = (pattern: RegExp): Service[] => services.filter(({ name }) => pattern.test(name))

test('there are two edges, two delivery nodes, an admin node, three NATS servers, and what is before and beside them', () => {
  const numbered = (name: string, count: number) => Array.from({ length: count }, (_, index) => `${name}-${index + 1}`)
  const expected = [
    ...numbered('delivery', 2),
    ...numbered('edge', 2),
    ...numbered('nats', 3),
    'admin-1',
    'grafana',
    'haproxy',
    'posthouse',
    'prometheus',
  ]
  assert.deepEqual(services.map(({ name }) => name).toSorted(), expected.toSorted())
})

for (const { name, raw, image } of services) {
  test(`${name} is hardened, pinned and watched`, () => {
    assert.equal(raw['read_only'], true)
    assert.deepEqual(raw['cap_drop'], ['ALL'])
    assert.equal(raw['cap_add'], undefined)
    assert.equal(raw['privileged'], undefined)
    assert.deepEqual(raw['security_opt'], ['no-new-privileges:true'])
    assert.match(image, /^[a-z0-9/-]+:(?!latest)[\w.-]*\d[\w.-]*$/)
    assert.equal(raw['restart'], raw['profiles'] === undefined ? 'unless-stopped' : 'no')
    const health = raw['healthcheck'] as { test?: string[]; disable?: boolean }
    if (health.disable === true) assert.ok(String(raw['x-no-healthcheck']).length > 10)
    else assert.equal(health.test?.[0], 'CMD')
    const logging = raw['logging'] as { options: Record<string, string> }
    assert.ok('max-size' in logging.options)
    if (raw['profiles'] === undefined) assert.ok(seconds(raw['stop_grace_period']) > 0)
    // Root without capabilities owns the volumes of the NATS servers, whose image has no other user.
    if (!/^nats-\d$/.test(name)) assert.match(String(raw['user']), /^[1-9]\d*:\d+$/)
  })
}

test('the image has the version of the tree', () => {
  const { version } = JSON.parse(readFileSync(join(COMPOSE_FILE, '../../package.json'), 'utf8')) as { version: string }
  for (const { name, image, raw } of services) {
    if (raw['build'] !== undefined) assert.equal(image, `posthouse:${version}`, name)
  }
})

test('every file that is mounted is there once init.sh has been run', async () => {
  await using folder = await copiedFolder()
  await folder.init(HOSTNAME)
  const copy = readCompose(folder.composeFile, VARIABLES)
  const mounts = [...copy.services.values()].flatMap(({ mounts: all }) => all)
  assert.ok(mounts.length > 30)
  for (const { source, kind } of mounts) {
    if (kind === 'volume') assert.ok(source in (copy.raw['volumes'] as object), `volume ${source}`)
    else assert.ok(existsSync(source), source)
  }
})

test('nothing is defined that nobody uses', () => {
  for (const section of ['configs', 'secrets', 'networks', 'volumes'] as const) {
    const used = new Set(
      services.flatMap(({ raw, networks, mounts }) =>
        section === 'networks'
          ? networks
          : section === 'volumes'
            ? mounts.filter(({ kind }) => kind === 'volume').map(({ source }) => source)
            : ((raw[section] ?? []) as (string | { source: string })[]).map((grant) =>
                typeof grant === 'string' ? grant : grant.source,
              ),
      ),
    )
    assert.deepEqual([...used].toSorted(), Object.keys(compose.raw[section] as object).toSorted(), section)
  }
})

test('a service has its own NATS password and no other', () => {
  for (const { name, mounts } of services) {
    const passwords = mounts.filter(({ kind, target }) => kind === 'secret' && target.startsWith('/run/secrets/nats-'))
    const own = /^(edge|delivery|admin)-\d$/.exec(name)?.[1] ?? (name === 'posthouse' ? 'cli' : undefined)
    assert.deepEqual(
      passwords.map(({ target }) => target),
      own === undefined ? [] : [`/run/secrets/nats-${own}-password`],
      name,
    )
    const nats = mounts.filter(({ target }) => target.startsWith('/etc/nats/'))
    assert.equal(nats.length, /^nats-\d$/.test(name) ? 4 : 0, name)
  }
  for (const user of queueUsers) {
    const { nats } = settings(`${user}.yaml`)
    assert.deepEqual(nats, {
      servers: ['nats-1:4222', 'nats-2:4222', 'nats-3:4222'],
      user,
      passwordFile: `/run/secrets/nats-${user}-password`,
    })
  }
})

test('who must not be reached, or reach the world, cannot', () => {
  const networks = compose.raw['networks'] as Record<string, { internal?: boolean } | null>
  const open = Object.keys(networks).filter((name) => networks[name]?.internal !== true)
  assert.deepEqual(open.toSorted(), ['out', 'published'])
  for (const { name, raw, networks: on } of services) {
    const ports = (raw['ports'] ?? []) as string[]
    if (name === 'haproxy') {
      assert.deepEqual(ports, ['25:2525', '587:2587', '465:2465', '127.0.0.1:8404:8404'])
    } else for (const port of ports) assert.match(port, /^127\.0\.0\.1:/, name)
    const outside = on.filter((network) => open.includes(network))
    const expected = name.startsWith('delivery-')
      ? ['out']
      : ['haproxy', 'prometheus', 'grafana'].includes(name)
        ? ['published']
        : []
    assert.deepEqual(outside, expected, name)
  }
})

test('edges trust HAProxy by the address that it has, and serve nobody without a log-in', () => {
  const { networks } = (compose.services.get('haproxy')?.raw ?? {}) as { networks: { front: { ipv4_address: string } } }
  const { listeners } = settings('edge.yaml') as unknown as {
    listeners: { role: string; proxyFrom: string[]; networks?: string[] }[]
  }
  assert.deepEqual(
    listeners.map(({ role }) => role),
    ['submission', 'submissions', 'relay'],
  )
  for (const { role, proxyFrom, networks: served } of listeners) {
    assert.deepEqual(proxyFrom, [networks.front.ipv4_address], role)
    assert.deepEqual(served, role === 'relay' ? ['127.0.0.1'] : undefined, role)
  }
  // Docker gives the others addresses of the upper half.
  const { front } = compose.raw['networks'] as { front: { ipam: { config: unknown[] } } }
  assert.deepEqual(front.ipam.config, [{ subnet: '172.28.25.0/24', ip_range: '172.28.25.128/25' }])
  assert.match(networks.front.ipv4_address, /^172\.28\.25\.([2-9]|\d\d)$/)
})

test('a container is not killed before its program has given up by itself', () => {
  for (const kind of ['edge', 'delivery', 'admin']) {
    const deadline = seconds((settings(`${kind}.yaml`)['stop'] as { deadline: string }).deadline)
    for (const { name, raw } of named(new RegExp(`^${kind}-`))) {
      assert.ok(seconds(raw['stop_grace_period']) > deadline, name)
    }
  }
  const hardStop = /hard-stop-after (\S+)/.exec(readFileSync(join(import.meta.dirname, 'haproxy.cfg'), 'utf8'))?.[1]
  assert.ok(seconds(compose.services.get('haproxy')?.raw['stop_grace_period']) > seconds(hardStop))
})

test('the NATS users are those of the permissions', () => {
  assert.equal(
    readFileSync(ACCOUNTS_FILE, 'utf8'),
    accountsText(),
    'node deploy/compose/nats-accounts.ts writes it anew',
  )
})

test('Grafana finds its numbers, and its dashboards where they are mounted', () => {
  const grafana = compose.services.get('grafana')
  const { datasources } = settings('grafana/datasources.yaml') as unknown as {
    datasources: { url: string; uid: string }[]
  }
  assert.deepEqual(
    datasources.map(({ url, uid }) => [url, uid]),
    [['http://prometheus:9090', 'prometheus']],
  )
  const { providers } = settings('grafana/dashboards.yaml') as unknown as { providers: { options: { path: string } }[] }
  const path = providers[0]?.options.path
  const mount = grafana?.mounts.find(({ target }) => target === path)
  assert.equal(mount?.source, join(COMPOSE_FILE, '../grafana'))
  // It takes all files below that are JSON.
  assert.deepEqual(
    readdirSync(mount.source, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.json'))
      .toSorted(),
    ['delivery.json', 'edge.json', 'nats.json', 'overview.json', 'queue.json'],
  )
  assert.ok(compose.services.get('prometheus')?.command.includes('--enable-feature=exemplar-storage'))
})
