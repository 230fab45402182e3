import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Envelope } from '@posthouse/core/record'
import { PartitionShell, type PartitionShellOptions } from '@posthouse/queue/partition-shell'
import { createLog } from '@posthouse/runtime/log'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { possibleDuplicatesIn } from './node-logs.ts'

/** What a delivery node writes to its log. */
async function written(write: (log: Awaited<ReturnType<typeof createLog>>) => void): Promise<string> {
  const lines: string[] = []
  const base = { service: 'delivery', node: 'delivery-2' }
  write(
    await createLog({ level: 'info', format: 'json', base, destination: { write: (line) => void lines.push(line) } }),
  )
  return lines.join('')
}

async function read(log: string) {
  await using folder = await temporaryFolder('node-logs')
  const file = join(folder.path, 'delivery-2.log')
  await writeFile(file, log)
  return possibleDuplicatesIn(file)
}

test('what a partition writes when a connection is lost after the dot is read', async () => {
  const before = Date.now()
  const log = await written((log) => {
    const store = { onNudge: () => () => {}, onAbandoned: () => () => {} }
    const options = { store, partition: 3, node: 'n', name: 'n', log, observer: {} }
    const shell = new PartitionShell(options as unknown as PartitionShellOptions)
    const recipients = [3, 5, 7].map((index) => ({ address: `${index}@a.example`, index }))
    shell.lostAfterDot({ id: '0123456789ABC', recipients } as unknown as Envelope, [2])
    shell.close()
  })
  const [{ at, text, ...rest } = assert.fail('nothing was read'), ...others] = await read(log)
  assert.deepEqual(rest, { id: '0123456789ABC', node: 'delivery-2', partition: 3, recipient: 7, because: 'lost' })
  assert.ok(at >= before && at <= Date.now())
  assert.match(text, /^possible duplicate/)
  assert.deepEqual(others, [])
})

test('a task that a dead owner may have sent is told apart, and everything else is passed over', async () => {
  const found = await written((log) => {
    log.info({ id: 'A' }, 'delivered')
    log.warn({ partition: 1, id: 'B', recipients: [0, 2] }, 'possible duplicate: a dead owner may have sent it')
    log.warn({ partition: 1, id: 'C', recipients: [4] }, 'possible duplicate: connection lost after the final dot')
  })
  const cutOff = '{"level":"warn","id":"D","msg":"possible duplicate: a dea'
  const ids = await read(`no JSON "possible duplicate: \n${found}${cutOff}\n${found}${cutOff}`)
  assert.deepEqual(
    ids.map(({ id, recipient, because }) => [id, recipient, because]),
    [1, 2].flatMap(() => [
      ['B', 0, 'dead owner'],
      ['B', 2, 'dead owner'],
      ['C', 4, 'lost'],
    ]),
  )
})

test('an empty log has none', async () => {
  assert.deepEqual(await read(''), [])
})
