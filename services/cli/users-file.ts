// The users file on disk. A change reads it, writes the whole file anew beside it and renames that over it, so that a reader
// finds the old users or the new ones, and a crash leaves one of both. The file beside it is the lock too, as it is made
// only where it is not there: of two commands at once the second waits for the first.
import { open, readFile, realpath, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatUsers, isFileUser, parseUsers, type FileUser, type UserEntry } from '@posthouse/core/users'
import { failed, isFailed, type Failed } from './status.ts'

export type Users = ReadonlyMap<string, UserEntry>

const LOCK_MS = 3000
const LOCK_EVERY_MS = 20
/** For its owner alone: hashes can be guessed at. */
const PRIVATE = 0o600

/** A file that is not there has no users. */
export async function readUsers(file: string): Promise<Users | Failed> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return new Map()
    return failed('config', `${file}: cannot be read: ${(error as Error).message}`)
  }
  if (text.trim() === '') return new Map()
  const result = parseUsers(text)
  return result.is === 'users' ? result.users : failed('config', ...result.errors.map((error) => `${file}: ${error}`))
}

/** The file that holds a user's password, as an edge finds it; undefined if the users file `file` has its hash. */
export function passwordFileOf(file: string, user: FileUser): string
export function passwordFileOf(file: string, user: UserEntry): string | undefined
export function passwordFileOf(file: string, user: UserEntry): string | undefined {
  return isFileUser(user) ? resolve(dirname(file), user.passwordFile) : undefined
}

/** `change` says what the users become; if it refuses, the file stays as it is. */
export async function changeUsers(file: string, change: (users: Users) => Users | Failed): Promise<Failed | undefined> {
  // A symbolic link stays; what it points to is replaced.
  const target = await realpath(file).catch(() => file)
  const beside = `${target}.new`
  const lock = await lockWith(beside)
  if (isFailed(lock)) return lock
  let inPlace = false
  try {
    const before = await readUsers(target)
    const after = isFailed(before) ? before : change(before)
    if (isFailed(after)) return after
    await lock.writeFile(formatUsers(after.values()))
    await likeBefore(lock, target)
    await lock.sync()
    await rename(beside, target)
    inPlace = true
    await syncFolder(dirname(target))
    return undefined
  } catch (error) {
    return failed('failed', `${file}: cannot be written: ${(error as Error).message}`)
  } finally {
    await lock.close()
    if (!inPlace) await rm(beside, { force: true })
  }
}

async function lockWith(beside: string): Promise<FileHandle | Failed> {
  const deadline = performance.now() + LOCK_MS
  for (;;) {
    try {
      return await open(beside, 'wx', PRIVATE)
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') return failed('failed', `${beside}: ${(error as Error).message}`)
      if (performance.now() > deadline) {
        return failed('failed', `${beside} exists: another command changes the users, or one broke off; then remove it`)
      }
      await sleep(LOCK_EVERY_MS)
    }
  }
}

/** Mode and owner of the file that is replaced: an edge under another user may have been given it to read. */
async function likeBefore(handle: FileHandle, target: string): Promise<void> {
  const before = await stat(target).catch(() => undefined)
  if (before === undefined) return
  const now = await handle.stat()
  if (before.uid !== now.uid || before.gid !== now.gid) await handle.chown(before.uid, before.gid)
  await handle.chmod(before.mode & 0o777)
}

/** The rename itself must outlast a power cut. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
