// `posthouse user remove NAME`: a user who logs in no more. Mail accepted from the user goes its way.
import type { Command } from './command.ts'
import { failed, isFailed } from './status.ts'
import { findUsersFile, usersNotes, usersOptions } from './users-access.ts'
import { changeUsers, passwordFileOf } from './users-file.ts'

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
    let passwordFile: string | undefined
    const problem = await changeUsers(file, (users) => {
      const user = users.get(name)
      if (user === undefined) return failed('failed', `there is no user ${name} in ${file}`)
      passwordFile = passwordFileOf(file, user)
      return new Map([...users].filter(([other]) => other !== name))
    })
    if (problem !== undefined) return problem
    const left = passwordFile === undefined ? '' : `; ${passwordFile} stays`
    return { is: 'answer', json: { file, name }, text: `${name} can log in no more (${file})${left}` }
  },
}
