/**
 * The users file in use, with the password files that it names. Read at the start, where a mistake ends the start, and again
 * when any of the files changes, where a mistake keeps the users of before, all of them, and is logged.
 */
import { dirname, resolve } from 'node:path'
import { passwordInFile } from '@posthouse/core/password-file'
import { isFileUser, parseUsers } from '@posthouse/core/users'
import type { User } from '@posthouse/core/users'
import type { Log } from '@posthouse/runtime/log'
import { StartError } from '@posthouse/runtime/start-error'
import { PasswordHashes } from './password-hashes.ts'
import { FilesRead, watchFiles } from './watched-file.ts'

export interface UsersFile {
  readonly current: ReadonlyMap<string, User>
  close(): void
}

type Users = ReadonlyMap<string, User>

/** Rejects with a StartError when there is a mistake in one of the files. */
export async function loadUsers(path: string, log: Log): Promise<UsersFile> {
  const hashes = new PasswordHashes()
  const files = new FilesRead()
  let current: Users
  try {
    current = await read(path, files, hashes)
  } catch (error) {
    throw new StartError('usersFile', (error as Error).message, { cause: error })
  }
  log.info({ users: current.size, file: path }, 'users read')
  const close = watchFiles(files, async (changed) => {
    try {
      current = await read(path, changed, hashes)
      log.info({ users: current.size, file: path }, 'users read again')
    } catch (error) {
      // Changed while it was read: the next look reads again, and complains if it must.
      if (changed.haveChanged) return
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

/** Reads all files before it waits for anything, so that they are of one time. */
async function read(path: string, files: FilesRead, hashes: PasswordHashes): Promise<Users> {
  const result = parseUsers(files.read(path).toString('utf8'))
  if (result.is === 'invalid') throw new Error(`${path}: ${result.errors.join('; ')}`)
  const entries = [...result.users.values()]
  const passwords = new Map<string, string>()
  const mistakes: string[] = []
  for (const { name, passwordFile } of entries.filter(isFileUser)) {
    const found = passwordIn(resolve(dirname(path), passwordFile), files)
    if ('password' in found) passwords.set(name, found.password)
    else mistakes.push(`passwordFile of ${JSON.stringify(name)}: ${found.invalid}`)
  }
  if (mistakes.length > 0) throw new Error(`${path}: ${mistakes.join('; ')}`)
  const made = await hashes.of(passwords)
  const users = new Map<string, User>()
  for (const user of entries) {
    const { name, addresses } = user
    const hash = isFileUser(user) ? made.get(name) : user.hash
    if (hash !== undefined) users.set(name, { name, hash, addresses })
  }
  return users
}

function passwordIn(file: string, files: FilesRead): ReturnType<typeof passwordInFile> {
  let bytes: Buffer
  try {
    bytes = files.read(file)
  } catch (error) {
    return { invalid: (error as Error).message }
  }
  const found = passwordInFile(bytes)
  return 'invalid' in found ? { invalid: `${file}: ${found.invalid}` } : found
}
