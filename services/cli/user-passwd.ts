// `posthouse user passwd NAME`: another password for a user.
import { hashPassword } from '@posthouse/core/password'
import type { Command } from './command.ts'
import { newPassword, passwordNotes, passwordOptions } from './new-password.ts'
import { failed, isFailed } from './status.ts'
import { findUsersFile, usersNotes, usersOptions } from './users-access.ts'
import { changeUsers, readUsers } from './users-file.ts'

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
    const unknown = failed('failed', `there is no user ${name} in ${file}`)
    if (!before.has(name)) return unknown

    const password = await newPassword(given, name, world)
    if (isFailed(password)) return password
    const hash = await hashPassword(password)
    const problem = await changeUsers(file, (users) => {
      const user = users.get(name)
      return user === undefined ? unknown : new Map([...users, [name, { ...user, hash }]])
    })
    return problem ?? { is: 'answer', json: { file, name }, text: `${name} has another password now (${file})` }
  },
}
