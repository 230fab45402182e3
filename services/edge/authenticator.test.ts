import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { hashPassword } from '@posthouse/core/password'
import { formatUsers } from '@posthouse/core/users'
import type { User } from '@posthouse/core/users'
import { Authenticator } from './authenticator.ts'
import { Client } from './test/client.ts'
import { password, startTestEdge } from './test/test-edge.ts'

const user: User = { name: 'anna', hash: await hashPassword('right'), addresses: ['*'] }

test('a right password is remembered for a minute, and no longer when it was changed', async () => {
  let now = 0
  let users = new Map([['anna', user]])
  const authenticator = new Authenticator(
    () => users,
    () => now,
  )
  const login = (word: string) => authenticator.login('anna', word, '192.0.2.1')
  assert.deepEqual(await login('right'), { is: 'ok', user, cached: false })
  assert.deepEqual(await login('right'), { is: 'ok', user, cached: true })
  assert.deepEqual(await login('wrong'), { is: 'wrong' })
  now = 61_000
  assert.deepEqual(await login('right'), { is: 'ok', user, cached: false })
  users = new Map([['anna', { ...user, hash: await hashPassword('new') }]])
  assert.deepEqual(await login('right'), { is: 'wrong' })
  users = new Map()
  assert.deepEqual(await login('right'), { is: 'wrong' })
})

test('who fails too often is not checked any more for a while, others are', async () => {
  let now = 0
  const authenticator = new Authenticator(
    () => new Map([['anna', user]]),
    () => now,
  )
  const guesses = Array.from({ length: 30 }, (_, i) => authenticator.login('nobody', `${i}`, '192.0.2.1'))
  for (const result of await Promise.all(guesses)) assert.deepEqual(result, { is: 'wrong' })
  assert.deepEqual(await authenticator.login('anna', 'right', '192.0.2.1'), { is: 'blocked' })
  assert.equal((await authenticator.login('anna', 'right', '192.0.2.2')).is, 'ok')
  now = 10 * 60_000 + 1
  assert.equal((await authenticator.login('anna', 'right', '192.0.2.1')).is, 'ok')
})

test('the users file counts as soon as it is changed, and a broken one changes nothing', async () => {
  await using edge = await startTestEdge()
  const login = async (name: string): Promise<string> => {
    const client = await Client.secure(edge.ports.submissions)
    await client.reply()
    await client.command('EHLO x')
    const reply = await client.login(name, password)
    client.close()
    return reply
  }
  const logged = async (message: string): Promise<void> => {
    while (!edge.lines().some((line) => line['msg'] === message))
      await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.match(await login('bert'), /^535 /)
  writeFileSync(edge.usersFile, formatUsers([{ name: 'bert', hash: await hashPassword(password), addresses: ['*'] }]))
  await logged('users read again')
  assert.match(await login('bert'), /^235 /)
  assert.match(await login('anna'), /^535 /)
  writeFileSync(edge.usersFile, 'users: 7')
  await logged('the users file is wrong: the users of before stay')
  assert.match(await login('bert'), /^235 /)
})
