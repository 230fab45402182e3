// `posthouse user passwd NAME`: another password for a user.
import { hashPassword } from '@posthouse/core/password'
import { isFileUser, type User } from '@posthouse/core/users'
import type { Command } from './command.ts'
import { newPassword, passwordNotes, passwordOptions } from './new-password.ts'
import { failed, isFailed, type Failed } from './status.ts'
import { findUsersFile, usersNotes, usersOptions } from './users-access.ts'
import { changeUsers, passwordFileOf, readUsers, type Users } from './users-file.ts'

export const userPasswd: Command = {
  name: 'user passwd',
  summary: 'give a user another password',
  operands: ['NAME'],
  options: { ...passwordOptions, ...usersOptions },
  notes: [...passwordNotes, '', ...usersNotes],
  async run(given, world) {
    const [name = ''] = given.operands
    const file = findUsersFile(given, world)
    if (isFailed(file)) return file
    const before = await readUsers(file)
    if (isFailed(before)) return before
    const known = changeable(file, name, before)
    if (isFailed(known)) return known

    const password = await newPassword(given, name, world)
    if (isFailed(password)) return password
    const hash = await hashPassword(password)
    const problem = await changeUsers(file, (users) => {
      const user = changeable(file, name, users)
      return isFailed(user) ? user : new Map([...users, [name, { ...user, hash }]])
    })
    return problem ?? { is: 'answer', json: { file, name }, text: `${name} has another password now (${file})` }
  },
}

/** A password in a file of its own is shared with the program that logs in: it must change there, for both. */
function changeable(file: string, name: string, users: Users): User | Failed {
  const user = users.get(name)
  if (user === undefined) return failed('failed', `there is no user ${name} in ${file}`)
  if (!isFileUser(user)) return user
  const passwordFile = passwordFileOf(file, user)
  return failed(
    'failed',
    `the password of ${name} is what ${passwordFile} holds (passwordFile in ${file}): change it there`,
  )
}
