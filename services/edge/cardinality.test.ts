import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MOST_SERIES } from '@posthouse/runtime/metrics/common'
import { Client } from './test/client.ts'
import { startTestEdge } from './test/test-edge.ts'

const MESSAGES = 100

test('an edge that takes mail of many senders to many recipients has no more series than one that takes none', async () => {
  await using edge = await startTestEdge()
  const series = async (): Promise<string[]> => {
    const lines = (await edge.metricsText()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    return lines.map((line) => line.slice(0, line.lastIndexOf(' '))).filter((line) => line.startsWith('posthouse_'))
  }
  const before = await series()
  const client = await Client.greeted(edge.ports.relay)
  for (let i = 0; i < MESSAGES; i++)
    assert.match(
      await client.mail(`s${i}@a${i}.example`, `r${i}@b${i}.example`, 'Subject: x\r\n\r\nx\r\n.\r\n'),
      /^250 /,
    )
  for (let i = 0; i < 5; i++) await client.command(`NONSENSE${i}`)
  client.close()
  assert.deepEqual(await series(), before)
  const all = (await edge.metricsText()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  assert.ok(all.length < MOST_SERIES, `${all.length} series`)
})
