import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { DatabaseSync } from 'node:sqlite'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { scriptedEvents } from '../test/scripted-feed.ts'

const MESSAGES = 1000
const program = join(import.meta.dirname, '../test/projecting-node.ts')

interface Said {
  readonly events?: number
  readonly cursor?: readonly number[]
  readonly rebuilt?: string
}

/** Kills it as soon as it has written so many events; says what it found when it began. */
async function killAt(child: ChildProcess, events: number): Promise<Said> {
  const exited = once(child, 'exit')
  let first: Said | undefined
  child.on('message', (said: Said) => {
    assert.equal(said.rebuilt, undefined)
    first ??= said
    if ((said.events ?? 0) >= events) child.kill('SIGKILL')
  })
  assert.deepEqual(await exited, [null, 'SIGKILL'])
  return first ?? {}
}

test('a process that is killed in the middle of it goes on without a loss and without a double', async () => {
  await using folder = await temporaryFolder('crash')
  const file = join(folder.path, 'events.sqlite')
  let events = 0
  // The last one is killed when all is there.
  for (const at of [100, 700, 1300, 2500, 3 * MESSAGES]) {
    const first = await killAt(fork(program, [file, String(MESSAGES)]), at)
    assert.ok((first.events ?? 0) >= events, 'what had been said to be written is there')
    assert.equal(first.cursor?.length ?? 0, events === 0 ? 0 : 3)
    events = at
  }
  const database = new DatabaseSync(file)
  const ids = database.prepare('SELECT event FROM events ORDER BY event').all()
  database.close()
  assert.deepEqual(
    ids.map((row) => row['event']),
    [...new Set(scriptedEvents(MESSAGES).map(({ id }) => id))].sort(),
  )
})
