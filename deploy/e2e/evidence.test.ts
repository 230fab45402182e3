import assert from 'node:assert/strict'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { collect } from './evidence.ts'
import { Kubectl } from './kubectl.ts'
import { FakePrograms, type Rule } from './test/fake-programs.ts'

const PODS = { items: [{ metadata: { name: 'edge-0' }, spec: { containers: [] } }] }

async function collected(t: TestContext, ...rules: readonly Rule[]) {
  const folder = await temporaryFolder('e2e')
  t.after(() => folder.remove())
  const programs = await FakePrograms.put(folder.path, rules)
  t.after(() => programs.takeAway())
  const evidence = join(folder.path, 'data', 'cut-node')
  await collect(new Kubectl('posthouse-e2e'), evidence)
  const read = (file: string) => readFile(join(evidence, file), 'utf8')
  return { files: (await readdir(evidence)).toSorted(), read }
}

test('logs of every pod are kept, also of the container before the one that runs, and what the cluster says of them', async (t) => {
  const { files, read } = await collected(
    t,
    { call: '^kubectl get pods', says: PODS },
    { call: '^kubectl logs edge-0 .*--previous', says: 'before' },
    { call: '^kubectl logs edge-0 ', says: 'now' },
    { call: '^kubectl get events', says: 'events' },
    { call: '^kubectl get all', says: 'objects' },
    { call: '^kubectl describe nodes', says: 'nodes' },
    { call: '^kubectl describe pods', says: 'pods' },
  )
  assert.deepEqual(files, ['edge-0.before.log', 'edge-0.log', 'events.txt', 'nodes.txt', 'objects.txt', 'pods.txt'])
  assert.equal(await read('edge-0.before.log'), 'before')
  assert.equal(await read('edge-0.log'), 'now')
})

test('what cannot be had is told in its place, and keeps nothing else from being kept', async (t) => {
  const { files, read } = await collected(
    t,
    { call: '^kubectl get pods', says: PODS },
    { call: '^kubectl get events', status: 1, complains: 'forbidden' },
    { call: '^kubectl logs edge-0 .*--previous', status: 1, complains: 'no container before' },
    { call: '^kubectl logs', says: 'now' },
    { call: '^kubectl (get|describe)', says: '' },
  )
  assert.deepEqual(files, ['edge-0.before.log', 'edge-0.log', 'events.txt'])
  assert.equal(await read('events.txt'), 'forbidden')
  assert.equal(await read('edge-0.log'), 'now')
})

test('without a word of the pods the rest is kept', async (t) => {
  const { files } = await collected(
    t,
    { call: '^kubectl get pods', status: 1, complains: 'no answer' },
    { call: '^kubectl', says: 'x' },
  )
  assert.deepEqual(files, ['events.txt', 'nodes.txt', 'objects.txt', 'pods.txt'])
})
