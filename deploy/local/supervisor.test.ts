import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import type { Program } from './program.ts'
import { Supervisor } from './supervisor.ts'

test('programs start from the servers up and stop from the edges down, each group after the one before', async () => {
  await using folder = await temporaryFolder()
  const story = join(folder.path, 'story')
  const program = (name: string, kind: Program['kind']): Program => ({
    name,
    kind,
    command: 'sh',
    // The wait makes a wrong order visible: who does not wait for it is in the story too early.
    args: [
      '-c',
      `trap 'sleep 0.2; echo stop ${kind} >> ${story}; exit 0' TERM; echo start ${kind} >> ${story}; while :; do sleep 0.05; done`,
    ],
    log: join(folder.path, `${name}.log`),
    notReady: async () =>
      existsSync(story) && readFileSync(story, 'utf8').includes(`start ${kind}`) ? undefined : 'not in the story',
  })
  const all = [
    program('nats-1', 'nats'),
    program('mailbox', 'mailbox'),
    program('delivery-1', 'delivery'),
    program('edge-1', 'edge'),
  ]
  const options = { dir: folder.path, restart: true, say: () => {}, env: process.env, changed: () => {} }
  const supervisor = new Supervisor(all, options)
  await supervisor.start()
  assert.deepEqual(Object.keys(supervisor.pids), ['nats-1', 'mailbox', 'delivery-1', 'edge-1'])
  const noted = JSON.parse(readFileSync(join(folder.path, 'processes.json'), 'utf8')) as { name: string }[]
  assert.deepEqual(noted.map(({ name }) => name).toSorted(), ['delivery-1', 'edge-1', 'mailbox', 'nats-1', 'npm start'])

  await supervisor.stop()
  const lines = readFileSync(story, 'utf8').trim().split('\n')
  assert.equal(lines[0], 'start nats')
  assert.deepEqual(lines.slice(4), ['stop edge', 'stop delivery', 'stop mailbox', 'stop nats'])
  assert.deepEqual(supervisor.pids, {})
  assert.equal(existsSync(join(folder.path, 'processes.json')), false)
})
