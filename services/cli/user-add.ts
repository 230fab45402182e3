// `posthouse user add NAME`: a new user, who may send as the addresses given and no others.
import { isOwnership } from '@posthouse/core/address'
import { hashPassword } from '@posthouse/core/password'
import { isUserName, type UserEntry } from '@posthouse/core/users'
import type { Command } from './command.ts'
import { newPassword, passwordNotes, passwordOptions } from './new-password.ts'
import { failed, isFailed, type Failed } from './status.ts'
import { findUsersFile, usersNotes, usersOptions } from './users-access.ts'
import { changeUsers, passwordFileOf, readUsers } from './users-file.ts'

export const userAdd: Command = {
  name: 'user add',
  summary: 'let somebody log in and send',
  operands: ['NAME'],
  options: {
    address: {
      value: 'ADDRESS',
      repeated: true,
      help: 'what the user may send as: an address, @domain or * for anything',
    },
    ...passwordOptions,
    ...usersOptions,
  },
  notes: ['Without --address a NAME that is an address may send as itself.', ...passwordNotes, '', ...usersNotes],
  async run(given, world) {
    const [name = ''] = given.operands
    if (!isUserName(name)) return failed('usage', `${JSON.stringify(name)} cannot be a user name`)
    const addresses = addressesOf(name, given.values('address'))
    if (isFailed(addresses)) return addresses
    const file = findUsersFile(given, world)
    if (isFailed(file)) return file

    // Before anybody types a password for nothing.
    const before = await readUsers(file)
    if (isFailed(before)) return before
    const there = before.get(name)
    if (there !== undefined) return taken(file, there)

    const password = await newPassword(given, name, world)
    if (isFailed(password)) return password
    const hash = await hashPassword(password)
    const problem = await changeUsers(file, (users) => {
      const meanwhile = users.get(name)
      return meanwhile === undefined ? new Map([...users, [name, { name, hash, addresses }]]) : taken(file, meanwhile)
    })
    if (problem !== undefined) return problem
    const text = `${name} can log in now and send as ${addresses.join(', ')} (${file})`
    return { is: 'answer', json: { file, name, addresses }, text }
  },
}

function taken(file: string, user: UserEntry): Failed {
  const passwordFile = passwordFileOf(file, user)
  const more = passwordFile === undefined ? '"user passwd" changes the password' : `the password is in ${passwordFile}`
  return failed('failed', `${user.name} is a user already (${file}); ${more}`)
}

function addressesOf(name: string, given: readonly string[]) {
  const wrong = given.filter((address) => !isOwnership(address))
  if (wrong.length > 0) {
    return failed(
      'usage',
      ...wrong.map((one) => `--address: must be an address, @domain or *, not ${JSON.stringify(one)}`),
    )
  }
  if (given.length > 0) return [...new Set(given)]
  if (name.includes('@') && isOwnership(name) && !name.startsWith('@')) return [name]
  return failed('usage', 'user add: --address is missing: as whom may this user send?')
}
