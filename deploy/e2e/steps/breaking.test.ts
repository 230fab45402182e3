import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { list, pod } from '../test/fake-cluster.ts'
import type { Rule } from '../test/fake-programs.ts'
import { outcomes, play, told } from '../test/play.ts'

const pods = (component: string, ...all: readonly object[]): Rule => ({
  call: `^kubectl get pods .*=${component} `,
  says: list(...all),
})
/** The crash itself, and the pod after it: the first exec in the container of the component marks it. */
function crashed(component: string, restarts: number, status: number): Rule[] {
  const [before, after] = [pod(component, 0, 'node1'), pod(component, 0, 'node1', restarts, status)]
  return [
    { call: `^kubectl exec ${component}-0 [^]*(reallyExit|kill -QUIT)`, status: 137, sets: 'crashed' },
    { ...pods(component, after), when: 'crashed' },
    pods(component, before),
  ]
}

for (const [component, status] of [
  ['edge', 113],
  ['delivery', 113],
] as const) {
  test(`crash-${component}: passes when the container was started again in the same pod after that very end`, async (t) => {
    const name = `crash-${component}`
    const rules = [...crashed(component, 1, status), told(name)]
    const { result, programs } = await play(t, { rules, only: [name] })
    assert.deepEqual(result.failures, [])
    assert.equal(outcomes(result)[name], 'passed')
    assert.deepEqual(await programs.lines(/delete pod/), [])
    const { notes } = result.steps.find((step) => step.name === name) ?? assert.fail()
    assert.deepEqual(notes, [`${component}-0 on node1 crashed (exit status 113), and was started again`])
  })
}

test('crash-nats: the server that leads most streams', async (t) => {
  const { result, programs } = await play(t, {
    rules: [
      { call: '^kubectl exec nats-0 .*kill -QUIT', status: 137, sets: 'crashed' },
      {
        ...pods('nats', pod('nats', 0, 'node1', 1, 2), pod('nats', 1, 'node1'), pod('nats', 2, 'node2')),
        when: 'crashed',
      },
      told('crash-nats'),
    ],
    only: ['crash-nats'],
  })
  assert.deepEqual(result.failures, [])
  assert.equal((await programs.lines(/kill -QUIT/)).length, 1)
})

test('a process that ended in another way has not crashed as it should: the step fails', async (t) => {
  const { result } = await play(t, { rules: crashed('edge', 1, 0), only: ['crash-edge'] })
  assert.equal(outcomes(result)['crash-edge'], 'failed')
  assert.ok(result.failures.includes('crash-edge: edge-0 ended with exit status 0, a crash would be 113'))
})

test('a process that goes on has not crashed: the step fails, with what the crash said', async (t) => {
  const deaf: Rule = { call: '^kubectl exec edge-0 [^]*reallyExit', status: 1, complains: 'process 1 lets nobody in' }
  const { result } = await play(t, { rules: [deaf], only: ['crash-edge'], options: { timeoutMs: 1 } })
  assert.equal(outcomes(result)['crash-edge'], 'failed')
  assert.match(result.failures.join('\n'), /crash-edge: edge-0 has crashed: .*\(process 1 lets nobody in\)/)
})

test('mail of a crashed delivery node that comes too late misses its bar', async (t) => {
  const late = told('crash-delivery', { deliveryMs: { p99: 10, longest: 25_000 } })
  const { result } = await play(t, { rules: [...crashed('delivery', 1, 113), late], only: ['crash-delivery'] })
  assert.deepEqual(result.failures, ['crash-delivery: longest delivery: 25.0 s, the bar is 20 s'])
})

/** node2 is not ready from the time it is broken until it is given back. */
function nodeThatGoes(how: 'cut' | 'kill', back: 'heal' | 'start'): { rules: Rule[]; nodeCommand: string } {
  const node = (status: string): object => ({
    metadata: { name: 'node2' },
    spec: {},
    status: { conditions: [{ type: 'Ready', status }] },
  })
  return {
    // The command is a program as well: it is called through one of the stand-ins.
    nodeCommand: 'kubectl break',
    rules: [
      { call: `^kubectl break node2 ${how}$`, sets: 'gone' },
      { call: `^kubectl break node2 ${back}$`, clears: 'gone' },
      { call: '^kubectl get node node2', says: node('False'), when: 'gone' },
      { call: '^kubectl get node node2', says: node('True') },
    ],
  }
}

test('a node is lost with an edge and a delivery node on it: they are put there before the step’s own time begins', async (t) => {
  const { rules, nodeCommand } = nodeThatGoes('cut', 'heal')
  const together = pods('edge', pod('edge', 0, 'node1'), pod('edge', 1, 'node1'))
  const apart = pods('edge', pod('edge', 0, 'node2'), pod('edge', 1, 'node1'))
  const { result, programs } = await play(t, {
    rules: [
      ...rules,
      { call: '^kubectl delete pod edge-0 ', sets: 'apart' },
      { ...apart, when: 'apart' },
      together,
      told('cut-node', { gaps: { longestMs: 9000, from: null } }),
    ],
    only: ['cut-node'],
    options: { nodeCommand },
  })
  assert.deepEqual(result.failures, [])
  const lines = await programs.lines(/delete pod|phase cut-node|break node2/)
  assert.deepEqual(
    lines.map((line) => /delete pod edge-0|phase cut-node|break node2 \w+/.exec(line)?.[0]),
    ['delete pod edge-0', 'phase cut-node', 'break node2 cut', 'break node2 heal'],
  )
})

test('a step without a bar leaves its logs though it passed; one with a bar that held does not', async (t) => {
  const { rules, nodeCommand } = nodeThatGoes('kill', 'start')
  const { result, data } = await play(t, {
    rules: [...rules, told('kill-node'), told('calm')],
    only: ['calm', 'kill-node'],
    options: { nodeCommand },
  })
  assert.deepEqual(result.failures, [])
  assert.equal(existsSync(join(data, 'kill-node')), true)
  assert.equal(existsSync(join(data, 'calm')), false)
})

test('pods that will not come apart keep the node from being broken', async (t) => {
  const { rules, nodeCommand } = nodeThatGoes('cut', 'heal')
  const together = pods('delivery', pod('delivery', 0, 'node1'), pod('delivery', 1, 'node1'))
  const { result, programs } = await play(t, {
    rules: [...rules, together],
    only: ['cut-node'],
    options: { nodeCommand },
  })
  assert.equal(outcomes(result)['cut-node'], 'failed')
  assert.match(result.failures.join('\n'), /delivery: 0 of 2 pods run on node2; some, but not all, should/)
  assert.deepEqual(await programs.lines(/break node2/), [])
})
