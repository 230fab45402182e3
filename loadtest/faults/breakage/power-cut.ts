// What a power cut leaves of the stores of servers: that which they had synced, and nothing of what was only in the memory of
// the kernel. The servers stop, their images are copied as they are at that moment, the servers are killed, and the
// copies take the place of the images: the mounted file systems with all their unwritten pages are forgotten.
//
// The loop devices do not use direct I/O, so what the file system has handed down is in the page cache of the image file,
// where the copy finds it; what it has not handed down is in the page cache of the mounted file system, which nobody copies.

import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { ImageDisk } from './image-disk.ts'

const run = promisify(execFile)

const WITHIN_MS = 30_000

export interface PoweredServer {
  readonly disk: ImageDisk
  /** SIGSTOP. */
  freeze(): void
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
}

/** All at once. The servers are down afterwards, and their disks hold what survived. */
export async function powerCut(servers: readonly PoweredServer[]): Promise<void> {
  const disks = servers.map((server) => server.disk)
  for (const server of servers) server.freeze()
  await until('the servers have not stopped', async () => (await Promise.all(disks.map(isAtRest))).every(Boolean))
  const copies = await Promise.all(disks.map(copyOf))
  await Promise.all(servers.map((server) => server.kill()))
  await Promise.all(disks.map((disk, index) => disk.replaceBy(copies[index] as string)))
}

/** A process is stopped only when each thread is: one in the middle of a sync first ends it. */
async function isAtRest(disk: ImageDisk): Promise<boolean> {
  const folders = disk.pids.map((pid) => `/proc/${pid}/task`)
  const threads = await Promise.all(
    folders.map(async (folder) => (await readdir(folder).catch(() => [])).map((thread) => `${folder}/${thread}/stat`)),
  )
  const stats = await Promise.all(threads.flat().map((file) => readFile(file, 'utf8').catch(() => '')))
  return stats.every((stat) => stat === '' || /[TtZX]/.test(stat.slice(stat.lastIndexOf(')') + 2)[0] ?? ''))
}

/** A copy during which nothing was written, neither by the journal nor by the writeback. */
async function copyOf(disk: ImageDisk): Promise<string> {
  const copy = `${disk.image}.copy`
  await until(`${disk.image} has not come to rest`, async () => {
    const before = await writesOf(disk)
    await run('cp', ['--reflink=auto', '--sparse=auto', disk.image, copy])
    return before.underWay === '0' && before.done === (await writesOf(disk)).done
  })
  return copy
}

/** What its loop device counts: see Documentation/block/stat.rst of the kernel. */
async function writesOf(disk: ImageDisk) {
  const { stdout } = await run('mountpoint', ['--fs-devno', disk.mountPoint])
  const fields = (await readFile(`/sys/dev/block/${stdout.trim()}/stat`, 'utf8')).trim().split(/\s+/)
  return { done: fields[4], underWay: fields[8] }
}

async function until(otherwise: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + WITHIN_MS
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`${otherwise} in time`)
    await sleep(10)
  }
}
