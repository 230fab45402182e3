import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { Kubectl } from './kubectl.ts'
import { claim, claimOn, createNamespace, namespaceObject, removeNamespace } from './namespace.ts'
import { FakePrograms, type Rule } from './test/fake-programs.ts'

const OURS = { metadata: { name: 'posthouse-e2e', labels: { 'app.kubernetes.io/managed-by': 'posthouse-e2e' } } }
const PLENTY_MS = 60_000

async function cluster(t: TestContext, ...rules: readonly Rule[]) {
  const folder = await temporaryFolder('e2e')
  t.after(() => folder.remove())
  const programs = await FakePrograms.put(folder.path, rules)
  t.after(() => programs.takeAway())
  return { programs, kubectl: new Kubectl('posthouse-e2e') }
}

test('a namespace is free, our own from an earlier run, or somebody else’s', () => {
  assert.equal(claimOn(undefined), 'free')
  assert.equal(claimOn(OURS), 'left over')
  assert.equal(claimOn({ metadata: { name: 'posthouse-e2e' } }), 'foreign')
  assert.equal(
    claimOn({ metadata: { name: 'posthouse-e2e', labels: { 'app.kubernetes.io/managed-by': 'Helm' } } }),
    'foreign',
  )
})

test('what is created is known again as our own, and lets only restricted pods in', () => {
  const made = namespaceObject('posthouse-e2e') as { metadata: { name: string; labels: Record<string, string> } }
  assert.equal(claimOn(made), 'left over')
  assert.equal(made.metadata.labels['pod-security.kubernetes.io/enforce'], 'restricted')
})

test('the object is created, not applied: one that appeared meanwhile is not taken over', async (t) => {
  const exists: Rule = { call: '^kubectl create', status: 1, complains: 'already exists' }
  const { kubectl, programs } = await cluster(t, exists)
  await assert.rejects(createNamespace(kubectl), /already exists/)
  const [call] = await programs.calls()
  assert.deepEqual(JSON.parse(call?.input ?? ''), namespaceObject('posthouse-e2e'))
})

test('a cluster that does not answer is no free namespace', async (t) => {
  const { kubectl } = await cluster(t, { call: '^kubectl get namespace', status: 1, complains: 'connection refused' })
  await assert.rejects(claim(kubectl), /the cluster does not answer: connection refused/)
})

for (const [what, says] of [
  ['somebody else’s', { metadata: { name: 'posthouse-e2e' } }],
  ['one that is not there', ''],
] as const) {
  test(`${what} is not removed`, async (t) => {
    const { kubectl, programs } = await cluster(t, { call: '^kubectl get namespace', says })
    await removeNamespace(kubectl, PLENTY_MS)
    assert.deepEqual(await programs.lines(/delete/), [])
  })
}

test('pods that are in no hurry get half of the time, and are then ended', async (t) => {
  const { kubectl, programs } = await cluster(
    t,
    { call: '^kubectl get namespace', says: OURS },
    { call: '^kubectl delete pods', sets: 'ended' },
    { call: '^kubectl delete namespace' },
    { call: '^kubectl wait', when: 'ended' },
    { call: '^kubectl wait', status: 1, complains: 'timed out' },
  )
  await removeNamespace(kubectl, PLENTY_MS)
  assert.deepEqual(
    (await programs.lines(/^kubectl (delete|wait)/)).map((line) => line.split(' ').slice(0, 3).join(' ')),
    [
      'kubectl delete namespace',
      'kubectl wait namespace/posthouse-e2e',
      'kubectl delete pods',
      'kubectl wait namespace/posthouse-e2e',
    ],
  )
})

test('one that does not go is told, with how to remove it', async (t) => {
  const { kubectl } = await cluster(
    t,
    { call: '^kubectl get namespace', says: OURS },
    { call: '^kubectl delete' },
    { call: '^kubectl wait', status: 1 },
  )
  await assert.rejects(removeNamespace(kubectl, PLENTY_MS), /is still there: kubectl delete namespace posthouse-e2e/)
})
