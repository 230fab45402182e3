// A real edge behind a real HAProxy: whoever connects to HAProxy is who the edge sees, in both versions of the PROXY protocol
// and with TLS of each kind; and HAProxy's health checks are no clients.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { delimiter, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import { hashPassword } from '@posthouse/core/password'
import { formatUsers } from '@posthouse/core/users'
import { makeStreams } from '@posthouse/queue/jetstream/jetstream-store'
import { SILENT } from '@posthouse/queue/log'
import { startChild } from '@posthouse/testkit/child-process'
import { freePorts } from '@posthouse/testkit/free-port'
import { NatsCluster } from '@posthouse/testkit/nats-cluster'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { TlsAuthority } from '@posthouse/testkit/tls-authority'
import { ensurePackages } from './faults/breakage/packages.ts'
import { composeMessage } from './message.ts'
import { seededRandom } from './random.ts'
import { SmtpClient, Unwelcome, type Target } from './smtp-client.ts'
import type { Verdict } from './smtp-verdict.ts'

const EDGE = join(import.meta.dirname, '../services/edge/main.ts')
const LISTED = '127.0.0.2'
const STRANGER = '127.0.0.3'
const BALANCER = '127.0.0.9'
/** The balancer is among them, and must not be served all the same. */
const NETWORKS = [LISTED, '127.0.0.8/30']
const VERSIONS = ['send-proxy', 'send-proxy-v2'] as const
type Version = (typeof VERSIONS)[number]
const ROLES = ['relay', 'submission', 'submissions'] as const
type Role = (typeof ROLES)[number]
const LOGIN = { user: 'anna', password: 'a horse, a courier' }

test('HAProxy before an edge', { timeout: 120_000 }, async (t) => {
  await ensurePackages(['haproxy'], (line) => t.diagnostic(line))
  const site = await startSite(t)
  for (const version of VERSIONS) {
    const target = (role: Role, tls: Target['tls'], from: string): Target => ({
      host: '127.0.0.1',
      port: site.front(version, role),
      tls,
      from,
      ...(role === 'relay' ? {} : LOGIN),
    })
    await t.test(`${version}: a listed client is served, another is not, with STARTTLS and without`, async () => {
      for (const tls of ['none', 'starttls'] as const) {
        const accepted = await send(target('relay', tls, LISTED))
        assert.equal(accepted.told, 'accepted', tls)
        assert.equal(await site.clientOf(accepted), LISTED)
        const refused = await send(target('relay', tls, STRANGER))
        assert.deepEqual([refused.told, codes(refused)], ['refused', [550]], tls)
        const balancer = await send(target('relay', tls, BALANCER))
        assert.deepEqual([balancer.told, codes(balancer)], ['refused', [550]], tls)
      }
    })
    for (const [role, tls] of [
      ['submission', 'starttls'],
      ['submissions', 'implicit'],
    ] as const) {
      await t.test(`${version}: ${role} takes mail of a user, and knows where it came from`, async () => {
        const accepted = await send(target(role, tls, STRANGER))
        assert.equal(await site.clientOf(accepted), STRANGER)
        const wrong = SmtpClient.connect({ ...target(role, tls, LISTED), password: 'wrong' })
        await assert.rejects(wrong, (error) => error instanceof Unwelcome && error.code === 535)
      })
    }
  }
  await t.test('health checks are answered behind a header, and no clients or trouble without one', async () => {
    let metrics = ''
    const count = (name: string): number =>
      [...metrics.matchAll(new RegExp(`^posthouse_edge_${name}.* (\\d+)$`, 'gm'))].reduce(
        (sum, [, n]) => sum + Number(n),
        0,
      )
    while (count('proxy_headers_total\\{result="local"') < 2) {
      await sleep(50)
      metrics = await site.metrics()
    }
    assert.equal(count('proxy_headers_total\\{result="(?:late|invalid)"'), 0)
    assert.equal(count('connections_total'), count('proxy_headers_total\\{result="(?:client|local)"'))
    const log = await site.log()
    const refused = log.filter(({ msg }) => msg === 'refused').map(({ reason }) => reason)
    assert.deepEqual([...new Set(refused)], ['notListed'])
    assert.deepEqual(
      log.filter(({ level }) => level !== 'info'),
      [],
    )
  })
})

async function send(target: Target): Promise<Verdict> {
  const client = await SmtpClient.connect(target)
  const how = { random: seededRandom(1), size: 2000, recipients: 1, domain: 'dest.example', date: new Date() }
  const verdict = await client.send(composeMessage('m1', { ...how, sender: 'anna@example.org' }))
  client.quit()
  return verdict
}

