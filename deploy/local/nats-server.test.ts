import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from '@posthouse/testkit/nats-binary'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { mirrors, sourceEntry } from './debian-package.ts'
import { releaseOf, verify } from './nats-release.ts'
import { ensureNatsServer, type Source } from './nats-server.ts'

const program =
  (version: string): Source =>
  async (folder) => {
    const path = join(folder, 'nats-server')
    await writeFile(path, `#!/bin/sh\necho "nats-server: v${version}"\n`)
    await chmod(path, 0o755)
    return path
  }
const fails: Source = () => Promise.reject(new Error('no route to it'))
const nothingThere = (folder: string) => ({ PATH: '', HOME: folder, XDG_CACHE_HOME: join(folder, 'cache') })

test('the first source that works fills the cache of the user, and the next start finds it there', async (t) => {
  await using folder = await temporaryFolder()
  const env = nothingThere(folder.path)
  const sources = [
    { name: 'first', download: fails },
    { name: 'old', download: program('2.9.0') },
    { name: 'good', download: program('2.99.0') },
  ]
  const got = await ensureNatsServer(() => {}, sources, env)
  if (got.path.includes('.posthouse')) return t.skip('this checkout holds a server of its own')
  assert.deepEqual(got, {
    path: join(folder.path, 'cache/posthouse/tools/nats-server-2.99.0/nats-server'),
    version: '2.99.0',
  })
  assert.deepEqual(inspect(got.path), got)
  assert.deepEqual(await ensureNatsServer(() => {}, [{ name: 'never asked', download: fails }], env), got)
})

test('when every source fails, the error says why each did and what to do', async (t) => {
  await using folder = await temporaryFolder()
  const sources = [
    { name: 'Debian package', download: fails },
    { name: 'official release', download: program('2.1.0') },
  ]
  const outcome = await ensureNatsServer(() => {}, sources, nothingThere(folder.path)).catch(
    (error: Error) => error.message,
  )
  if (typeof outcome !== 'string') return t.skip('this checkout holds a server of its own')
  assert.match(outcome, /no nats-server 2\.15 or newer/)
  assert.match(outcome, /Debian package: no route to it/)
  assert.match(outcome, /official release: its version 2\.1\.0 is too old/)
  assert.match(outcome, /POSTHOUSE_NATS_SERVER=/)
})

test("the mirror is taken from the machine's own sources, the archives of updates left out", () => {
  const listing = [
    'http://mirror.example/debian/ bookworm',
    'http://mirror.example/debian/ bookworm-updates',
    'http://mirror.example/debian-security/ bookworm-security',
    'http://mirror.example/old/ buster/updates',
    'http://mirror.example/debian/ bookworm',
    'http://other.example/ nodistro',
    '',
  ]
  assert.deepEqual(mirrors(listing.join('\n')), ['http://mirror.example/debian/', 'http://other.example/'])
})

test('the source of the other suite is verified with the archive keys', () => {
  assert.equal(
    sourceEntry('http://mirror.example/debian/', 'sid', '/keys.gpg'),
    'Types: deb\nURIs: http://mirror.example/debian/\nSuites: sid\nComponents: main\nSigned-By: /keys.gpg\n',
  )
})

test('the official release is pinned by its checksum', () => {
  const release = releaseOf('linux', 'x64')
  assert.match(release.url, /\/v2\.15\.0\/nats-server-v2\.15\.0-linux-amd64\.tar\.gz$/)
  assert.throws(() => releaseOf('plan9', 'x64'), /no pinned release for plan9-amd64/)
  const content = Buffer.from('content')
  verify(content, createHash('sha256').update(content).digest('hex'))
  assert.throws(() => verify(content, release.sha256), /checksum is .*, expected 5d2c51ca/)
})
