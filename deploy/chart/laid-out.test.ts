import assert from 'node:assert/strict'
import { readFile, stat } from 'node:fs/promises'
import { test } from 'node:test'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { layOut } from './laid-out.ts'
import { bed } from './rules/planted/bed.ts'

test('files lie below the folder, and whatever names them names them there', async () => {
  await using folder = await temporaryFolder()
  const { rendering, container, pod } = bed()
  container.args?.push('--other=/x/etc/posthouse/settings', '--more=/etc/posthouse/settings-of-others')
  const { words, at } = await layOut(container, { spec: pod }, rendering, { folder: folder.path })
  const settings = at('/etc/posthouse/settings/edge.yaml')
  assert.deepEqual(words, [
    'edge',
    '--config',
    settings,
    '--other=/x/etc/posthouse/settings',
    '--more=/etc/posthouse/settings-of-others',
  ])
  assert.match(await readFile(settings, 'utf8'), new RegExp(`passwordFile: ${at('/etc/posthouse/word/password')}\n`))
  assert.equal(await readFile(at('/etc/posthouse/word/password'), 'utf8'), 'pretty-secret-word')
  assert.equal((await stat(settings)).mode & 0o777, 0o600)
})

test('variables are what Kubernetes makes of them', async () => {
  await using folder = await temporaryFolder()
  const { rendering, container, pod } = bed()
  container.env?.push(
    { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'MEMORY', valueFrom: { resourceFieldRef: { resource: 'limits.memory' } } },
    { name: 'LATER', value: '$(NAME) $(NOBODY)' },
  )
  const place = { folder: folder.path, fields: { 'metadata.name': 'edge-0' }, instead: [[/nats:\d+/, 'n:1'] as const] }
  const { env } = await layOut(container, { spec: pod }, rendering, place)
  assert.deepEqual(env, {
    WORD: 'pretty-secret-word',
    ADDRESS: 'nats://edge:pretty-secret-word@n:1',
    NAME: 'edge-0',
    MEMORY: String(64 * 2 ** 20),
    LATER: 'edge-0 $(NOBODY)',
  })
})

test('what stands instead is not replaced again', async () => {
  await using folder = await temporaryFolder()
  const { rendering, container, pod } = bed()
  container.args = ['port: 1, port: 2, a.b, axb']
  const instead = [
    [/port: 1\b/, 'port: 25'],
    [/port: 2\b/, 'port: 14'],
    ['port: 25', 'no'],
    ['a.b', '$&'],
  ] as const
  const { words } = await layOut(container, { spec: pod }, rendering, { folder: folder.path, instead })
  assert.deepEqual(words, ['port: 25, port: 14, $&, axb'])
})

test('Secrets of the user hold what the caller says', async () => {
  await using folder = await temporaryFolder()
  const { rendering, container, pod, objects, of } = bed()
  objects.splice(objects.indexOf(of('Secret', 'word')), 1)
  const given = { ...rendering, secrets: { word: ['password'] } }
  const secret = (key: string) => `the ${key}`
  const { env, at } = await layOut(container, { spec: pod }, given, { folder: folder.path, secret })
  assert.equal(env['WORD'], 'the password')
  assert.equal(await readFile(at('/etc/posthouse/word/password'), 'utf8'), 'the password')
})

test('what is not there is an error, not an empty file', async () => {
  await using folder = await temporaryFolder()
  const { rendering, container, pod, of } = bed()
  of('Secret', 'word').data = { other: 'eA==' }
  await assert.rejects(
    layOut(container, { spec: pod }, rendering, { folder: folder.path }),
    /WORD: Secret\/word has no key password/,
  )
  container.env = [{ name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }]
  await assert.rejects(
    layOut(container, { spec: pod }, rendering, { folder: folder.path }),
    /NAME: what is metadata\.name\?/,
  )
  of('ConfigMap', 'edge').data = { 'other.yaml': 'x' }
  await assert.rejects(
    layOut(container, { spec: pod }, rendering, { folder: folder.path }),
    /ConfigMap\/edge has no key edge\.yaml/,
  )
})
