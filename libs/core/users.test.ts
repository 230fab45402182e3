import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseMailbox } from './address.ts'
import { dummyHash, hashPassword, parsePasswordHash, verifyPassword } from './password.ts'
import { formatUsers, isUserName, maySendAs, parseUsers } from './users.ts'

test('a password fits its own hash only, however its letters are composed', async () => {
  const text = await hashPassword('caf\u00e9')
  const hash = parsePasswordHash(text)
  assert.ok(hash)
  assert.match(text, /^scrypt\$32768\$8\$1\$/)
  assert.equal(await verifyPassword('cafe\u0301', hash), true)
  assert.equal(await verifyPassword('cafe', hash), false)
  assert.equal(await verifyPassword('', dummyHash()), false)
  assert.notEqual(await hashPassword('caf\u00e9'), text)
})

test('a hash that would cost too much, or is none, is refused', () => {
  const salt = 'A'.repeat(22) + '=='
  for (const text of [
    '',
    'plain',
    `scrypt$1000$8$1$${salt}$${salt}`,
    `scrypt$67108864$8$1$${salt}$${salt}`,
    'scrypt$2$8$1$$',
  ]) {
    assert.equal(parsePasswordHash(text), undefined, text)
  }
})

test('what was written is read back', async () => {
  const users = [
    { name: 'anna', hash: await hashPassword('x'), addresses: ['a@b.example', '@c.example', '*'] },
    { name: 'app', passwordFile: 'secrets/app', addresses: [] },
  ]
  const result = parseUsers(formatUsers(users))
  assert.ok(result.is === 'users')
  assert.deepEqual([...result.users.values()], users)
  assert.deepEqual(parseUsers(formatUsers([])), { is: 'users', users: new Map() })
})

test('all mistakes of a users file are told at once, each with its place', () => {
  const result = parseUsers(`
users:
  - {name: " a", hash: x, addresses: [nobody]}
  - 7
  - {name: b, hash: x, addresses: [], colour: red}
  - {name: c, passwordFile: x, hash: x, addresses: []}
  - {name: d, passwordFile: [x], addresses: []}
  - {name: e, passwordFile: '', addresses: []}
  - {name: f, addresses: []}
`)
  assert.ok(result.is === 'invalid')
  assert.deepEqual(
    result.errors.map((error) => error.split(':', 1)[0]),
    [
      'users[0].name',
      'users[0].hash',
      'users[0].addresses',
      'users[1]',
      'users[2].hash',
      'users[2].colour',
      'users[3].passwordFile',
      'users[4].passwordFile',
      'users[5].passwordFile',
      'users[6].hash',
    ],
  )
  assert.equal(parseUsers('users: [').is, 'invalid')
  assert.deepEqual(parseUsers('a: 1'), { is: 'invalid', errors: ['users: must be a list of users'] })
})

test('a user sends as what it owns, and everybody as nobody', () => {
  const user = { name: 'a', hash: '', addresses: ['a@b.example'] }
  const as = (address: string): boolean => {
    const mailbox = parseMailbox(address)
    assert.ok(!('invalid' in mailbox))
    return maySendAs(user, mailbox)
  }
  assert.equal(as('A@b.example'), true)
  assert.equal(as('c@b.example'), false)
  assert.equal(maySendAs(user, { address: '', local: '', domain: '', international: false }), true)
  assert.equal(isUserName('a@b.example'), true)
  assert.equal(isUserName('a\u0000'), false)
})
