/**
 * A SQLite file that may be lost: opened if it is sound and of this version, else made anew. Synchronous, as node:sqlite is; so
 * whoever uses it does little at a time. WAL without a sync at each commit: what a power cut takes away is whole
 * transactions, the cursor with them. One process has it to itself.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export interface Opened {
  readonly database: DatabaseSync
  /** Why what was there was thrown away; undefined: it was not, or nothing was there. */
  readonly rebuilt?: 'version' | 'corrupt'
}

/** `file` undefined: in memory. Throws when the folder cannot be made or written to, or another process has the file. */
export function openDatabase(
  file: string | undefined,
  schema: { readonly version: number; readonly text: string },
): Opened {
  if (file === undefined) return { database: create(':memory:', schema) }
  mkdirSync(dirname(file), { recursive: true })
  const found = tryOpen(file, schema.version)
  if (found instanceof DatabaseSync) return { database: found }
  if (found !== 'empty') removeDatabase(file)
  return { database: create(file, schema), ...(found !== 'empty' && { rebuilt: found }) }
}

export function removeDatabase(file: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true })
}

/** Does the error say that another process has the file? */
export function isBusy(error: unknown): boolean {
  return (error as { errcode?: unknown }).errcode === 5
}

/** Does the error say that the file itself is damaged, or is no database? */
export function isCorrupt(error: unknown): boolean {
  // SQLITE_CORRUPT and SQLITE_NOTADB; the upper bits of a code only refine it.
  const code = (error as { errcode?: unknown }).errcode
  return typeof code === 'number' && [11, 26].includes(code & 0xff)
}

function tryOpen(file: string, version: number): DatabaseSync | 'empty' | 'version' | 'corrupt' {
  let database: DatabaseSync | undefined
  let problem: 'empty' | 'version' | 'corrupt'
  try {
    database = new DatabaseSync(file)
    prepare(database)
    const found = pragma(database, 'user_version')
    if (found === version) return database
    problem = found === 0 && pragma(database, 'page_count') <= 1 ? 'empty' : 'version'
  } catch (error) {
    if (!isCorrupt(error)) {
      database?.close()
      throw error
    }
    problem = 'corrupt'
  }
  database?.close()
  return problem
}

function create(file: string, { text }: { readonly text: string }): DatabaseSync {
  const database = new DatabaseSync(file)
  prepare(database)
  transaction(database, () => database.exec(text))
  return database
}

function prepare(database: DatabaseSync): void {
  database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  database.exec('PRAGMA cache_size = -32768')
  // Locks the file, so that a second process fails at its start and not in the middle.
  transaction(database, () => undefined)
}

/** Runs it as one transaction; nothing of it is there if it throws. */
export function transaction<T>(database: DatabaseSync, run: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = run()
    database.exec('COMMIT')
    return result
  } catch (error) {
    // SQLite may have rolled back itself, as on a full disk.
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

export function pragma(database: DatabaseSync, name: string): number {
  const row = database.prepare(`PRAGMA ${name}`).get()
  return Number(Object.values(row ?? {})[0] ?? 0)
}
