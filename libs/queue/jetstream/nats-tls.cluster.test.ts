/** TLS to the NATS servers: what is trusted, what is said where it is not, and certificates that are renewed meanwhile. */
import assert from 'node:assert/strict'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { NatsCluster } from '@posthouse/testkit/nats-cluster'
import { temporaryFolder, type TemporaryFolder } from '@posthouse/testkit/temporary-folder'
import { TlsAuthority, type Certificate } from '@posthouse/testkit/tls-authority'
import { SILENT } from '../log.ts'
import { connectStore } from './jetstream-store.ts'
import { Links } from './links.ts'
import type { NatsTls } from './nats-tls.ts'

let folder: TemporaryFolder
let authority: TlsAuthority
let other: TlsAuthority
before(async () => {
  folder = await temporaryFolder('nats-tls')
  authority = await authorityIn('ours')
  other = await authorityIn('theirs')
})
after(() => folder.remove())

async function authorityIn(name: string): Promise<TlsAuthority> {
  const dir = join(folder.path, name)
  await mkdir(dir)
  return TlsAuthority.create(dir, name)
}

type ServerTls = NonNullable<NonNullable<Parameters<typeof NatsCluster.start>[0]>['tls']>
const server = (tls?: ServerTls) => NatsCluster.start({ servers: 1, ...(tls === undefined ? {} : { tls }) })
const shown = ({ certFile, keyFile }: Certificate, verifyClients = false): ServerTls => {
  return { caFile: authority.caFile, certFile, keyFile, verifyClients }
}

const login = ({ servers, user, password }: NatsCluster, tls?: NatsTls) => {
  return { servers, user, password, name: 'test', log: SILENT, ...(tls === undefined ? {} : { tls }) }
}
async function connects(cluster: NatsCluster, tls?: NatsTls): Promise<void> {
  await (await Links.open(login(cluster, tls))).close()
}
const refuses = (cluster: NatsCluster, tls: NatsTls | undefined, reason: RegExp) =>
  assert.rejects(Links.open(login(cluster, tls)), (error: Error) => {
    assert.match(error.message, reason)
    assert.ok(!error.message.includes('\n'), error.message)
    return true
  })

describe('a server with a certificate', () => {
  let cluster: NatsCluster
  before(async () => {
    cluster = await server(shown(await authority.issue(['127.0.0.1', 'localhost'])))
  })
  after(() => cluster.stop())

  test('is trusted by its authority, under its address and under its name', async () => {
    await connects(cluster, { caFile: authority.caFile })
    const [port] = cluster.servers.map((place) => place.split(':')[1])
    const links = await Links.open({ ...login(cluster, { caFile: authority.caFile }), servers: [`localhost:${port}`] })
    await links.close()
  })

  test('is not trusted by another authority', () =>
    refuses(
      cluster,
      { caFile: other.caFile },
      /^nats\.tls\.caFile: the certificate of the NATS server is not to be trusted/,
    ))

  test('is not trusted without being told by whom', () =>
    refuses(
      cluster,
      undefined,
      /^nats\.tls\.caFile: not set, and the certificate of the NATS server is signed by no known/,
    ))

  test('files that cannot be used are named', async () => {
    const { caFile } = authority
    const [own, foreign] = [await authority.issue(['posthouse']), await authority.issue(['posthouse'])]
    const empty = join(folder.path, 'empty.pem')
    await writeFile(empty, '')
    const missing = join(folder.path, 'missing.pem')
    const client = (change: object) => ({ caFile, client: { ...own, ...change } })
    await refuses(cluster, { caFile: missing }, /^nats\.tls\.caFile: cannot read .*missing\.pem: ENOENT/)
    await refuses(cluster, { caFile: folder.path }, /^nats\.tls\.caFile: cannot read .*EISDIR/)
    await refuses(cluster, { caFile: empty }, /^nats\.tls\.caFile: .*empty\.pem is not PEM/)
    await refuses(cluster, client({ certFile: missing }), /^nats\.tls\.certFile: cannot read .*missing\.pem/)
    await refuses(cluster, client({ certFile: empty }), /^nats\.tls\.certFile: .*empty\.pem is not PEM/)
    await refuses(cluster, client({ keyFile: foreign.keyFile }), /^nats\.tls\.keyFile: .*cannot be used: .*mismatch/)
  })
})

test('a certificate for another name is not trusted, whoever signed it', async () => {
  await using cluster = await server(shown(await authority.issue(['nats.example', 'localhost'])))
  await refuses(cluster, { caFile: authority.caFile }, /^nats\.tls\.caFile: .*not to be trusted.*127\.0\.0\.1/)
})

test('a server without TLS is not talked to in the clear', async () => {
  await using cluster = await server()
  await refuses(cluster, { caFile: authority.caFile }, /^nats\.tls\.caFile: the NATS server offers no TLS/)
})

test('a server that wants a certificate gets one, of the right authority', async () => {
  await using cluster = await server(shown(await authority.issue(['127.0.0.1']), true))
  const { caFile } = authority
  await connects(cluster, { caFile, client: await authority.issue(['posthouse']) })
  await refuses(cluster, { caFile }, /^nats\.tls\.certFile: the NATS server wants a certificate of this process/)
  await refuses(
    cluster,
    { caFile, client: await other.issue(['posthouse']) },
    /^nats\.tls\.certFile: the NATS server does not accept the certificate of this process/,
  )
})

test('renewed certificates are used at the next connection, and until they are there it is said what is wrong', async () => {
  const mounted = join(folder.path, 'mounted')
  await mkdir(mounted)
  const path = (name: string) => join(mounted, name)
  const show = async (by: TlsAuthority) => {
    const { certFile, keyFile } = await by.issue(['127.0.0.1'])
    await Promise.all([copyFile(certFile, path('server.pem')), copyFile(keyFile, path('server.key'))])
    await copyFile(by.caFile, path('server-ca.pem'))
  }
  const trust = async (by: TlsAuthority) => {
    const { certFile, keyFile } = await by.issue(['posthouse'])
    await Promise.all([copyFile(certFile, path('client.pem')), copyFile(keyFile, path('client.key'))])
    await copyFile(by.caFile, path('client-ca.pem'))
  }
  await Promise.all([show(authority), trust(authority)])
  await using cluster = await server({
    caFile: path('server-ca.pem'),
    certFile: path('server.pem'),
    keyFile: path('server.key'),
    verifyClients: true,
  })
  const said = Promise.withResolvers<string>()
  const log = {
    ...SILENT,
    warn(facts: object, message: string) {
      if (message === 'NATS servers cannot be reached') said.resolve((facts as { error: string }).error)
    },
  }
  const tls = { caFile: path('client-ca.pem'), client: { certFile: path('client.pem'), keyFile: path('client.key') } }
  const options = { ...login(cluster, tls), log, partitions: 1, replicas: 1 }
  const store = await connectStore(options)

  await cluster.kill(0)
  await show(other)
  await cluster.start(0)
  await cluster.ready()
  assert.match(await said.promise, /^nats\.tls\.caFile: the certificate of the NATS server is not to be trusted/)
  assert.ok(store.disconnected() !== undefined)
  await trust(other)
  while (store.disconnected() !== undefined) await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal((await store.readLease(0)).is, 'none')
  await store.close()
})
