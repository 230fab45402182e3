// The content of a folder whose files may come and go meanwhile: thrown away, and measured.

import { lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

const BLOCK = 512

/** The folder itself stays: it may be a mount point. */
export async function emptyFolder(folder: string): Promise<void> {
  const names = await readdir(folder).catch(unlessGone([]))
  await Promise.all(names.map((name) => rm(join(folder, name), { recursive: true, force: true })))
}

/** Bytes on the disk, as `du` counts them. */
export async function spaceTaken(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(unlessGone([]))
  const sizes = names.map(
    async (name) => (await lstat(join(folder, name)).catch(unlessGone({ blocks: 0 }))).blocks * BLOCK,
  )
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

function unlessGone<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return instead
    throw error
  }
}
