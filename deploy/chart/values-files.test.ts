import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { permissionsOf, queueUsers, readersAccount } from '@posthouse/queue/jetstream/permissions'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { parse } from 'yaml'
import { chartCopies, natsPermissionsYaml } from './values-files.ts'

test('the permissions hold every user with its account and subjects', () => {
  const text = natsPermissionsYaml()
  assert.deepEqual(parse(text), {
    users: queueUsers.map((name) => ({ name, ...permissionsOf(name) })),
    readers: readersAccount(),
  })
  assert.doesNotMatch(text, /[&*]a\d/, "no anchors, which Helm's reader may not follow")
})

test('alerts and dashboards are copied as they are, and what is not there is not', async () => {
  await using folder = await temporaryFolder('chart-copies')
  assert.deepEqual([...chartCopies(folder.path, new Map())], [])
  await mkdir(join(folder.path, 'deploy/prometheus'), { recursive: true })
  await writeFile(join(folder.path, 'deploy/prometheus/alerts.yaml'), 'groups:   []\n')
  const dashboards = new Map([
    ['edge.json', '{}'],
    ['queue.json', '{ "a":1}\n'],
  ])
  assert.deepEqual(
    [...chartCopies(folder.path, dashboards)],
    [
      ['helm/posthouse/files/alerts.yaml', 'groups:   []\n'],
      ['helm/posthouse/files/dashboards/edge.json', '{}'],
      ['helm/posthouse/files/dashboards/queue.json', '{ "a":1}\n'],
    ],
  )
})
