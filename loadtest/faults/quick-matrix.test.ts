// Each kind of fault once, on a small load: what must hold at any speed is asserted, times are only told.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { canEnclose } from './enclosure.ts'
import type { FaultResult } from './result.ts'

const run = promisify(execFile)
const MAIN = join(import.meta.dirname, '../main.ts')
const SEED = '1'

test(
  'whatever breaks, once of each kind, nothing is lost, altered or doubled without a reason',
  { timeout: 580_000 },
  async (t) => {
    const args = [MAIN, 'faults', '--all', '--quick', '--seed', SEED, '--json']
    const { stdout, stderr } = await run(process.execPath, args, {
      maxBuffer: 64 * 1024 * 1024,
      signal: t.signal,
    }).catch((error: { stdout: string; stderr: string }) => error)
    const line = stdout.trim().split('\n').at(-1) ?? ''
    assert.match(line, /^\{/, stderr)
    const { runs } = JSON.parse(line) as { runs: FaultResult[] }
    if (!canEnclose()) t.diagnostic('without root there are no namespaces: process, site and name server faults only')
    for (const { name, failures, missedBars } of runs) {
      await t.test(name, (each) => {
        if (missedBars.length > 0) each.diagnostic(missedBars.join('; '))
        assert.deepEqual(failures, [], stderr)
      })
    }
    const kinds = new Set(runs.map(({ kind }) => kind))
    const expected = ['process', 'disk', 'site', 'dns', 'change', ...(canEnclose() ? ['link', 'power', 'clock'] : [])]
    assert.deepEqual(kinds, new Set(expected), `each kind has run\n${stderr}`)
  },
)
