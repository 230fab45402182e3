import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { formatUsers } from '@posthouse/core/users'
import type { UserEntry } from '@posthouse/core/users'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { PasswordHashes } from './password-hashes.ts'
import { Client } from './test/client.ts'
import { MountedFolder } from './test/mounted-folder.ts'
import { startTestEdge } from './test/test-edge.ts'
import type { TestEdge } from './test/test-edge.ts'

const addresses = ['*']
const fileUser = (name: string, passwordFile: string): UserEntry => ({ name, passwordFile, addresses })

async function login(edge: TestEdge, name: string, password: string): Promise<string> {
  const client = await Client.secure(edge.ports.submissions)
  await client.reply()
  await client.command('EHLO client.example')
  const reply = await client.login(name, password)
  client.close()
  return reply.slice(0, 3)
}

async function logged(edge: TestEdge, message: string, times = 1): Promise<Record<string, unknown> | undefined> {
  for (;;) {
    const lines = edge.lines().filter((line) => line['msg'] === message)
    if (lines.length >= times) return lines.at(-1)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const wrong = 'the users file is wrong: the users of before stay'

test('users and their passwords are mounted, and count as soon as a version is switched', async () => {
  await using folder = await temporaryFolder('edge')
  const secret = new MountedFolder(join(folder.path, 'secret'), { password: 'the first password\n' })
  const users = formatUsers([fileUser('app', '../secret/password'), fileUser('job', 'job-password')])
  const config = new MountedFolder(join(folder.path, 'users'), {
    'users.yaml': users,
    'job-password': 'work work work',
  })
  await using edge = await startTestEdge({ settings: { usersFile: config.file('users.yaml') } })
  assert.equal(await login(edge, 'app', 'the first password'), '235')
  assert.equal(await login(edge, 'job', 'work work work'), '235')
  assert.equal(await login(edge, 'app', 'work work work'), '535')

  // The password alone.
  secret.update({ password: 'the second password\n' })
  await logged(edge, 'users read again')
  assert.equal(await login(edge, 'app', 'the first password'), '535')
  assert.equal(await login(edge, 'app', 'the second password'), '235')
  assert.match(await edge.metricsText(), /logins_total\{result="cached"\} 0\n/)
  assert.equal(await login(edge, 'job', 'work work work'), '235')
  assert.match(await edge.metricsText(), /logins_total\{result="cached"\} 1\n/)

  // The users, and with them a file that was not read before; and that file, from then on.
  const more = formatUsers([fileUser('app', '../secret/password'), fileUser('new', join(folder.path, 'new'))])
  writeFileSync(join(folder.path, 'new'), 'quite new here')
  config.update({ 'users.yaml': more, 'job-password': 'work work work' })
  await logged(edge, 'users read again', 2)
  assert.equal(await login(edge, 'new', 'quite new here'), '235')
  assert.equal(await login(edge, 'job', 'work work work'), '535')
  writeFileSync(join(folder.path, 'new'), 'not so new any more')
  await logged(edge, 'users read again', 3)
  assert.equal(await login(edge, 'new', 'not so new any more'), '235')
})

test('a password file that is wrong or gone leaves the users of before, until it is right', async () => {
  await using folder = await temporaryFolder('edge')
  const [usersFile, passwordFile] = [join(folder.path, 'users.yaml'), join(folder.path, 'password')]
  writeFileSync(usersFile, formatUsers([fileUser('app', 'password')]))
  writeFileSync(passwordFile, 'the first password')
  await using edge = await startTestEdge({ settings: { usersFile } })
  writeFileSync(passwordFile, 'too short\n')
  const short = await logged(edge, wrong)
  assert.equal(
    short?.['reason'],
    `${usersFile}: passwordFile of "app": ${passwordFile}: the password is shorter than 12 characters`,
  )
  assert.equal(await login(edge, 'app', 'the first password'), '235')
  rmSync(passwordFile)
  assert.match(String((await logged(edge, wrong, 2))?.['reason']), /ENOENT/)
  assert.equal(await login(edge, 'app', 'the first password'), '235')
  writeFileSync(passwordFile, 'the second password')
  await logged(edge, 'users read again')
  assert.equal(await login(edge, 'app', 'the second password'), '235')
  assert.equal(await login(edge, 'app', 'the first password'), '535')
})

test('all password files that are wrong are told at once, and end the start', async () => {
  await using folder = await temporaryFolder('edge')
  const usersFile = join(folder.path, 'users.yaml')
  const files = { short: 'eleven char', empty: '', fine: 'correct horse battery' }
  for (const [name, held] of Object.entries(files)) writeFileSync(join(folder.path, name), held)
  mkdirSync(join(folder.path, 'folder'))
  writeFileSync(
    usersFile,
    formatUsers(['short', 'empty', 'fine', 'folder', 'absent'].map((name) => fileUser(name, name))),
  )
  await assert.rejects(startTestEdge({ settings: { usersFile } }), (error: Error & { setting?: string }) => {
    assert.equal(error.setting, 'usersFile')
    const told = error.message.split('; ').map((line) => /passwordFile of "(\w+)"/.exec(line)?.[1])
    assert.deepEqual(told, ['short', 'empty', 'folder', 'absent'])
    assert.doesNotMatch(error.message, /eleven|horse|\n/)
    return true
  })
})

test('a password that stays keeps its hash, one that changes or belongs to another has a hash of its own', async () => {
  const hashes = new PasswordHashes()
  const of = async (passwords: Record<string, string>) =>
    Object.fromEntries(await hashes.of(new Map(Object.entries(passwords))))
  const first = await of({ one: 'the same password', two: 'the same password' })
  assert.notEqual(first['one'], first['two'])
  const second = await of({ one: 'the same password', two: 'another password' })
  assert.equal(second['one'], first['one'])
  assert.notEqual(second['two'], first['two'])
  await of({ two: 'another password' })
  const back = await of({ one: 'the same password', two: 'another password' })
  assert.notEqual(back['one'], first['one'])
  assert.equal(back['two'], second['two'])
})
