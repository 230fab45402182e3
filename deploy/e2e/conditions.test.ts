import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { conditionsOf, machinesOf } from './conditions.ts'
import { Helm, Kubectl } from './kubectl.ts'
import type { Node } from './objects.ts'
import type { Options } from './options.ts'
import { goodCluster } from './test/fake-cluster.ts'
import { FakePrograms } from './test/fake-programs.ts'

const image = (tag: string) => ({ repository: 'posthouse', tag, digest: '' })
const OPTIONS: Options = {
  image: image('2'),
  loadImage: image('l'),
  previousImage: image('1'),
  namespace: 'posthouse-e2e',
  chart: '/chart',
  values: [],
  only: [],
  rate: 25,
  nodeCommand: undefined,
  node: undefined,
  mayDrain: false,
  keep: false,
  json: false,
  writeDocs: false,
  timeoutMs: 60_000,
  data: '/data',
}

async function conditionsIn(t: TestContext, root: string) {
  const folder = await temporaryFolder('e2e')
  t.after(() => folder.remove())
  const programs = await FakePrograms.put(folder.path, goodCluster())
  t.after(() => programs.takeAway())
  const helm = new Helm({ ...OPTIONS, release: 'posthouse' })
  const places = { victim: 'node2', safe: 'node1', nodes: ['node1', 'node2'] }
  return conditionsOf(new Kubectl('posthouse-e2e'), helm, OPTIONS, places, root)
}

/** With one commit, of a source. */
async function checkout(t: TestContext) {
  const folder = await temporaryFolder('e2e')
  t.after(() => folder.remove())
  const git = (...args: readonly string[]) => {
    const who = ['-c', 'user.name=Test', '-c', 'user.email=test@e2e.example', '-c', 'commit.gpgsign=false']
    return execFileSync('git', ['-C', folder.path, ...who, ...args], { encoding: 'utf8' }).trim()
  }
  const write = async (path: string, text: string) => {
    await mkdir(join(folder.path, path, '..'), { recursive: true })
    await writeFile(join(folder.path, path), text)
  }
  git('init', '--quiet')
  await write('libs/a.ts', '1')
  git('add', '.')
  git('commit', '--quiet', '--message=one')
  return { root: folder.path, write, commit: git('rev-parse', '--short=10', 'HEAD') }
}

test('versions, images and machines are told, and how busy the machine was before', async (t) => {
  const { root, commit } = await checkout(t)
  const { date, loadBefore, ...told } = await conditionsIn(t, root)
  assert.match(date, /^\d{4}-\d\d-\d\d$/)
  assert.equal(loadBefore.length, 3)
  assert.ok(loadBefore.every((load) => load >= 0))
  assert.deepEqual(told, {
    kubernetes: '1.36.3',
    helm: '4.3.1',
    nodes: 2,
    machines: 1,
    cores: 2,
    memoryGiB: 8,
    platforms: ['Linux 6.12.1 amd64, containerd 2.1.0'],
    image: 'posthouse:2',
    previousImage: 'posthouse:1',
    commit,
    rate: 25,
    namespace: 'posthouse-e2e',
  })
})

test('sources that are not committed are told; what is generated is no source', async (t) => {
  const { root, write, commit } = await checkout(t)
  await write('docs/kubernetes.json', '{}')
  assert.equal((await conditionsIn(t, root)).commit, commit)
  await write('libs/a.ts', '2')
  assert.equal((await conditionsIn(t, root)).commit, `${commit} with changes`)
})

test('without git the commit is unknown', async (t) => {
  const folder = await temporaryFolder('e2e')
  t.after(() => folder.remove())
  assert.equal((await conditionsIn(t, folder.path)).commit, 'unknown')
})

function node(name: string, bootID?: string): Node {
  const nodeInfo =
    bootID === undefined ? {} : { nodeInfo: { bootID, kernelVersion: `6.${name}.0-x`, architecture: 'arm64' } }
  return { metadata: { name }, spec: {}, status: { capacity: { cpu: '4', memory: '4096Mi' }, ...nodeInfo } }
}

test('nodes on one kernel share its cores and memory; others add theirs', () => {
  const shared = machinesOf([node('1', 'x'), node('2', 'x')])
  assert.deepEqual([shared.machines, shared.cores, shared.memoryGiB], [1, 4, 4])
  const apart = machinesOf([node('1', 'x'), node('2', 'y'), node('3')])
  assert.deepEqual([apart.machines, apart.cores, apart.memoryGiB], [3, 12, 12])
  assert.equal(apart.platforms.length, 3)
  assert.equal(apart.platforms[0], 'Linux 6.1.0 arm64, unknown')
})

test('a node that tells nothing of itself counts as a machine of unknown size', () => {
  const told = machinesOf([{ metadata: { name: 'a' }, spec: {} }])
  assert.deepEqual([told.machines, told.cores, told.memoryGiB], [1, 0, 0])
})
