// Where the NATS servers of a room keep their messages: a file system of each one's own, or folders of this machine's.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { FolderDisk } from '../breakage/folder-disk.ts'
import { ImageDisk } from '../breakage/image-disk.ts'
import type { NatsStore } from './nats-program.ts'

export interface StoreSizes {
  /** Bytes that JetStream may take. */
  readonly maxFileStore: number
  /** MiB of the queue's streams, which must fit into that. */
  readonly storageMiB: number
}

const MiB = 1024 * 1024
const FOLDER_MIB = 4096
/** Well below the disk, and the streams below that: outcomes find room when the mail has taken its own. */
const SHARE_OF_DISK = 0.85
const SHARE_OF_STORE = 0.95

export function storeSizes(diskMiB: number | undefined): StoreSizes {
  const storeMiB = diskMiB === undefined ? FOLDER_MIB : Math.floor(diskMiB * SHARE_OF_DISK)
  return { maxFileStore: storeMiB * MiB, storageMiB: Math.floor(storeMiB * SHARE_OF_STORE) }
}

export async function makeStore(
  dir: string,
  name: string,
  diskMiB: number | undefined,
  pids: () => readonly number[],
): Promise<NatsStore> {
  const stores = join(dir, 'stores')
  await mkdir(stores, { recursive: true, mode: 0o700 })
  if (diskMiB === undefined) {
    const folder = join(stores, name)
    return { disk: new FolderDisk(folder, pids), folder }
  }
  const disk = await ImageDisk.make(stores, name, diskMiB)
  disk.attach(pids)
  return { disk, folder: join(disk.mountPoint, 'store') }
}
