import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { runPosthouse } from './test/child.ts'

const GOOD = `
name: edge-1
hostname: edge-1.example.org
http: { port: 0 }
listeners: [{ role: relay, host: 127.0.0.1, port: 2525, networks: [127.0.0.0/8] }]
`

async function settings(test: { after(work: () => Promise<void>): void }, text: string): Promise<string> {
  const { path, remove } = await temporaryFolder('cli')
  test.after(remove)
  const file = join(path, 'edge.yaml')
  await writeFile(file, text)
  return file
}

test('good settings are said to be good', async (t) => {
  const file = await settings(t, GOOD)
  const said = await runPosthouse(['config', 'check', 'edge', '--config', file])
  assert.deepEqual(said, { status: 0, output: `${file}: the settings of edge are good\n`, errors: '' })
})

test('the effective settings are printed on request, the environment included', async (t) => {
  const environment = { POSTHOUSE_LOG_LEVEL: 'debug' }
  const args = ['config', 'check', 'edge', '--print', '--config', await settings(t, GOOD)]
  assert.match((await runPosthouse(args, { environment })).output, /level: debug # environment/)
})

test('three mistakes are three lines and status 78', async (t) => {
  const file = await settings(t, `${GOOD}frob: 1\nlog: { level: loud }\nlimits: { recipients: -1 }\n`)
  const said = await runPosthouse(['config', 'check', 'edge', '--config', file, '--json'])
  assert.equal(said.status, 78)
  assert.equal(said.errors.trimEnd().split('\n').length, 3)
  const { ok, errors } = JSON.parse(said.output) as { ok: boolean; errors: string[] }
  assert.equal(ok, false)
  assert.deepEqual(
    new Set(errors.map((line) => line.split(':')[0])),
    new Set(['frob', 'limits.recipients', 'log.level']),
  )
})

test('a service that does not exist is a wrong command line', async (t) => {
  const said = await runPosthouse(['config', 'check', 'frob', '--config', await settings(t, GOOD)])
  assert.equal(said.status, 64)
  assert.match(said.errors, /^posthouse: frob: no such service; there are .*edge/)
})

test('without a file there is nothing to check', async () => {
  assert.equal((await runPosthouse(['config', 'check', 'edge'])).status, 64)
})
