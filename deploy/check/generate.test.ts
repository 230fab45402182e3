import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { chartCopies } from '../chart/values-files.ts'
import { generate, outOfDate, root } from './generate.ts'

test('a generated file that is missing or was edited by hand is found', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'posthouse-check-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'right.md'), 'as it should be\n')
  writeFileSync(join(folder, 'edited.md'), 'as somebody liked it\n')
  const files = new Map(['right.md', 'edited.md', 'missing.md'].map((name) => [name, 'as it should be\n']))
  assert.deepEqual(outOfDate(files, folder), ['edited.md is not what the tables say', 'missing.md is missing'])
})

test('a copy in the chart of what is no more is found', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'posthouse-check-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const dashboards = 'helm/posthouse/files/dashboards'
  mkdirSync(join(folder, dashboards), { recursive: true })
  for (const name of ['edge.json', 'old.json']) writeFileSync(join(folder, dashboards, name), '{}')
  const files = new Map([[`${dashboards}/edge.json`, '{}']])
  assert.deepEqual(outOfDate(files, folder), [`${dashboards}/old.json is a copy of nothing`])
})

test('the docs and the chart hold what the tables of the services that are there say, and the runs that have been written down', async () => {
  const files = await generate()
  const faults = existsSync(join(root, 'docs/faults.json')) ? ['docs/faults.md'] : []
  const cluster = existsSync(join(root, 'docs/kubernetes.json')) ? ['docs/kubernetes-results.md'] : []
  const chart = ['values.schema.json', 'README.md', 'files/nats-permissions.yaml'].map(
    (name) => `helm/posthouse/${name}`,
  )
  const copies = [...chartCopies(root).keys()]
  assert.deepEqual(
    [...files.keys()],
    ['docs/settings.md', 'docs/metrics.md', 'docs/nats.md', ...faults, ...chart, ...cluster, ...copies],
  )
  assert.match(files.get('docs/settings.md') ?? '', /^## edge$[^]*`POSTHOUSE_LISTENERS`/m)
  assert.match(files.get('docs/nats.md') ?? '', /^### edge$[^]*`mail\.\*\.\*`/m)
  assert.match(files.get('docs/metrics.md') ?? '', /^## edge$[^]*`posthouse_edge_/m)
  assert.match(files.get('helm/posthouse/values.schema.json') ?? '', /"messageSize": \{/)
  assert.match(files.get('helm/posthouse/README.md') ?? '', /^\| `edge\.settings` /m)
  assert.match(
    files.get('helm/posthouse/files/nats-permissions.yaml') ?? '',
    /^ {2}- name: edge\n {4}account: POSTHOUSE$/m,
  )
})
