/**
 * The users file: who may log in, with which password, and as which addresses each may send. YAML, written by
 * `posthouse user`, readable by people. The password is there as a hash, or in a file of its own that the users file names.
 * Parsing and formatting only; reading, watching and hashing are others' work.
 */
import { parseDocument, stringify } from 'yaml'
import { isOwnership, owns } from './address.ts'
import type { Mailbox } from './address.ts'
import { parsePasswordHash } from './password.ts'

export interface User {
  readonly name: string
  /** "scrypt$N$r$p$salt$key", see password.ts. */
  readonly hash: string
  /** "a@b.example", "@b.example" (the whole domain) or "*". */
  readonly addresses: readonly string[]
}

/** A user whose password lies in a file, shared with the program that logs in: a User once the file has been read. */
export interface FileUser extends Pick<User, 'name' | 'addresses'> {
  /** As it is written: a relative path is relative to the folder of the users file. */
  readonly passwordFile: string
}

/** A user as the users file has it. */
export type UserEntry = User | FileUser

export type UsersResult =
  | { readonly is: 'users'; readonly users: ReadonlyMap<string, UserEntry> }
  /** Every mistake at once, each with its place. */
  | { readonly is: 'invalid'; readonly errors: readonly string[] }

export function parseUsers(text: string): UsersResult {
  const document = parseDocument(text, { prettyErrors: true })
  if (document.errors.length > 0) return { is: 'invalid', errors: document.errors.map((error) => firstLine(error)) }
  const root: unknown = document.toJS()
  const list = isObject(root) ? root['users'] : undefined
  if (!Array.isArray(list)) return { is: 'invalid', errors: ['users: must be a list of users'] }
  const users = new Map<string, UserEntry>()
  const errors: string[] = []
  for (const [index, entry] of list.entries()) {
    const user = parseUser(entry, `users[${index}]`, errors)
    if (user === undefined) continue
    if (users.has(user.name)) errors.push(`users[${index}].name: "${user.name}" is there twice`)
    users.set(user.name, user)
  }
  return errors.length > 0 ? { is: 'invalid', errors } : { is: 'users', users }
}

export function formatUsers(users: Iterable<UserEntry>): string {
  const list = [...users].map((user) => {
    const { name, addresses } = user
    return isFileUser(user)
      ? { name, passwordFile: user.passwordFile, addresses }
      : { name, hash: user.hash, addresses }
  })
  return stringify({ users: list })
}

export function isFileUser(user: UserEntry): user is FileUser {
  return 'passwordFile' in user
}

/** May this user give `sender` as reverse-path? Nobody is impersonated by the null path, so everybody may. */
export function maySendAs(user: Pick<User, 'addresses'>, sender: Mailbox): boolean {
  return sender.address === '' || user.addresses.some((entry) => owns(entry, sender))
}

/** A name that can be logged in with: no blanks at its ends, no control characters, at most 128 octets. */
export function isUserName(name: string): boolean {
  return name !== '' && name === name.trim() && !/[\x00-\x1f\x7f-\x9f]/.test(name) && Buffer.byteLength(name) <= 128
}

function parseUser(entry: unknown, place: string, errors: string[]): UserEntry | undefined {
  if (!isObject(entry)) {
    errors.push(`${place}: must have name, hash (or passwordFile) and addresses`)
    return undefined
  }
  const { name, hash, passwordFile, addresses } = entry
  const before = errors.length
  if (typeof name !== 'string' || !isUserName(name)) errors.push(`${place}.name: must be a user name`)
  if (passwordFile === undefined) {
    if (typeof hash !== 'string' || parsePasswordHash(hash) === undefined) {
      errors.push(`${place}.hash: must be a hash made by "posthouse user", or passwordFile in its place`)
    }
  } else if (typeof passwordFile !== 'string' || passwordFile === '' || passwordFile.includes('\0')) {
    errors.push(`${place}.passwordFile: must be the path of a file`)
  } else if (hash !== undefined) {
    errors.push(`${place}.passwordFile: a user has one password: passwordFile or hash`)
  }
  if (!isAddressList(addresses)) {
    errors.push(`${place}.addresses: must be a list of addresses, "@domain" or "*"`)
  }
  for (const key of Object.keys(entry)) {
    if (!['name', 'hash', 'passwordFile', 'addresses'].includes(key)) errors.push(`${place}.${key}: unknown`)
  }
  if (errors.length > before || !isAddressList(addresses)) return undefined
  return typeof passwordFile === 'string'
    ? { name: String(name), passwordFile, addresses }
    : { name: String(name), hash: String(hash), addresses }
}

function isAddressList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string' && isOwnership(entry))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function firstLine(error: Error): string {
  return error.message.split('\n', 1)[0] ?? error.message
}
