/**
 * Password hashes: scrypt (RFC 7914) with its parameters in the text, "scrypt$N$r$p$salt$key" in base64. The work is
 * done on the thread pool, never on the event loop.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

export interface PasswordHash {
  readonly n: number
  readonly r: number
  readonly p: number
  readonly salt: Buffer
  readonly key: Buffer
}

// 32 MiB and about 70 ms of one core per guess.
const cost = { n: 2 ** 15, r: 8, p: 1 } as const
const keyLength = 32
/** A file must not be able to make one log-in cost more than this. */
const memoryLimit = 256 * 2 ** 20

export async function hashPassword(password: string, salt: Buffer = randomBytes(16)): Promise<string> {
  const key = await derive(password, { ...cost, salt }, keyLength)
  return ['scrypt', cost.n, cost.r, cost.p, salt.toString('base64'), key.toString('base64')].join('$')
}

export function parsePasswordHash(text: string): PasswordHash | undefined {
  const match = /^scrypt\$(\d{1,8})\$(\d{1,3})\$(\d{1,2})\$([A-Za-z0-9+/]{8,}={0,2})\$([A-Za-z0-9+/]{22,}={0,2})$/.exec(
    text,
  )
  if (match === null) return undefined
  const [n, r, p] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const powerOfTwo = n > 1 && (n & (n - 1)) === 0
  if (!powerOfTwo || r < 1 || p < 1 || 128 * n * r > memoryLimit) return undefined
  return { n, r, p, salt: Buffer.from(match[4] ?? '', 'base64'), key: Buffer.from(match[5] ?? '', 'base64') }
}

export async function verifyPassword(password: string, hash: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, hash, hash.key.length), hash.key)
}

/** A hash that no password has: verified in place of an unknown user's, so that both take the same time. */
export function dummyHash(): PasswordHash {
  return { ...cost, salt: randomBytes(16), key: randomBytes(keyLength) }
}

function derive(password: string, { n, r, p, salt }: Omit<PasswordHash, 'key'>, length: number): Promise<Buffer> {
  // Two ways to type the same letter must give the same password (RFC 8265).
  const normal = password.normalize('NFC')
  return new Promise((resolve, reject) => {
    scrypt(normal, salt, length, { N: n, r, p, maxmem: 2 * memoryLimit }, (error, key) => {
      if (error === null) resolve(key)
      else reject(error)
    })
  })
}
