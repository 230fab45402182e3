import assert from 'node:assert/strict'
import { chmod, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { formatUsers, type User } from '@posthouse/core/users'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { failed } from './status.ts'
import { changeUsers, readUsers, type Users } from './users-file.ts'

const hash = `scrypt$32768$8$1$${Buffer.alloc(16).toString('base64')}$${Buffer.alloc(32).toString('base64')}`
const user = (name: string): User => ({ name, hash, addresses: ['*'] })
const plus = (name: string) => (users: Users) => new Map([...users, [name, user(name)]])

async function folder(test: { after(work: () => Promise<void>): void }): Promise<string> {
  const { path, remove } = await temporaryFolder('cli')
  test.after(remove)
  return path
}

test('a new file is for its owner alone; a file that is there keeps its mode', async (t) => {
  const dir = await folder(t)
  await changeUsers(join(dir, 'new'), plus('anna'))
  assert.equal((await stat(join(dir, 'new'))).mode & 0o777, 0o600)
  await chmod(join(dir, 'new'), 0o640)
  await changeUsers(join(dir, 'new'), plus('bob'))
  assert.equal((await stat(join(dir, 'new'))).mode & 0o777, 0o640)
})

test('changes at the same time all happen', async (t) => {
  const file = join(await folder(t), 'users.yaml')
  const names = Array.from({ length: 20 }, (_, index) => `user-${index}`)
  const problems = await Promise.all(names.map((name) => changeUsers(file, plus(name))))
  assert.deepEqual(new Set(problems), new Set([undefined]))
  assert.deepEqual([...((await readUsers(file)) as Users).keys()].toSorted(), names.toSorted())
})

test('a refused change leaves the file and nothing beside it', async (t) => {
  const dir = await folder(t)
  const file = join(dir, 'users.yaml')
  const text = `# kept\n${formatUsers([user('anna')])}`
  await writeFile(file, text)
  const problem = await changeUsers(file, () => failed('failed', 'no'))
  assert.deepEqual(problem?.lines, ['no'])
  assert.equal(await readFile(file, 'utf8'), text)
  assert.deepEqual(await readdir(dir), ['users.yaml'])
})

test('a symbolic link stays one; the file it leads to is replaced', async (t) => {
  const dir = await folder(t)
  await mkdir(join(dir, 'real'))
  await writeFile(join(dir, 'real', 'users'), formatUsers([user('anna')]))
  await symlink(join('real', 'users'), join(dir, 'link'))
  await changeUsers(join(dir, 'link'), plus('bob'))
  assert.ok((await lstat(join(dir, 'link'))).isSymbolicLink())
  assert.deepEqual([...((await readUsers(join(dir, 'real', 'users'))) as Users).keys()], ['anna', 'bob'])
})

test('a folder that is not there is a complaint, no exception', async (t) => {
  const problem = await changeUsers(join(await folder(t), 'no', 'users'), plus('anna'))
  assert.equal(problem?.status, 1)
})
