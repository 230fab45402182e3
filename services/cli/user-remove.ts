// `posthouse user remove NAME`: a user who logs in no more. Mail accepted from the user goes its way.
import type { Command } from './command.ts'
import { failed, isFailed } from './status.ts'
import { findUsersFile, usersNotes, usersOptions } from './users-access.ts'
import { changeUsers } from './users-file.ts'

export const userRemove: Command = {
  name: 'user remove',
  summary: 'let a user log in no more',
  operands: ['NAME'],
  options: usersOptions,
  notes: usersNotes,
  async run(given, world) {
    const [name = ''] = given.operands
    const file = findUsersFile(given, world)
    if (isFailed(file)) return file
    const problem = await changeUsers(file, (users) => {
      const rest = new Map(users)
      return rest.delete(name) ? rest : failed('failed', `there is no user ${name} in ${file}`)
    })
    return problem ?? { is: 'answer', json: { file, name }, text: `${name} can log in no more (${file})` }
  },
}
