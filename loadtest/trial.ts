// A short load against a cluster of its own, for tests that each prove one sentence about what a fault may do. What must hold
// whatever happens is asserted here; the test adds what its sentence says.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { judge } from './ledger.ts'
import { table } from './report.ts'
import { runLoad, type LoadOptions, type LoadResult } from './run.ts'

export const CLUSTER_TEST = { timeout: 280_000 } as const

const USUAL: Omit<LoadOptions, 'dataDir' | 'signal'> = {
  messages: 800,
  fault: 'none',
  sessions: 10,
  size: null,
  recipients: 1,
  seed: 1,
  rate: 100,
  role: 'relay',
  connections: 'kept',
  retryUnknown: false,
  nodes: null,
  drainMs: 120_000,
  sink: {},
  refuseEvery: 0,
  progress: () => {},
}

/** Everything that was accepted is accounted for, and what went out twice was counted. */
export async function trial(t: TestContext, given: Partial<LoadOptions>): Promise<LoadResult> {
  const folder = await temporaryFolder('trial')
  t.after(() => folder.remove())
  const options = { ...USUAL, ...given }
  const result = await runLoad({ ...options, dataDir: join(folder.path, 'cluster'), signal: t.signal })
  t.diagnostic(JSON.stringify(result))
  assert.equal(judge(result), 'sound', table(result))
  assert.deepEqual([result.queued, result.unsent], [0, 0], table(result))
  assert.ok(result.duplicates <= result.possibleDuplicates, table(result))
  const answered = result.accepted + result.unknown
  assert.ok(answered >= options.messages * options.recipients, `every message was taken in the end\n${table(result)}`)
  return result
}
