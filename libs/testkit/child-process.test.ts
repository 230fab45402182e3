import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startChild } from './child-process.ts'
import { temporaryFolder } from './temporary-folder.ts'

test('a child says how it ended, and what it wrote is in its file', async () => {
  await using folder = await temporaryFolder()
  const output = join(folder.path, 'out')
  const child = await startChild('sh', ['-c', 'echo one; echo two >&2; exit 3'], { output })
  assert.deepEqual(await child.exited, { code: 3, signal: null })
  assert.equal(readFileSync(output, 'utf8'), 'one\ntwo\n')
  assert.equal(child.running, false)
})

test('a program that cannot be run is an error', async () => {
  // By way of the tether the failure is the tether's exit status.
  const outcome = await startChild('/does/not/exist', []).then(
    async (child) => (await child.exited).code !== 0,
    () => true,
  )
  assert.ok(outcome)
})

test('a child that ignores the request to end is ended after the grace time', async () => {
  await using folder = await temporaryFolder()
  const output = join(folder.path, 'out')
  const child = await startChild('sh', ['-c', 'trap "" TERM; echo deaf; while :; do sleep 1; done'], { output })
  while (readFileSync(output, 'utf8') === '') await sleep(5)
  assert.deepEqual(await child.stop(200), { code: null, signal: 'SIGKILL' })
})

test('a stopped child still hears the request to end', async () => {
  const child = await startChild('sleep', ['60'])
  child.kill('SIGSTOP')
  assert.deepEqual(await child.stop(), { code: null, signal: 'SIGTERM' })
})

const noTether = spawnSync('setpriv', ['--pdeathsig', 'SIGTERM', 'true']).status !== 0

test('a child dies with a parent that is killed', { skip: noTether && 'no setpriv here' }, async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'pid')
  const source = `
    import { writeFileSync } from 'node:fs'
    import { startChild } from ${JSON.stringify(join(import.meta.dirname, 'child-process.ts'))}
    const child = await startChild('sleep', ['60'])
    writeFileSync(${JSON.stringify(file)}, String(child.pid))
    console.log('started')`
  const parent = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(parent.stdout, 'data')
  const pid = Number(readFileSync(file, 'utf8'))
  parent.kill('SIGKILL')
  const isRunning = () =>
    existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  while (isRunning()) await sleep(10)
})
