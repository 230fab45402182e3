import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod, Workload } from './objects.ts'
import { notReady } from './readiness.ts'

const READY = [{ type: 'Ready', status: 'True' }]

function deployment(status: Workload['status'], metadata: Partial<Workload['metadata']> = {}): Workload {
  return {
    kind: 'Deployment',
    metadata: { name: 'edge', generation: 2, ...metadata },
    spec: { replicas: 2 },
    status: status ?? {},
  }
}

const WELL = { observedGeneration: 2, replicas: 2, readyReplicas: 2, updatedReplicas: 2 }

function pod(parts: Partial<Pod> = {}): Pod {
  return {
    metadata: { name: 'edge-1' },
    spec: { nodeName: 'n1', containers: [] },
    status: { phase: 'Running', conditions: READY },
    ...parts,
  }
}

test('a release whose pods are ready and of the newest revision lacks nothing', () => {
  assert.deepEqual(notReady([deployment(WELL)], [pod()]), [])
})

const deployments: readonly [what: string, status: Workload['status'], line: RegExp][] = [
  ['a change that nobody has seen', { ...WELL, observedGeneration: 1 }, /its change has not been seen/],
  ['a pod that is not ready', { ...WELL, readyReplicas: 1 }, /1 of 2 ready/],
  ['a pod too many', { ...WELL, replicas: 3 }, /3 pods, wanted are 2/],
  ['a pod of the old revision', { ...WELL, updatedReplicas: 1 }, /1 of 2 updated/],
  ['a status that says nothing', {}, /not been seen/],
]
for (const [what, status, line] of deployments) {
  test(`${what} is waited for`, () => {
    const lines = notReady([deployment(status)], [])
    assert.equal(lines.length, 1)
    assert.match(lines[0] ?? '', line)
  })
}

test('a StatefulSet is updated when its current revision is the newest, whatever updatedReplicas says', () => {
  const set = (status: Workload['status']): Workload => ({ ...deployment(status), kind: 'StatefulSet' })
  const rolled = { observedGeneration: 2, replicas: 2, readyReplicas: 2, currentRevision: 'b', updateRevision: 'b' }
  assert.deepEqual(notReady([set(rolled)], []), [])
  assert.match(notReady([set({ ...rolled, currentRevision: 'a', updatedReplicas: 1 })], [])[0] ?? '', /1 of 2 updated/)
})

test('pods that end, that no node takes and that are not ready are waited for; one that has done its work is not', () => {
  const ending = pod({ metadata: { name: 'a', deletionTimestamp: '2026-01-01T00:00:00Z' } })
  const homeless = pod({
    metadata: { name: 'b' },
    status: { conditions: [{ type: 'PodScheduled', status: 'False', message: 'no room' }] },
  })
  const unready = pod({
    metadata: { name: 'c' },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'False' }] },
  })
  const finished = pod({ status: { phase: 'Succeeded' } })
  assert.deepEqual(notReady([], [ending, homeless, unready, finished]), [
    'pod a: is ending',
    'pod b: no node takes it (no room)',
    'pod c: not ready on n1',
  ])
})
