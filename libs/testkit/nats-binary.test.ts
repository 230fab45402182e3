import assert from 'node:assert/strict'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { findNatsServer, isNewEnough, parseVersion } from './nats-binary.ts'
import { temporaryFolder } from './temporary-folder.ts'

async function fakeServer(folder: string, version: string): Promise<string> {
  await mkdir(folder, { recursive: true })
  const path = join(folder, 'nats-server')
  await writeFile(path, `#!/bin/sh\necho "nats-server: v${version}"\n`)
  await chmod(path, 0o755)
  return path
}

test('a version is read from what the program says', () => {
  assert.equal(parseVersion('nats-server: v2.15.1\n'), '2.15.1')
  assert.equal(parseVersion('nats-server: v2.16.0-RC.1'), '2.16.0-RC.1')
  assert.equal(parseVersion('something else'), undefined)
})

test('older than 2.15 is too old', () => {
  for (const version of ['2.15.0', '2.15.1', '2.16.0-RC.1', '3.0.0']) assert.ok(isNewEnough(version), version)
  for (const version of ['1.4.1', '2.9.10', '2.14.9']) assert.ok(!isNewEnough(version), version)
})

test('one that is too old on the PATH is passed over for one in the cache', async () => {
  await using folder = await temporaryFolder()
  await fakeServer(join(folder.path, 'bin'), '2.9.10')
  const cached = join(folder.path, 'cache', 'posthouse', 'tools', 'nats-server-2.99.0')
  const path = await fakeServer(cached, '2.99.0')
  const env = { PATH: join(folder.path, 'bin'), XDG_CACHE_HOME: join(folder.path, 'cache'), HOME: folder.path }
  const found = findNatsServer(env)
  // The checkout's own folder comes first if it holds one.
  assert.ok(found !== undefined && (found.path === path || found.path.includes('.posthouse')))
})

test('one that is named must be new enough, whatever else there is', async () => {
  await using folder = await temporaryFolder()
  const old = await fakeServer(folder.path, '2.9.10')
  assert.throws(() => findNatsServer({ POSTHOUSE_NATS_SERVER: old }), /version 2\.9\.10, needed is 2\.15 or newer/)
  assert.throws(() => findNatsServer({ POSTHOUSE_NATS_SERVER: '/nowhere' }), /not a nats-server that runs here/)
})
