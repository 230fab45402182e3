import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { generate, outOfDate, root } from './generate.ts'

test('a generated file that is missing or was edited by hand is found', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'posthouse-check-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'right.md'), 'as it should be\n')
  writeFileSync(join(folder, 'edited.md'), 'as somebody liked it\n')
  const files = new Map(['right.md', 'edited.md', 'missing.md'].map((name) => [name, 'as it should be\n']))
  assert.deepEqual(outOfDate(files, folder), ['edited.md is not what the tables say', 'missing.md is missing'])
})

test('the docs hold the settings and metrics of the services that are there, what they ask of NATS, and the faults once they have been run', async () => {
  const files = await generate()
  const faults = existsSync(join(root, 'docs/faults.json')) ? ['docs/faults.md'] : []
  assert.deepEqual([...files.keys()], ['docs/settings.md', 'docs/metrics.md', 'docs/nats.md', ...faults])
  assert.match(files.get('docs/settings.md') ?? '', /^## edge$[^]*`POSTHOUSE_LISTENERS`/m)
  assert.match(files.get('docs/nats.md') ?? '', /^### edge$[^]*`mail\.\*\.\*`/m)
  assert.match(files.get('docs/metrics.md') ?? '', /^## edge$[^]*`posthouse_edge_/m)
})
