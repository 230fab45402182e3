import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { holdWriteback, putWritebackBack } from './writeback.ts'

const HOLDER = join(import.meta.dirname, 'fixtures/holder.ts')

test('the setting is put back when the last holder has let go', async (t) => {
  const { paths, read } = await makeSetting(t)
  const one = await holdWriteback(paths)
  const other = await holdWriteback(paths)
  assert.equal(read(), '0')
  await one()
  assert.equal(read(), '0')
  await other()
  assert.equal(read(), '500')
  assert.ok(!existsSync(paths.before))
})

test('holders that come at the same moment do not take the held setting for the true one', async (t) => {
  const { paths, read } = await makeSetting(t)
  const holders = await Promise.all(Array.from({ length: 8 }, () => holdWriteback(paths)))
  assert.equal(read(), '0')
  await Promise.all(holders.map((letGo) => letGo()))
  assert.equal(read(), '500')
})

test('the setting is put back when the holder is killed', async (t) => {
  const { folder, paths, read } = await makeSetting(t)
  const holder = fork(HOLDER, [paths.setting, paths.before])
  await once(holder, 'message')
  assert.equal(read(), '0')
  const changes = watch(folder)
  t.after(() => changes.close())
  holder.kill('SIGKILL')
  while (existsSync(paths.before)) await once(changes, 'change')
  assert.equal(read(), '500')
})

test('the setting is put back later when its shell was killed as well', async (t) => {
  const { paths, read } = await makeSetting(t)
  writeFileSync(paths.before, '500\n')
  writeFileSync(paths.setting, '0\n')
  await putWritebackBack(paths)
  assert.equal(read(), '500')
  assert.ok(!existsSync(paths.before))
})

async function makeSetting(t: TestContext) {
  const { path: folder, remove } = await temporaryFolder('writeback')
  t.after(remove)
  const paths = { setting: join(folder, 'setting'), before: join(folder, 'before') }
  writeFileSync(paths.setting, '500\n')
  return { folder, paths, read: () => readFileSync(paths.setting, 'utf8').trim() }
}
