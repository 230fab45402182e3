import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { MountedFolder } from './test/mounted-folder.ts'
import { FilesRead, watchFiles } from './watched-file.ts'

const written = new Date('2026-01-01T00:00:00Z')
const changes: readonly (readonly [what: string, change: (file: string) => void])[] = [
  ['written to', (file) => writeFileSync(file, 'longer than before')],
  [
    'replaced',
    (file) => {
      writeFileSync(`${file}.new`, 'before')
      renameSync(`${file}.new`, file)
    },
  ],
  [
    'written to, with its length and time set back',
    (file) => {
      const { ctimeNs } = statSync(file, { bigint: true })
      // The clock of the file system goes in steps.
      while (statSync(file, { bigint: true }).ctimeNs === ctimeNs) {
        writeFileSync(file, 'behind')
        utimesSync(file, written, written)
      }
    },
  ],
  ['removed', (file) => rmSync(file)],
  [
    'replaced by a link to another',
    (file) => {
      writeFileSync(`${file}.other`, 'before')
      symlinkSync(`${file}.other`, `${file}.link`)
      renameSync(`${file}.link`, file)
    },
  ],
  [
    'replaced by a folder',
    (file) => {
      rmSync(file)
      mkdirSync(file)
    },
  ],
]
for (const [what, change] of changes) {
  test(`a file that was ${what} has changed`, async () => {
    await using folder = await temporaryFolder('edge')
    const [file, other] = [join(folder.path, 'file'), join(folder.path, 'other')]
    for (const path of [file, other]) {
      writeFileSync(path, 'before')
      utimesSync(path, written, written)
    }
    const files = new FilesRead()
    for (const path of [file, other]) assert.equal(files.read(path).toString(), 'before')
    assert.equal(files.haveChanged, false)
    change(file)
    assert.equal(files.haveChanged, true)
  })
}

test('a file that could not be read has changed when it can be', async () => {
  await using folder = await temporaryFolder('edge')
  const file = join(folder.path, 'folder', 'file')
  const files = new FilesRead()
  assert.throws(() => files.read(file), { code: 'ENOENT' })
  assert.equal(files.haveChanged, false)
  mkdirSync(join(folder.path, 'folder'))
  writeFileSync(file, '')
  assert.equal(files.haveChanged, true)
})

test('all files of a mounted folder have changed when its version is switched', async () => {
  await using folder = await temporaryFolder('edge')
  const mounted = new MountedFolder(join(folder.path, 'mounted'), { one: '1', two: '2' })
  for (const name of ['one', 'two']) {
    const files = new FilesRead()
    files.read(mounted.file(name))
    assert.equal(files.haveChanged, false)
    mounted.update({ one: '1', two: '2' })
    assert.equal(files.haveChanged, true, name)
  }
})

test('what changes while it is read is read again, one reading at a time', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  await using folder = await temporaryFolder('edge')
  const mounted = new MountedFolder(join(folder.path, 'mounted'), { file: 'first' })
  const files = new FilesRead()
  files.read(mounted.file('file'))
  const seen: string[] = []
  let finish: () => void = () => assert.fail('nothing is read')
  const stop = watchFiles(files, async (again) => {
    seen.push(again.read(mounted.file('file')).toString())
    await new Promise<void>((resolve) => (finish = resolve))
  })
  t.mock.timers.tick(1000)
  assert.deepEqual(seen, [])
  mounted.update({ file: 'second' })
  t.mock.timers.tick(1000)
  assert.deepEqual(seen, ['second'])
  mounted.update({ file: 'third' })
  t.mock.timers.tick(1000)
  assert.deepEqual(seen, ['second'])
  finish()
  await new Promise(setImmediate)
  t.mock.timers.tick(1000)
  assert.deepEqual(seen, ['second', 'third'])
  finish()
  await new Promise(setImmediate)
  t.mock.timers.tick(1000)
  assert.deepEqual(seen, ['second', 'third'])
  stop()
  mounted.update({ file: 'fourth' })
  t.mock.timers.tick(1000)
  assert.deepEqual(seen, ['second', 'third'])
})
