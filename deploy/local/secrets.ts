// The demo user and the passwords of a local cluster: drawn at its first start and kept in its folder, readable by the
// owner only, so that a later start has the same.

import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hashPassword } from '@posthouse/core/password'
import { formatUsers } from '@posthouse/core/users'

export interface Secrets {
  readonly user: string
  readonly password: string
  readonly natsUser: string
  readonly natsPassword: string
  readonly usersFile: string
  readonly natsPasswordFile: string
}

/** What the demo user may send as: the domains that stand for anybody's in examples (RFC 2606). */
const OWNED = ['@posthouse.example', '@example.com', '@example.net', '@example.org']

export async function keepSecrets(dir: string): Promise<Secrets> {
  const read = (file: string) =>
    readFile(join(dir, file), 'utf8').then(
      (text) => text.trim() || undefined,
      () => undefined,
    )
  const write = (file: string, text: string) => writeFile(join(dir, file), `${text}\n`, { mode: 0o600 })
  const draw = () => randomBytes(12).toString('base64url')
  const user = 'demo'

  let password = await read('demo-password')
  if (password === undefined || (await read('users.yaml')) === undefined) {
    password ??= draw()
    await write('demo-password', password)
    await write('users.yaml', formatUsers([{ name: user, hash: await hashPassword(password), addresses: OWNED }]))
  }
  let natsPassword = await read('nats-password')
  if (natsPassword === undefined) await write('nats-password', (natsPassword = draw()))
  return {
    user,
    password,
    natsUser: 'posthouse',
    natsPassword,
    usersFile: join(dir, 'users.yaml'),
    natsPasswordFile: join(dir, 'nats-password'),
  }
}
