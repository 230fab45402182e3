// A file system of a server's own: ext4 in a sparse file, so that it can be full, slow, or lose what was not synced. It belongs
// into a private mount namespace: when the last process of that is gone the mount is gone, and with it the loop device.

import { execFile } from 'node:child_process'
import { mkdir, open, rename, rm, rmdir, statfs, truncate, writeFile, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { emptyFolder } from './folder.ts'
import { SlowSyncs } from './slow-syncs.ts'
import type { Disk } from '../room.ts'

const run = promisify(execFile)

const MiB = 1024 * 1024
/** Nothing is kept for root, and no thread of the kernel writes into the file system on its own. */
const MAKE = ['-q', '-F', '-m', '0', '-E', 'lazy_itable_init=0,lazy_journal_init=0']
/** The kernel lets go of a loop device of `mount` by itself; the journal is written when somebody syncs, or after ten minutes. */
const MOUNT = ['-t', 'ext4', '-o', 'loop,noatime,noinit_itable,commit=600']
const FILLING = '.filling'

export class ImageDisk implements Disk {
  readonly image: string
  readonly mountPoint: string
  #pids: () => readonly number[] = () => []
  readonly #syncs = new SlowSyncs(() => this.#pids())

  private constructor(image: string, mountPoint: string) {
    this.image = image
    this.mountPoint = mountPoint
  }

  static async make(folder: string, name: string, sizeMiB: number): Promise<ImageDisk> {
    const disk = new ImageDisk(join(folder, `${name}.image`), join(folder, name))
    await mkdir(disk.mountPoint, { recursive: true })
    await writeFile(disk.image, '', { flag: 'wx', mode: 0o600 })
    await truncate(disk.image, sizeMiB * MiB)
    await run('mkfs.ext4', [...MAKE, disk.image])
    await disk.remount()
    return disk
  }

  /** The processes that write to it: asked each time. */
  attach(pids: () => readonly number[]): void {
    this.#pids = pids
  }

  get pids(): readonly number[] {
    return this.#pids()
  }

  wipe(): Promise<void> {
    return emptyFolder(this.mountPoint)
  }

  async fill(): Promise<void> {
    const path = join(this.mountPoint, FILLING)
    const { bsize, bfree } = await statfs(this.mountPoint)
    // Takes the space without writing it. It fails at the last blocks, which hold the list of the others.
    await run('fallocate', ['-l', String(Math.max(bsize, bfree * bsize)), path]).catch(() => {})
    const file = await open(path, 'a', 0o600)
    try {
      while (await append(file, Buffer.alloc(bsize)));
    } finally {
      await file.close()
    }
  }

  free(): Promise<void> {
    return rm(join(this.mountPoint, FILLING), { force: true })
  }

  slow(ms: number): Promise<void> {
    return this.#syncs.set(ms)
  }

  async usedBytes(): Promise<number> {
    const { bsize, blocks, bfree } = await statfs(this.mountPoint)
    return (blocks - bfree) * bsize
  }

  /** Unmounts it although files are open: the path leads to nothing from now on, the open files go on. */
  async unmountLazy(): Promise<void> {
    await run('umount', ['--lazy', this.mountPoint])
  }

  async remount(): Promise<void> {
    await run('mount', [...MOUNT, this.image, this.mountPoint])
  }

  /** Goes on with another image, which it makes its own, in place of the present one. */
  async replaceBy(image: string): Promise<void> {
    await this.unmountLazy()
    await rename(image, this.image)
    await this.remount()
  }

  async dispose(): Promise<void> {
    await this.slow(0)
    await this.unmountLazy()
    await rmdir(this.mountPoint)
    await rm(this.image)
  }
}

async function append(file: FileHandle, bytes: Buffer): Promise<boolean> {
  try {
    await file.write(bytes)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false
    throw error
  }
}
