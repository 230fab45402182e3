// `posthouse user list`: who may log in, and as whom each may send.
import type { Command } from './command.ts'
import { isFailed } from './status.ts'
import { textTable } from './text-table.ts'
import { findUsersFile, usersNotes, usersOptions } from './users-access.ts'
import { passwordFileOf, readUsers } from './users-file.ts'

export const userList: Command = {
  name: 'user list',
  summary: 'who may log in, and send as whom',
  operands: [],
  options: usersOptions,
  notes: usersNotes,
  async run(given, world) {
    const file = findUsersFile(given, world)
    if (isFailed(file)) return file
    const read = await readUsers(file)
    if (isFailed(read)) return read
    const users = [...read.values()].map((user) => {
      const { name, addresses } = user
      const passwordFile = passwordFileOf(file, user)
      return { name, addresses, ...(passwordFile === undefined ? undefined : { passwordFile }) }
    })
    const elsewhere = users.some(({ passwordFile }) => passwordFile !== undefined)
    const heads = ['user', 'may send as', ...(elsewhere ? ['password in'] : [])]
    const rows = users.map(({ name, addresses, passwordFile }) => [
      name,
      addresses.join(', '),
      ...(elsewhere ? [passwordFile ?? 'the users file, hashed'] : []),
    ])
    const text = users.length === 0 ? `no users in ${file}` : textTable(heads, rows)
    return { is: 'answer', json: { file, users }, text }
  },
}
