import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readlinkSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { canEnclose, isEnclosed } from '../enclosure.ts'

const ENCLOSURE = join(import.meta.dirname, '../enclosure.ts')
const options = { skip: canEnclose() ? false : 'needs root' }

/** A process that makes an enclosure for the program, and the lines that this one writes. */
async function makerOf(t: TestContext, program: string) {
  const folder = await temporaryFolder('enclosure')
  t.after(() => folder.remove())
  const inside = join(folder.path, 'inside.mjs')
  const maker = join(folder.path, 'maker.mjs')
  await writeFile(inside, program)
  await writeFile(
    maker,
    `import { enclosed } from ${JSON.stringify(ENCLOSURE)}; process.exitCode = await enclosed(${JSON.stringify(inside)}, ['a b'])`,
  )
  const child = spawn(process.execPath, [maker], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const exited = once(child, 'exit')
  // The pipe ends when nobody holds it any more, inside or outside.
  const ended = once(child.stdout, 'end')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const line = async () => ((await lines.next()) as { value: string }).value
  return { child, line, exited, ended }
}

test('this process is in none', options, () => {
  assert.equal(isEnclosed(), false)
})

test(
  'a program in one sees another network and no process of outside, and its status is passed on',
  options,
  async (t) => {
    const { line, exited } = await makerOf(
      t,
      `import { readdirSync, readlinkSync } from 'node:fs'
     import { isEnclosed } from ${JSON.stringify(ENCLOSURE)}
     const pids = readdirSync('/proc').filter((name) => /^\\d+$/.test(name))
     console.log(JSON.stringify([isEnclosed(), readlinkSync('/proc/self/ns/net'), pids.length, process.argv[2]]))
     process.exitCode = 7`,
    )
    const [isIn, network, processes, argument] = JSON.parse(await line()) as [boolean, string, number, string]
    assert.equal(isIn, true)
    assert.notEqual(network, readlinkSync('/proc/self/ns/net'))
    assert.equal(processes, 2)
    assert.equal(argument, 'a b')
    assert.deepEqual(await exited, [7, null])
  },
)

test('a signal to its maker reaches the program, which ends as it likes', options, async (t) => {
  const { child, line, exited } = await makerOf(
    t,
    `process.on('SIGTERM', () => process.exit(5)); setInterval(() => {}, 1000); console.log('up')`,
  )
  assert.equal(await line(), 'up')
  child.kill('SIGTERM')
  assert.deepEqual(await exited, [5, null])
})

const SPAWNING = `
  import { spawn } from 'node:child_process'
  spawn('sleep', ['600'], { stdio: 'inherit', detached: true })
  console.log('up')
  setInterval(() => {}, 1000)`

test('after a kill -9 of its maker nothing in it runs on', options, async (t) => {
  const { child, line, exited, ended } = await makerOf(t, SPAWNING)
  assert.equal(await line(), 'up')
  child.kill('SIGKILL')
  await exited
  await ended
})

test('when the program is killed what it started goes too, and the status tells it', options, async (t) => {
  const { line, exited, ended } = await makerOf(t, `${SPAWNING}\nprocess.kill(process.pid, 'SIGKILL')`)
  assert.equal(await line(), 'up')
  assert.deepEqual(await exited, [137, null])
  await ended
})
