// init.sh: what it draws is nobody else's, and what is there stays.
import assert from 'node:assert/strict'
import { X509Certificate, createPrivateKey } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseUsers } from '@posthouse/core/users'
import { copiedFolder, HOSTNAME } from './test/copied-folder.ts'

function contents(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return new Map(files.map((entry) => [entry.name, readFileSync(join(entry.parentPath, entry.name), 'utf8')]))
}

const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8)

test('every password is long, its own, and another one in another place', async () => {
  await using one = await copiedFolder()
  await using two = await copiedFolder()
  await Promise.all([one.init(HOSTNAME), two.init(HOSTNAME)])
  const passwords = [one, two].flatMap(({ secrets }) =>
    [...contents(secrets)].filter(([name]) => name.endsWith('-password')).map(([, text]) => text.trim()),
  )
  assert.equal(passwords.length, 12)
  assert.equal(new Set(passwords).size, 12)
  for (const password of passwords) assert.match(password, /^[0-9a-f]{48}$/)
})

test('the files can be read by any container they are given to, and by no other user of the machine', async () => {
  await using folder = await copiedFolder()
  await folder.init(HOSTNAME)
  assert.equal(mode(folder.secrets), '700')
  for (const below of ['tls', 'users']) assert.equal(mode(join(folder.secrets, below)), '755')
  for (const file of ['nats-edge-password', 'nats-routes.conf', 'tls/tls.key', 'tls/tls.crt', 'users/users.yaml']) {
    assert.equal(mode(join(folder.secrets, file)), '644', file)
  }
})

test('the certificate is for the host name, the users file has no users, and .env has the name', async () => {
  await using folder = await copiedFolder()
  const { stdout } = await folder.init(HOSTNAME)
  assert.match(stdout, /a certificate for mail\.example\.org that nobody else has signed/)
  const read = (name: string) => readFileSync(join(folder.secrets, name), 'utf8')
  const certificate = new X509Certificate(read('tls/tls.crt'))
  assert.equal(certificate.checkHost(HOSTNAME), HOSTNAME)
  assert.ok(certificate.checkPrivateKey(createPrivateKey(read('tls/tls.key'))))
  assert.deepEqual(parseUsers(read('users/users.yaml')), { is: 'users', users: new Map() })
  assert.equal(readFileSync(join(folder.path, '.env'), 'utf8'), `POSTHOUSE_HOSTNAME=${HOSTNAME}\n`)
})

test('run again it changes nothing, and makes what was removed', async () => {
  await using folder = await copiedFolder()
  await folder.init(HOSTNAME)
  const before = contents(folder.secrets)
  writeFileSync(join(folder.secrets, 'users/users.yaml'), 'users: [] # mine\n')
  await folder.init()
  await folder.init(HOSTNAME)
  before.set('users.yaml', 'users: [] # mine\n')
  assert.deepEqual(contents(folder.secrets), before)

  rmSync(join(folder.secrets, 'nats-edge-password'))
  await folder.init()
  const after = contents(folder.secrets)
  const changed = [...after].filter(([name, text]) => before.get(name) !== text).map(([name]) => name)
  assert.deepEqual(changed.toSorted(), ['nats-edge-password', 'nats-passwords.conf'])
  assert.ok(after.get('nats-passwords.conf')?.includes(`"${after.get('nats-edge-password')?.trim()}"`))
})

test('a certificate of one’s own is kept, half of one is refused', async () => {
  await using folder = await copiedFolder()
  await folder.init(HOSTNAME)
  writeFileSync(join(folder.secrets, 'tls/tls.crt'), 'mine')
  const { stdout } = await folder.init()
  assert.equal(stdout, `secrets: ready for ${HOSTNAME}\n`)
  assert.equal(readFileSync(join(folder.secrets, 'tls/tls.crt'), 'utf8'), 'mine')
  rmSync(join(folder.secrets, 'tls/tls.key'))
  await assert.rejects(folder.init(), { code: 1, stderr: /secrets\/tls must hold both tls\.crt and tls\.key/ })
})

for (const [what, names, status] of [
  ['no name', [], 64],
  ['a name that is none', ['mail example'], 64],
  ['a name that would be a pattern', ['*'], 64],
  ['a name that begins with a dot', ['.example.org'], 64],
] as const) {
  test(`${what} is refused before anything is made`, async () => {
    await using folder = await copiedFolder()
    await assert.rejects(folder.init(...names), { code: status, stderr: /^init\.sh: [^\n]+\n$/ })
    assert.deepEqual(readdirSync(folder.secrets), [])
    assert.throws(() => statSync(join(folder.path, '.env')), { code: 'ENOENT' })
  })
}

test('another name than that of .env is refused', async () => {
  await using folder = await copiedFolder()
  await folder.init(HOSTNAME)
  await assert.rejects(folder.init('other.example.org'), {
    code: 64,
    stderr: /says POSTHOUSE_HOSTNAME=mail\.example\.org/,
  })
})
