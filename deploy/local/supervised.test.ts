import assert from 'node:assert/strict'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import type { Program } from './program.ts'
import { Supervised } from './supervised.ts'

/** Ready once it has made its file; then it does what the rest of the script says. */
function program(folder: string, script: string, name = 'edge-1'): Program {
  const up = join(folder, `${name}.up`)
  return {
    name,
    kind: 'edge',
    command: 'sh',
    args: ['-c', script.replaceAll('UP', up)],
    log: join(folder, `${name}.log`),
    notReady: async () => (existsSync(up) ? undefined : 'there is no file'),
  }
}

function listener() {
  const said: string[] = []
  const waiting: { pattern: RegExp; resolve: (line: string) => void }[] = []
  return {
    said,
    say(line: string) {
      said.push(line)
      for (const { pattern, resolve } of waiting) if (pattern.test(line)) resolve(line)
    },
    hears: (pattern: RegExp) => new Promise<string>((resolve) => waiting.push({ pattern, resolve })),
  }
}

const STAYS = 'touch UP; sleep 60'

test('a killed program is started again, with a line for its end and one for its return', async (t) => {
  await using folder = await temporaryFolder()
  const ear = listener()
  let changes = 0
  const around = { restart: true, say: ear.say, changed: () => changes++, env: process.env }
  const edge = new Supervised(program(folder.path, `exec ${'sleep 60'}`.replace('exec', 'touch UP; exec')), around)
  t.after(() => edge.stop(1000))
  await edge.start(10_000)
  const first = edge.pid as number
  const back = ear.hears(/runs again/)
  process.kill(first, 'SIGKILL')
  assert.match(await back, /^edge-1 runs again \(pid \d+\)$/)
  assert.equal(ear.said[0], `edge-1 (pid ${first}) was killed by SIGKILL; it starts again in 2 s`)
  assert.notEqual(edge.pid, first)
  assert.ok(edge.pid !== undefined)
  assert.equal(changes, 3)
})

test('with --no-restart it stays down', async () => {
  await using folder = await temporaryFolder()
  const ear = listener()
  const edge = new Supervised(program(folder.path, STAYS), {
    restart: false,
    say: ear.say,
    changed: () => {},
    env: process.env,
  })
  await edge.start(10_000)
  const pid = edge.pid as number
  const told = ear.hears(/killed/)
  process.kill(pid, 'SIGKILL')
  assert.equal(await told, `edge-1 (pid ${pid}) was killed by SIGKILL; it is not started again`)
  assert.equal(edge.pid, undefined)
})

test('a program that fails by itself is tried again ever more rarely, and the line names its log', async (t) => {
  await using folder = await temporaryFolder()
  const ear = listener()
  const failing = program(folder.path, '[ -e UP ] && exit 7; touch UP; sleep 60')
  const edge = new Supervised(failing, { restart: true, say: ear.say, changed: () => {}, env: process.env })
  t.after(() => edge.stop(1000))
  await edge.start(10_000)
  const told = ear.hears(/status 7/)
  process.kill(edge.pid as number, 'SIGKILL')
  assert.match(await told, /ended with status 7 \(see .*edge-1\.log\); it starts again in 4 s$/)
})

test('a start that fails says what the program wrote last', async () => {
  await using folder = await temporaryFolder()
  const around = { restart: true, say: () => {}, changed: () => {}, env: process.env }
  const broken = new Supervised(program(folder.path, 'echo nats.servers: nobody answers; exit 1'), around)
  await assert.rejects(broken.start(10_000), /edge-1 ended before it was ready:\n {2}nats\.servers: nobody answers\n/)
  const slow = new Supervised(program(folder.path, 'sleep 60', 'edge-2'), around)
  await assert.rejects(slow.start(100), /edge-2 was not ready after 0\.1 s: there is no file/)
  await slow.stop(1000)
})

test('stopping ends a start that waits', async () => {
  await using folder = await temporaryFolder()
  const around = { restart: true, say: () => {}, changed: () => {}, env: process.env }
  const edge = new Supervised(program(folder.path, 'sleep 60'), around)
  const started = edge.start(60_000)
  await edge.stop(1000)
  await started
  assert.equal(edge.pid, undefined)
  rmSync(join(folder.path, 'edge-1.log'), { force: true })
})
