import assert from 'node:assert/strict'
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { parsePasswordHash, verifyPassword, type PasswordHash } from '@posthouse/core/password'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { runPosthouse } from './test/child.ts'
import { posthouse } from './test/fake-world.ts'
import { readUsers, type Users } from './users-file.ts'

async function usersFile(test: { after(work: () => Promise<void>): void }): Promise<string> {
  const { path, remove } = await temporaryFolder('cli')
  test.after(remove)
  return join(path, 'users.yaml')
}

async function hasPassword(file: string, name: string, password: string): Promise<boolean> {
  const hash = parsePasswordHash(((await readUsers(file)) as Users).get(name)?.hash ?? '')
  return verifyPassword(password, hash as PasswordHash)
}

test('a user is added, listed, given another password and removed by the command itself', async (t) => {
  const file = await usersFile(t)
  const addresses = ['--address', 'anna@example.org', '--address', '@example.net']
  const added = await runPosthouse(['user', 'add', 'anna', ...addresses, '--file', file, '--json'], {
    input: 'first\n',
  })
  assert.deepEqual([added.status, added.errors], [0, ''])
  const anna = { name: 'anna', addresses: ['anna@example.org', '@example.net'] }
  assert.deepEqual(JSON.parse(added.output), { file, ...anna })
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.ok(await hasPassword(file, 'anna', 'first'))

  const passwordFile = join(file, '..', 'password')
  await writeFile(passwordFile, 'sécond phrase\n')
  const changed = await runPosthouse(['user', 'passwd', 'anna', '--password-file', passwordFile, '--file', file])
  assert.equal(changed.status, 0, changed.errors)
  assert.ok(await hasPassword(file, 'anna', 'sécond phrase'))
  assert.ok(!(await hasPassword(file, 'anna', 'first')))

  const listed = await runPosthouse(['user', 'list', '--json'], { environment: { POSTHOUSE_USERS_FILE: file } })
  assert.deepEqual(JSON.parse(listed.output), { file, users: [anna] })

  assert.equal((await runPosthouse(['user', 'remove', 'anna', '--file', file])).status, 0)
  assert.deepEqual([...((await readUsers(file)) as Users).keys()], [])
})

test('neither the answer nor a complaint shows the password or its hash', async (t) => {
  const file = await usersFile(t)
  for (const more of [[], ['--json']]) {
    const args = ['user', 'add', `anna${more.length}`, '--address', '*', '--file', file, ...more]
    const said = await posthouse(args, { input: 'open sesame' })
    assert.doesNotMatch(said.output + said.errors, /sesame|scrypt/)
  }
  assert.doesNotMatch((await posthouse(['user', 'list', '--json', '--file', file])).output, /scrypt/)
})

test('a user whose name is an address may send as that address', async (t) => {
  const file = await usersFile(t)
  await posthouse(['user', 'add', 'anna@example.org', '--file', file], { input: 'secret' })
  assert.deepEqual(((await readUsers(file)) as Users).get('anna@example.org')?.addresses, ['anna@example.org'])
})

test('the users file of an edge is found by its settings, relative to them', async (t) => {
  const file = await usersFile(t)
  const config = join(file, '..', 'edge.yaml')
  await writeFile(config, 'name: edge-1\nusersFile: users.yaml\nlisteners: []\n')
  const said = await posthouse(['user', 'add', 'anna', '--address', '*', '--config', config], { input: 'secret' })
  assert.equal(said.status, 0, said.errors)
  assert.ok(((await readUsers(file)) as Users).has('anna'))
})

test('what cannot be done is one line and status 1, and changes nothing', async (t) => {
  const file = await usersFile(t)
  await posthouse(['user', 'add', 'anna', '--address', '*', '--file', file], { input: 'secret' })
  const before = await stat(file)
  const cases: [args: string[], input: string, line: RegExp][] = [
    [['add', 'anna', '--address', '*'], 'secret', /anna is a user already/],
    [['add', 'bob', '--address', '*'], '', /the password is empty/],
    [['add', 'bob', '--address', '*'], 'two\nlines', /more than one line/],
    [['add', 'bob', '--address', '*'], 'x'.repeat(20_000), /longer than 1024 bytes/],
    [['add', 'bob', '--address', '*', '--password-file', '/no/such/file'], '', /^posthouse: --password-file: ENOENT/],
    [['passwd', 'bob'], 'secret', /there is no user bob/],
    [['remove', 'bob'], '', /there is no user bob/],
  ]
  for (const [args, input, line] of cases) {
    const said = await posthouse(['user', ...args, '--file', file], { input })
    assert.deepEqual([said.status, said.output], [1, ''], args.join(' '))
    assert.match(said.errors, line)
    assert.equal(said.errors.trimEnd().split('\n').length, 1)
  }
  assert.equal((await stat(file)).ino, before.ino)
})

test('a users file with mistakes is status 78, a line for each, and stays as it is', async (t) => {
  const file = await usersFile(t)
  await writeFile(file, 'users:\n  - { name: anna, hash: plain, addresses: [anna] }\n')
  const said = await posthouse(['user', 'remove', 'anna', '--file', file])
  assert.equal(said.status, 78)
  assert.equal(said.errors.trimEnd().split('\n').length, 2)
  assert.match(said.errors, /users\[0\]\.hash/)
})

test('an unknown place of the users is status 78', async (t) => {
  const root = join(await usersFile(t), '..')
  assert.equal((await posthouse(['user', 'list'], { root })).status, 78)
  assert.equal((await posthouse(['user', 'list', '--data', root], { root })).status, 78)
})
