/**
 * The users file: who may log in, with which password hash, and as which addresses each may send. YAML, written by
 * `posthouse user`, readable by people. Parsing and formatting only; reading, watching and hashing are others' work.
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

export type UsersResult =
  | { readonly is: 'users'; readonly users: ReadonlyMap<string, User> }
  /** Every mistake at once, each with its place. */
  | { readonly is: 'invalid'; readonly errors: readonly string[] }

export function parseUsers(text: string): UsersResult {
  const document = parseDocument(text, { prettyErrors: true })
  if (document.errors.length > 0) return { is: 'invalid', errors: document.errors.map((error) => firstLine(error)) }
  const root: unknown = document.toJS()
  const list = isObject(root) ? root['users'] : undefined
  if (!Array.isArray(list)) return { is: 'invalid', errors: ['users: must be a list of users'] }
  const users = new Map<string, User>()
  const errors: string[] = []
  for (const [index, entry] of list.entries()) {
    const user = parseUser(entry, `users[${index}]`, errors)
    if (user === undefined) continue
    if (users.has(user.name)) errors.push(`users[${index}].name: "${user.name}" is there twice`)
    users.set(user.name, user)
  }
  return errors.length > 0 ? { is: 'invalid', errors } : { is: 'users', users }
}

export function formatUsers(users: Iterable<User>): string {
  return stringify({ users: [...users].map(({ name, hash, addresses }) => ({ name, hash, addresses })) })
}

/** May this user give `sender` as reverse-path? Nobody is impersonated by the null path, so everybody may. */
export function maySendAs(user: User, sender: Mailbox): boolean {
  return sender.address === '' || user.addresses.some((entry) => owns(entry, sender))
}

/** A name that can be logged in with: no blanks at its ends, no control characters, at most 128 octets. */
export function isUserName(name: string): boolean {
  return name !== '' && name === name.trim() && !/[\x00-\x1f\x7f-\x9f]/.test(name) && Buffer.byteLength(name) <= 128
}

function parseUser(entry: unknown, place: string, errors: string[]): User | undefined {
  if (!isObject(entry)) {
    errors.push(`${place}: must have name, hash and addresses`)
    return undefined
  }
  const { name, hash, addresses } = entry
  const before = errors.length
  if (typeof name !== 'string' || !isUserName(name)) errors.push(`${place}.name: must be a user name`)
  if (typeof hash !== 'string' || parsePasswordHash(hash) === undefined) {
    errors.push(`${place}.hash: must be a hash made by "posthouse user"`)
  }
  if (!isAddressList(addresses)) {
    errors.push(`${place}.addresses: must be a list of addresses, "@domain" or "*"`)
  }
  for (const key of Object.keys(entry)) {
    if (!['name', 'hash', 'addresses'].includes(key)) errors.push(`${place}.${key}: unknown`)
  }
  if (errors.length > before || !isAddressList(addresses)) return undefined
  return { name: String(name), hash: String(hash), addresses }
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