function codes(verdict: Verdict): number[] {
  return verdict.told === 'refused' ? verdict.refused.map(({ code }) => code) : []
}

interface Site {
  /** The port of HAProxy for a way of sending headers and a role. */
  front(version: Version, role: Role): number
  /** Whom the edge says it had the message from. */
  clientOf(accepted: Verdict): Promise<unknown>
  log(): Promise<Record<string, unknown>[]>
  metrics(): Promise<string>
}

/** NATS, an edge and HAProxy, until the test is over. */
async function startSite(t: TestContext): Promise<Site> {
  const folder = await temporaryFolder('haproxy')
  t.after(() => folder.remove())
  const file = (name: string): string => join(folder.path, name)
  const nats = await NatsCluster.start({ servers: 1 })
  t.after(() => nats.stop())
  // Delivery nodes do so, and there is none here.
  const { servers, user, password } = nats
  await makeStreams({ servers, user, password, name: 'first', partitions: 1, replicas: 1, log: SILENT })
  const ports = await freePorts(1 + ROLES.length * (1 + VERSIONS.length))
  const [http = 0] = ports
  const back = (role: Role): number => ports[1 + ROLES.indexOf(role)] ?? 0
  const front = (version: Version, role: Role): number =>
    ports[1 + ROLES.length * (1 + VERSIONS.indexOf(version)) + ROLES.indexOf(role)] ?? 0

  const authority = await TlsAuthority.create(folder.path)
  const { certFile, keyFile } = await authority.issue(['edge.example'])
  await writeFile(file('password'), nats.password)
  const hash = await hashPassword(LOGIN.password)
  await writeFile(file('users.yaml'), formatUsers([{ name: LOGIN.user, hash, addresses: ['anna@example.org'] }]))
  const settings = {
    name: 'edge-1',
    hostname: 'edge.example',
    http: { port: http },
    nats: { servers: nats.servers, user: nats.user, passwordFile: file('password') },
    queue: { partitions: 1, replicas: 1 },
    usersFile: file('users.yaml'),
    failedLoginDelay: '0s',
    tls: { certFile, keyFile },
    listeners: ROLES.map((role) => ({
      role,
      host: '127.0.0.1',
      port: back(role),
      proxyFrom: [BALANCER],
      networks: role === 'relay' ? NETWORKS : [],
    })),
  }
  await writeFile(file('edge.yaml'), stringify(settings, { aliasDuplicateObjects: false }))
  await writeFile(
    file('haproxy.cfg'),
    [
      'defaults',
      '  mode tcp',
      '  timeout connect 5s',
      '  timeout client 1m',
      '  timeout server 1m',
      ...VERSIONS.flatMap((version) =>
        ROLES.flatMap((role) => {
          // A check is a session of its own behind a header that says so; or, with a port named, a bare connection that is reset.
          const session = role !== 'submissions'
          return [
            `listen ${role}-${version}`,
            `  bind 127.0.0.1:${front(version, role)}`,
            ...(session ? ['  option smtpchk EHLO check.example'] : []),
            `  server edge 127.0.0.1:${back(role)} source ${BALANCER} ${version} inter 200ms check` +
              (session ? '' : ` port ${back(role)}`),
          ]
        }),
      ),
      '',
    ].join('\n'),
  )
  await run(t, process.execPath, [EDGE, '--config', file('edge.yaml')], file('edge.log'), async () =>
    (await readFile(file('edge.log'), 'utf8')).includes('"msg":"ready"'),
  )
  // It takes all its ports or none.
  await run(t, 'haproxy', ['-db', '-f', file('haproxy.cfg')], file('haproxy.log'), () =>
    listens(front('send-proxy', 'relay')),
  )
  const log: Site['log'] = async () =>
    (await readFile(file('edge.log'), 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  return {
    front,
    log,
    metrics: async () => (await fetch(`http://127.0.0.1:${http}/metrics`)).text(),
    async clientOf(accepted) {
      assert.equal(accepted.told, 'accepted')
      for (;;) {
        const line = (await log()).find(({ msg, id }) => msg === 'accepted' && id === accepted.queueId)
        if (line !== undefined) return line['client']
        await sleep(20)
      }
    },
  }
}

/** Resolves when it is ready; it ends with the test. */
async function run(
  t: TestContext,
  program: string,
  args: string[],
  output: string,
  ready: () => Promise<boolean>,
): Promise<void> {
  const env = { ...process.env, PATH: [process.env['PATH'], '/usr/sbin', '/sbin'].join(delimiter) }
  const child = await startChild(program, args, { output, env })
  t.after(() => child.stop())
  while (!(await ready())) {
    assert.ok(child.running, await readFile(output, 'utf8'))
    await sleep(20)
  }
}

async function listens(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
