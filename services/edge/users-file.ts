/**
 * The users file in use. Read at the start, where a mistake ends the start, and again when it changes, where a mistake
 * keeps the users of before and is logged.
 */
import { readFileSync } from 'node:fs'
import { parseUsers } from '@posthouse/core/users'
import type { User } from '@posthouse/core/users'
import type { Log } from '@posthouse/runtime/log'
import { StartError } from '@posthouse/runtime/start-error'
import { watchFiles } from './watched-file.ts'

export interface UsersFile {
  readonly current: ReadonlyMap<string, User>
  close(): void
}

export function loadUsers(path: string, log: Log): UsersFile {
  let current: ReadonlyMap<string, User>
  try {
    current = read(path)
  } catch (error) {
    throw new StartError('usersFile', (error as Error).message, { cause: error })
  }
  log.info({ users: current.size, file: path }, 'users read')
  const close = watchFiles([path], () => {
    try {
      current = read(path)
      log.info({ users: current.size, file: path }, 'users read again')
    } catch (error) {
      log.error({ file: path, reason: (error as Error).message }, 'the users file is wrong: the users of before stay')
    }
  })
  return {
    get current() {
      return current
    },
    close,
  }
}

function read(path: string): ReadonlyMap<string, User> {
  const result = parseUsers(readFileSync(path, 'utf8'))
  if (result.is === 'invalid') throw new Error(`${path}: ${result.errors.join('; ')}`)
  return result.users
}
