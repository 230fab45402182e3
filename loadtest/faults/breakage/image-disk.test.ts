import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { canEnclose, enclosed, isEnclosed } from '../enclosure.ts'
import { FileWriter } from './fixtures/file-writer.ts'
import { ImageDisk } from './image-disk.ts'
import { powerCut } from './power-cut.ts'
import { holdWriteback, putWritebackBack } from './writeback.ts'

const MiB = 1024 * 1024

if (isEnclosed()) declareTests()
else if (canEnclose()) {
  process.exitCode = await enclosed(import.meta.filename, [])
  await putWritebackBack()
} else test('disks that break', { skip: 'needs root' }, () => {})

function declareTests() {
  test('a disk is filled to the last byte, and has room again when the filling is gone', async (t) => {
    const disk = await makeDisk(t)
    const before = await disk.usedBytes()
    await disk.fill()
    await assert.rejects(writeFile(join(disk.mountPoint, 'one-more'), 'x'), { code: 'ENOSPC' })
    await disk.free()
    await writeFile(join(disk.mountPoint, 'large'), Buffer.alloc(8 * MiB))
    assert.ok((await disk.usedBytes()) - before >= 8 * MiB)
  })

  test('a disk that somebody wrote to is filled as well, and twice is no error', async (t) => {
    const disk = await makeDisk(t)
    await writeFile(join(disk.mountPoint, 'store'), Buffer.alloc(5 * MiB + 1))
    await disk.fill()
    await disk.fill()
    await assert.rejects(appendFile(join(disk.mountPoint, 'store'), Buffer.alloc(4096)), { code: 'ENOSPC' })
  })

  test('a wiped disk is empty', async (t) => {
    const disk = await makeDisk(t)
    await writeFile(join(disk.mountPoint, 'store'), 'x')
    await disk.wipe()
    assert.deepEqual(await readdir(disk.mountPoint), [])
  })

  test('a disk that is disposed of leaves neither mount nor loop device nor file', async (t) => {
    await using folder = await temporaryFolder('disk')
    const disk = await ImageDisk.make(folder.path, 'nats-1', 16)
    const writer = await FileWriter.start(disk.mountPoint)
    t.after(() => writer.kill())
    await writer.write('open', 'x')
    await writer.kill()
    await disk.dispose()
    assert.deepEqual(await readdir(folder.path), [])
    assert.doesNotMatch(readFileSync('/proc/self/mounts', 'utf8'), new RegExp(folder.path))
  })

  test('a power cut takes what was not synced, and leaves what was', async (t) => {
    const disk = await makeDisk(t)
    const writer = await FileWriter.start(disk.mountPoint)
    t.after(() => writer.kill())
    disk.attach(() => [writer.pid])
    const letGo = await holdWriteback()
    t.after(letGo)
    assert.equal(readFileSync('/proc/sys/vm/dirty_writeback_centisecs', 'utf8'), '0\n')
    await writer.write('synced', 'kept')
    await writer.sync('synced')
    await writer.write('unsynced', 'lost')
    assert.equal(await readFile(join(disk.mountPoint, 'unsynced'), 'utf8'), 'lost')

    await powerCut([{ disk, freeze: () => writer.freeze(), kill: () => writer.kill() }])

    assert.equal(await readFile(join(disk.mountPoint, 'synced'), 'utf8'), 'kept')
    const left = await readFile(join(disk.mountPoint, 'unsynced'), 'utf8').catch(() => '')
    assert.equal(left, '')
  })

  test('a disk works as before after a power cut, and survives the next one', async (t) => {
    const disk = await makeDisk(t)
    for (const round of ['first', 'second']) {
      const writer = await FileWriter.start(disk.mountPoint)
      t.after(() => writer.kill())
      disk.attach(() => [writer.pid])
      await writer.write(round, round)
      await writer.sync(round)
      await powerCut([{ disk, freeze: () => writer.freeze(), kill: () => writer.kill() }])
    }
    for (const round of ['first', 'second']) assert.equal(await readFile(join(disk.mountPoint, round), 'utf8'), round)
  })

  test('on a slow disk a sync takes longer, until the disk is as usual again', async (t) => {
    const disk = await makeDisk(t)
    const writer = await FileWriter.start(disk.mountPoint)
    t.after(() => writer.kill())
    disk.attach(() => [writer.pid])
    await writer.write('file', 'x')
    await disk.slow(300)
    const before = performance.now()
    await writer.sync('file')
    assert.ok(performance.now() - before >= 300)
    await disk.slow(0)
    assert.match(readFileSync(`/proc/${writer.pid}/status`, 'utf8'), /^TracerPid:\t0$/m)
    await writer.sync('file')
  })
}

async function makeDisk(t: TestContext): Promise<ImageDisk> {
  const folder = await temporaryFolder('disk')
  const disk = await ImageDisk.make(folder.path, 'nats-1', 32)
  t.after(async () => {
    await disk.dispose()
    await folder.remove()
  })
  return disk
}
