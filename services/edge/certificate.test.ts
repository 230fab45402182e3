import assert from 'node:assert/strict'
import { X509Certificate, createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { readCertificate } from './certificate.ts'
import type { TlsFiles } from './listener.ts'
import { makeCertificate } from './self-signed.ts'
import { Client } from './test/client.ts'
import { MountedFolder } from './test/mounted-folder.ts'
import { password, startTestEdge } from './test/test-edge.ts'
import type { TestEdge } from './test/test-edge.ts'

test('a throw-away certificate is a good one but for its issuer', () => {
  const now = Date.UTC(2026, 10, 24)
  const { cert, key } = makeCertificate('edge.example', now)
  const certificate = new X509Certificate(cert)
  assert.equal(certificate.subject, 'CN=edge.example')
  assert.equal(certificate.checkHost('edge.example'), 'edge.example')
  assert.equal(certificate.checkHost('localhost'), 'localhost')
  assert.equal(certificate.checkIP('127.0.0.1'), '127.0.0.1')
  assert.equal(certificate.verify(certificate.publicKey), true)
  assert.equal(certificate.checkPrivateKey(createPrivateKey(key)), true)
  assert.equal(Date.parse(certificate.validFrom) < now && Date.parse(certificate.validTo) > now, true)
})

test('a long host name fits as well', () => {
  const name = `${'a'.repeat(60)}.${'b'.repeat(60)}.example`
  assert.equal(new X509Certificate(makeCertificate(name, Date.now()).cert).checkHost(name), name)
})

const rsaKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' })
const good = 'Subject: x\r\n\r\nbody\r\n.\r\n'

function pair(name: string): { 'tls.crt': string; 'tls.key': string } {
  const { cert, key } = makeCertificate(name, Date.now())
  return { 'tls.crt': String(cert), 'tls.key': String(key) }
}

test('a key that is not the one of the certificate is never taken with it, of whatever kind it is', () => {
  const [one, other] = [pair('one.example'), pair('other.example')]
  const read = (files: Record<string, string>): TlsFiles => {
    return readCertificate('tls.crt', 'tls.key', (path) => Buffer.from(files[path] ?? ''))
  }
  assert.deepEqual(String(read(one).cert), one['tls.crt'])
  const chain = { 'tls.crt': one['tls.crt'] + other['tls.crt'], 'tls.key': one['tls.key'] }
  assert.deepEqual(String(read(chain).cert), chain['tls.crt'])
  const halves: readonly (readonly [what: string, cert: string, key: string])[] = [
    ['the key of another', one['tls.crt'], other['tls.key']],
    ['a key of another kind', one['tls.crt'], String(rsaKey)],
    ['a chain whose first is another', other['tls.crt'] + one['tls.crt'], one['tls.key']],
    ['half a certificate', one['tls.crt'].slice(0, 200), one['tls.key']],
    ['half a key', one['tls.crt'], one['tls.key'].slice(0, 100)],
    ['no key', one['tls.crt'], ''],
    ['no certificate', '', one['tls.key']],
  ]
  for (const [what, cert, key] of halves) assert.throws(() => read({ 'tls.crt': cert, 'tls.key': key }), what)
})

/** The names in the certificates that new clients are shown, by STARTTLS and by implicit TLS. */
async function shown(edge: TestEdge): Promise<(string | undefined)[]> {
  const implicit = connect({ port: edge.ports.submissions, host: '127.0.0.1', rejectUnauthorized: false })
  await once(implicit, 'secureConnect')
  const plain = await Client.greeted(edge.ports.submission)
  const upgraded = await plain.startTls()
  const names = [implicit, upgraded].map((socket) => socket.getPeerX509Certificate()?.subject)
  implicit.destroy()
  plain.close()
  return names
}

async function logged(edge: TestEdge, message: string, times = 1): Promise<void> {
  while (edge.lines().filter((line) => line['msg'] === message).length < times) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('a mounted certificate is used as soon as its version is switched, and sessions that are there go on', async () => {
  await using folder = await temporaryFolder('edge')
  const mounted = new MountedFolder(join(folder.path, 'tls'), pair('one.example'))
  const tls = { certFile: mounted.file('tls.crt'), keyFile: mounted.file('tls.key') }
  await using edge = await startTestEdge({ settings: { tls, local: false } })
  assert.deepEqual(await shown(edge), ['CN=one.example', 'CN=one.example'])
  const before = await Client.secure(edge.ports.submissions)
  await before.reply()
  await before.command('EHLO client.example')
  const toUpgrade = await Client.greeted(edge.ports.submission)

  for (const [index, name] of ['two.example', 'three.example'].entries()) {
    mounted.update(pair(name))
    await logged(edge, 'certificate read again', index + 1)
    assert.deepEqual(await shown(edge), [`CN=${name}`, `CN=${name}`])
  }
  assert.match(await before.login('anna', password), /^235 /)
  assert.match(await before.mail('anna@example.org', 'c@d.example', good), /^250 /)
  const upgraded = await toUpgrade.startTls()
  assert.equal(upgraded.getPeerX509Certificate()?.subject, 'CN=three.example')
  for (const client of [before, toUpgrade]) client.close()
  assert.ok(!edge.lines().some((line) => line['level'] === 'error'))
})

for (const kind of ['the same kind', 'another kind']) {
  test(`between a new certificate and its key, of ${kind}, the pair of before is used`, async () => {
    await using folder = await temporaryFolder('edge')
    const [one, two] = [pair('one.example'), pair('two.example')]
    const tls = { certFile: join(folder.path, 'tls.crt'), keyFile: join(folder.path, 'tls.key') }
    writeFileSync(tls.certFile, one['tls.crt'])
    writeFileSync(tls.keyFile, one['tls.key'])
    await using edge = await startTestEdge({ settings: { tls, local: false } })
    if (kind === 'the same kind') writeFileSync(tls.certFile, two['tls.crt'])
    else writeFileSync(tls.keyFile, rsaKey)
    await logged(edge, 'the certificate is wrong: the one of before stays')
    assert.deepEqual(await shown(edge), ['CN=one.example', 'CN=one.example'])
    writeFileSync(tls.certFile, two['tls.crt'])
    writeFileSync(tls.keyFile, two['tls.key'])
    await logged(edge, 'certificate read again')
    assert.deepEqual(await shown(edge), ['CN=two.example', 'CN=two.example'])
  })
}

test('a certificate with the key of another ends the start', async () => {
  await using folder = await temporaryFolder('edge')
  const certFile = join(folder.path, 'tls.crt')
  const keyFile = join(folder.path, 'tls.key')
  writeFileSync(certFile, pair('one.example')['tls.crt'])
  writeFileSync(keyFile, rsaKey)
  await assert.rejects(startTestEdge({ settings: { tls: { certFile, keyFile }, local: false } }), {
    setting: 'tls.certFile',
    message: `cannot use ${certFile}: ${keyFile} is not the key of ${certFile}`,
  })
})
