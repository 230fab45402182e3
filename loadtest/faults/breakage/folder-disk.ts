// The store of a server that shares the machine's file system: it can be thrown away and made slow, but not filled.

import { SlowSyncs } from './slow-syncs.ts'
import { emptyFolder, spaceTaken } from './folder.ts'
import type { Disk } from '../room.ts'

export class FolderDisk implements Disk {
  readonly #folder: string
  readonly #syncs: SlowSyncs

  constructor(folder: string, pids: () => readonly number[]) {
    this.#folder = folder
    this.#syncs = new SlowSyncs(pids)
  }

  wipe(): Promise<void> {
    return emptyFolder(this.#folder)
  }

  slow(ms: number): Promise<void> {
    return this.#syncs.set(ms)
  }

  usedBytes(): Promise<number> {
    return spaceTaken(this.#folder)
  }

  fill(): Promise<void> {
    return Promise.reject(new Error('to be filled, a store needs a disk of its own (diskMiB)'))
  }

  free(): Promise<void> {
    return this.fill()
  }
}
