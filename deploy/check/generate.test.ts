import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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
  assert.deepEqual(outOfDate(files, folder), ['edited.md is not what it is made from', 'missing.md is missing'])
})

test('a dashboard that nothing makes any more is found, as is its copy in the chart', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'posthouse-check-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const folders = ['deploy/grafana', 'helm/posthouse/files/dashboards']
  for (const dashboards of folders) {
    mkdirSync(join(folder, dashboards), { recursive: true })
    for (const name of ['edge.json', 'old.json']) writeFileSync(join(folder, dashboards, name), '{}')
  }
  const files = new Map(folders.map((dashboards) => [`${dashboards}/edge.json`, '{}']))
  assert.deepEqual(
    outOfDate(files, folder),
    folders.map((dashboards) => `${dashboards}/old.json is made from nothing`),
  )
})

test('the docs and the chart hold what the tables of the services that are there say, and the runs that have been written down', async () => {
  const files = await generate()
  const faults = existsSync(join(root, 'docs/faults.json')) ? ['docs/faults.md'] : []
  const cluster = existsSync(join(root, 'docs/kubernetes.json')) ? ['docs/kubernetes-results.md'] : []
  const chart = ['values.schema.json', 'README.md', 'files/nats-permissions.yaml'].map(
    (name) => `helm/posthouse/${name}`,
  )
  const names = ['overview', 'edge', 'delivery', 'queue', 'nats'].map((name) => `${name}.json`)
  const dashboards = names.map((name) => `deploy/grafana/${name}`)
  const copies = ['alerts.yaml', ...names.map((name) => `dashboards/${name}`)].map(
    (name) => `helm/posthouse/files/${name}`,
  )
  assert.deepEqual(
    [...files.keys()],
    ['docs/settings.md', 'docs/metrics.md', 'docs/nats.md', ...faults, ...chart, ...cluster, ...dashboards, ...copies],
  )
  for (const name of names)
    assert.equal(files.get(`helm/posthouse/files/dashboards/${name}`), files.get(`deploy/grafana/${name}`), name)
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
