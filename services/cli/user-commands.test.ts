import assert from 'node:assert/strict'
import { readFile, stat, writeFile } from 'node:fs/promises'
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
  const user = ((await readUsers(file)) as Users).get(name)
  assert.ok(user !== undefined && 'hash' in user)
  return verifyPassword(password, parsePasswordHash(user.hash) as PasswordHash)
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

test('a user whose password is in a file is kept as such by every command, shown with it, and gets no other here', async (t) => {
  const file = await usersFile(t)
  const written = 'users:\n  - name: app\n    passwordFile: secrets/app\n    addresses:\n      - "@example.org"\n'
  await writeFile(file, written)
  const passwordFile = join(file, '..', 'secrets', 'app')
  const kept = async () => ((await readUsers(file)) as Users).get('app')
  const entry = await kept()
  assert.deepEqual(entry, { name: 'app', passwordFile: 'secrets/app', addresses: ['@example.org'] })

  const refused = await posthouse(['user', 'passwd', 'app', '--file', file], { input: 'another one' })
  assert.deepEqual([refused.status, refused.output], [1, ''])
  const says = `the password of app is what ${passwordFile} holds (passwordFile in ${file}): change it there`
  assert.equal(refused.errors, `posthouse: ${says}\n`)
  assert.match(
    (await posthouse(['user', 'add', 'app', '--address', '*', '--file', file])).errors,
    /is in .*secrets\/app/,
  )
  assert.equal(await readFile(file, 'utf8'), written)

  await posthouse(['user', 'add', 'anna', '--address', '*', '--file', file], { input: 'secret' })
  await posthouse(['user', 'passwd', 'anna', '--file', file], { input: 'other secret' })
  assert.deepEqual(await kept(), entry)
  const listed = JSON.parse((await posthouse(['user', 'list', '--json', '--file', file])).output) as { users: object[] }
  assert.deepEqual(listed.users, [
    { name: 'app', addresses: ['@example.org'], passwordFile },
    { name: 'anna', addresses: ['*'] },
  ])
  const rows = (await posthouse(['user', 'list', '--file', file])).output.trimEnd().split('\n')
  assert.deepEqual(
    rows.map((row) => row.split(/ {2,}/)),
    [
      ['user', 'may send as', 'password in'],
      ['app', '@example.org', passwordFile],
      ['anna', '*', 'the users file, hashed'],
    ],
  )

  await posthouse(['user', 'remove', 'anna', '--file', file])
  assert.deepEqual(await kept(), entry)
  const removed = await posthouse(['user', 'remove', 'app', '--file', file])
  assert.ok(removed.output.endsWith(`; ${passwordFile} stays\n`), removed.output)
  assert.equal(await kept(), undefined)
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
