import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startChild } from '@posthouse/testkit/child-process'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { claimFolder, SUPERVISOR } from './data-folder.ts'
import { writeProcesses } from './cluster-file.ts'
import { note, startOf } from './process-table.ts'

const quiet = () => {}

test('a folder with a running cluster is refused', async () => {
  await using folder = await temporaryFolder()
  writeProcesses(folder.path, [note(SUPERVISOR, process.pid)])
  await assert.rejects(claimFolder(folder.path, 3, quiet), (error: Error) => {
    assert.match(
      error.message,
      new RegExp(`already \\(pid ${process.pid}\\); stop it, or choose another folder with --data`),
    )
    return true
  })
})

test('what an earlier start left running is ended, and said', async (t) => {
  await using folder = await temporaryFolder()
  const left = await startChild('sleep', ['60'])
  t.after(() => left.stop())
  writeProcesses(folder.path, [{ name: SUPERVISOR, pid: left.pid, started: 'another time' }, note('edge-1', left.pid)])
  const said: string[] = []
  await claimFolder(folder.path, 3, (line) => said.push(line))
  assert.deepEqual(await left.exited, { code: null, signal: 'SIGTERM' })
  assert.deepEqual(said, [`ending what an earlier start left running: edge-1 (pid ${left.pid})`])
})

test('a process that got the id of an earlier one is left alone', async (t) => {
  await using folder = await temporaryFolder()
  const innocent = await startChild('sleep', ['60'])
  t.after(() => innocent.stop())
  writeProcesses(folder.path, [{ name: 'edge-1', pid: innocent.pid, started: `1${startOf(innocent.pid)}` }])
  await claimFolder(folder.path, 3, quiet)
  assert.ok(innocent.running)
})

test('the queue of a cluster of another size is not touched', async () => {
  await using folder = await temporaryFolder()
  await claimFolder(folder.path, 1, quiet)
  await claimFolder(folder.path, 1, quiet)
  await assert.rejects(claimFolder(folder.path, 3, quiet), /a cluster of 1, not 3: start it with --nodes 1/)
})

test('a broken note is no reason not to start', async () => {
  await using folder = await temporaryFolder()
  writeFileSync(join(folder.path, 'processes.json'), '[{')
  await claimFolder(folder.path, 3, quiet)
})
