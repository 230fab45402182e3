import assert from 'node:assert/strict'
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { findHelm, inspect, isNewEnough, parseVersion } from './helm-binary.ts'
import { ensureHelm, ownGo, type Source } from './helm-build.ts'

async function program(folder: string, name: string, says: string): Promise<string> {
  await mkdir(folder, { recursive: true })
  const path = join(folder, name)
  await writeFile(path, `#!/bin/sh\necho "${says}"\n`)
  await chmod(path, 0o755)
  return path
}
const builds =
  (version: string): Source =>
  async (folder) => {
    await program(folder, 'helm', version)
  }
const fails: Source = () => Promise.reject(new Error('no route to it'))
const never: Source = () => assert.fail('asked all the same')
const nothingThere = (folder: string) => ({ PATH: '', HOME: folder, XDG_CACHE_HOME: join(folder, 'cache') })

test('the version of a helm is understood in all the ways it is said', () => {
  const table: [string, string | undefined, boolean][] = [
    ['v3.14.0', '3.14.0', true],
    ['v3.13.3', '3.13.3', false],
    ['v4.3', '4.3', true],
    ['v3.18.2+g04cad46\n', '3.18.2', true],
    ['v2.17.0', '2.17.0', false],
    ['command not found', undefined, false],
  ]
  for (const [said, version, enough] of table) {
    assert.equal(parseVersion(said), version, said)
    assert.equal(version !== undefined && isNewEnough(version), enough, said)
  }
})

test('a helm on the PATH is taken if it is new enough, else the one that was kept', async () => {
  await using folder = await temporaryFolder()
  const env = nothingThere(folder.path)
  const [older, newer] = [join(folder.path, 'old'), join(folder.path, 'new')]
  await program(older, 'helm', 'v3.9.0')
  const onPath = await program(newer, 'helm', 'v3.17.1')
  const kept = await program(join(folder.path, 'cache/posthouse/tools/helm-4.3.1'), 'helm', 'v4.3.1')
  assert.deepEqual(findHelm({ ...env, PATH: `${older}:${newer}` }), { path: onPath, version: '3.17.1' })
  const other = findHelm({ ...env, PATH: older })
  // A checkout may hold one of its own, which comes first.
  if (!other?.path.includes('.posthouse')) assert.deepEqual(other, { path: kept, version: '4.3.1' })
})

test('a helm that is named must be one, and new enough', async () => {
  await using folder = await temporaryFolder()
  const old = await program(folder.path, 'old-helm', 'v3.9.0')
  const good = await program(folder.path, 'good-helm', 'v4.0.0')
  assert.throws(
    () => findHelm({ POSTHOUSE_HELM: '/nowhere/helm' }),
    /^Error: POSTHOUSE_HELM: \/nowhere\/helm is not a helm/,
  )
  assert.throws(() => findHelm({ POSTHOUSE_HELM: old }), /is version 3\.9\.0, needed is 3\.14 or newer$/)
  assert.deepEqual(findHelm({ POSTHOUSE_HELM: good }), { path: good, version: '4.0.0' })
})

test('the first source that works fills the cache of the user, and nothing else stays', async (t) => {
  await using folder = await temporaryFolder()
  const env = nothingThere(folder.path)
  let workedIn = ''
  const sources = [
    { name: 'first', build: fails },
    { name: 'old', build: builds('v3.2.0') },
    {
      name: 'good',
      build: (async (at, say, around) => {
        workedIn = at
        await builds('v9.9.9')(at, say, around)
      }) satisfies Source,
    },
  ]
  const got = await ensureHelm(() => {}, sources, env)
  if (got.path.includes('.posthouse')) return t.skip('this checkout holds a helm of its own')
  assert.deepEqual(got, { path: join(folder.path, 'cache/posthouse/tools/helm-9.9.9/helm'), version: '9.9.9' })
  assert.deepEqual(inspect(got.path), got)
  assert.deepEqual(await readdir(join(got.path, '..')), ['helm'])
  await assert.rejects(readdir(workedIn), { code: 'ENOENT' })
  assert.deepEqual(await ensureHelm(() => {}, [{ name: 'never asked', build: never }], env), got)
})

test('when every source fails, the error says why each did and what to install', async (t) => {
  await using folder = await temporaryFolder()
  const sources = [
    { name: "this machine's Go", build: fails },
    { name: "Debian's Go", build: builds('v3.1.0') },
  ]
  const outcome = await ensureHelm(() => {}, sources, nothingThere(folder.path)).catch((error: Error) => error.message)
  if (typeof outcome !== 'string') return t.skip('this checkout holds a helm of its own')
  assert.match(outcome, /^the tests of the chart need helm 3\.14 or newer; none is on the PATH/)
  assert.match(outcome, /this machine's Go: no route to it/)
  assert.match(outcome, /Debian's Go: its version 3\.1\.0 is too old/)
  assert.match(outcome, /\nInstall helm, or Go 1\.\d+ or newer .*POSTHOUSE_HELM=/)
})

test('Go is looked for on the PATH first, then where its own archive puts it', async () => {
  await using folder = await temporaryFolder()
  const [first, last] = [join(folder.path, 'first'), join(folder.path, 'last')]
  assert.equal(ownGo({ PATH: first }, last), undefined)
  const own = await program(last, 'go', 'go version')
  assert.equal(ownGo({ PATH: first }, last), own)
  const onPath = await program(first, 'go', 'go version')
  assert.equal(ownGo({ PATH: `/nowhere:${first}` }, last), onPath)
})
