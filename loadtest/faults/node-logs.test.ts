import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
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
    const options = { store: { onNudge: () => () => {} }, partition: 3, node: 'n', name: 'n', log, observer: {} }
    const shell = new PartitionShell(options as unknown as PartitionShellOptions)
    shell.lostAfterDot('0123456789ABC')
    shell.close()
  })
  const [{ at, text, ...rest } = assert.fail('nothing was read'), ...others] = await read(log)
  assert.deepEqual(rest, { id: '0123456789ABC', node: 'delivery-2', partition: 3, because: 'lost' })
  assert.ok(at >= before && at <= Date.now())
  assert.match(text, /^possible duplicate/)
  assert.deepEqual(others, [])
})

test('a task that a dead owner may have sent is told apart, and everything else is passed over', async () => {
  const found = await written((log) => {
    log.info({ id: 'A' }, 'delivered')
    log.warn({ partition: 1, id: 'B', positions: [0, 2] }, 'possible duplicate: a dead owner may have sent it')
    log.warn({ partition: 1, id: 'C' }, 'possible duplicate: connection lost after the final dot')
  })
  const cutOff = '{"level":"warn","id":"D","msg":"possible duplicate: a dea'
  const ids = await read(`no JSON "possible duplicate: \n${found}${cutOff}\n${found}${cutOff}`)
  assert.deepEqual(
    ids.map(({ id, because }) => [id, because]),
    [
      ['B', 'dead owner'],
      ['C', 'lost'],
      ['B', 'dead owner'],
      ['C', 'lost'],
    ],
  )
})

test('an empty log has none', async () => {
  assert.deepEqual(await read(''), [])
})
