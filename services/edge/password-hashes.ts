/**
 * Hashes of the passwords that came from files. They are made on the thread pool one after the other, so that log-ins are
 * checked meanwhile; a password that is what it was keeps its hash, because a new one would only cost time, and forget the
 * log-ins that are remembered by it. No password is kept for that, only a digest under a key of this process.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { hashPassword } from '@posthouse/core/password'

export class PasswordHashes {
  readonly #key = randomBytes(32)
  #known = new Map<string, string>()

  /** The hashes of these passwords, by user. Whoever is not among them is forgotten. */
  async of(passwords: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, string>> {
    const hashes = new Map<string, string>()
    const known = new Map<string, string>()
    for (const [name, password] of passwords) {
      const digest = this.#digest(name, password)
      const hash = this.#known.get(digest) ?? (await hashPassword(password))
      hashes.set(name, hash)
      known.set(digest, hash)
    }
    this.#known = known
    return hashes
  }

  /** The name is part of it: the same password of two users has two hashes, as everywhere. */
  #digest(name: string, password: string): string {
    return createHmac('sha256', this.#key)
      .update(JSON.stringify([name, password]))
      .digest('base64')
  }
}
