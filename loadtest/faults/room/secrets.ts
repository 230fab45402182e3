// Who may log in to a room: one user of the edges, one of the NATS servers. Written into the room's folder.

import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hashPassword } from '@posthouse/core/password'
import { formatUsers } from '@posthouse/core/users'

export interface Secrets {
  readonly user: string
  readonly password: string
  /** An address that the user may send as. */
  readonly address: string
  readonly usersFile: string
  readonly natsUser: string
  readonly natsPassword: string
  readonly natsPasswordFile: string
}

export async function makeSecrets(dir: string): Promise<Secrets> {
  const draw = () => randomBytes(12).toString('base64url')
  const secrets: Secrets = {
    user: 'load',
    password: draw(),
    address: 'load@sender.example',
    usersFile: join(dir, 'users.yaml'),
    natsUser: 'posthouse',
    natsPassword: draw(),
    natsPasswordFile: join(dir, 'nats-password'),
  }
  const { user, password, usersFile, natsPassword, natsPasswordFile } = secrets
  const known = { name: user, hash: await hashPassword(password), addresses: ['@sender.example'] }
  await writeFile(usersFile, formatUsers([known]), { mode: 0o600 })
  await writeFile(natsPasswordFile, `${natsPassword}\n`, { mode: 0o600 })
  return secrets
}
