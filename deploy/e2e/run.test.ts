import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { phase, verdict } from './test/fake-cluster.ts'
import type { FakePrograms, Rule } from './test/fake-programs.ts'
import { around, outcomes, play, quick, told } from './test/play.ts'

test('a run installs into a namespace of its own that enforces the restricted standard, and leaves nothing', async (t) => {
  const { result, programs } = await play(t, { rules: [told('wait')], steps: around(quick('wait')) })
  assert.deepEqual(result.failures, [])
  assert.equal(result.passed, true)
  assert.deepEqual(outcomes(result), {
    install: 'passed',
    load: 'passed',
    wait: 'passed',
    drain: 'passed',
    uninstall: 'passed',
  })
  assert.deepEqual(result.mail, { ...result.mail, messages: 600, recipients: 700, lost: 0, altered: 0, unexpected: 0 })
  const created = (await programs.calls()).find(({ line }) => line.startsWith('kubectl create'))
  assert.match(created?.input ?? '', /"pod-security.kubernetes.io\/enforce":"restricted"/)
  const calls = await programs.lines(/^(helm (install|uninstall)|kubectl (create|delete namespace))/)
  assert.deepEqual(
    calls.map((line) => line.split(' ').slice(0, 2).join(' ')),
    ['kubectl create', 'helm install', 'helm uninstall', 'kubectl delete'],
  )
})

test('the chart gets the image to upgrade from first, the routes to the sinks, and the namespace', async (t) => {
  const { programs } = await play(t, { steps: around() })
  const installed = (await programs.calls()).find(({ line }) => line.startsWith('helm install'))
  const values = JSON.parse(installed?.input ?? '') as {
    image: { tag: string }
    delivery: { settings: { route: { smarthosts: string[]; domains: object[] } } }
  }
  assert.equal(values.image.tag, '1')
  assert.deepEqual(values.delivery.settings.route.smarthosts, ['load.posthouse-e2e.svc.cluster.local:2525'])
  assert.equal(values.delivery.settings.route.domains.length, 1)
})

test('a namespace of somebody else is never touched', async (t) => {
  const foreign: Rule = { call: '^kubectl get namespace', says: { metadata: { name: 'posthouse-e2e', labels: {} } } }
  let programs: FakePrograms | undefined
  const has = (put: FakePrograms) => (programs = put)
  await assert.rejects(play(t, { rules: [foreign], has }), /was not made by this program/)
  const calls = (await programs?.lines(/./)) ?? []
  assert.ok(calls.some((line) => line.startsWith('kubectl get namespace')))
  assert.deepEqual(
    calls.filter((line) => /^helm [a-z]+ posthouse|^kubectl (create|delete|apply)/.test(line)),
    [],
  )
})

test('a step that misses a bar fails the run, the others go on, and logs are kept', async (t) => {
  const rules = [told('first', { refused: 2, gaps: { longestMs: 1500, from: null } }), told('second')]
  const { result, data } = await play(t, { rules, steps: around(quick('first'), quick('second')) })
  assert.equal(result.passed, false)
  assert.deepEqual(outcomes(result), {
    install: 'passed',
    load: 'passed',
    first: 'failed',
    second: 'passed',
    drain: 'passed',
    uninstall: 'passed',
  })
  assert.deepEqual(result.failures, ['first: time without a 250: 1.50 s, the bar is 1 s', 'first: 2 refused'])
  assert.ok(existsSync(join(data, 'first')))
})

test('a step that cannot be done keeps others from running only if all does not become well again', async (t) => {
  const breaks = quick('breaks', () => Promise.reject(new Error('it does not work')))
  const { result } = await play(t, { rules: [told('next')], steps: around(breaks, quick('next')) })
  assert.equal(outcomes(result).next, 'passed')
  assert.ok(result.failures.includes('breaks: it does not work'))
})

test('when all does not become well again the rest is not run, but what was accepted is judged and everything removed', async (t) => {
  const rules: Rule[] = [
    { call: '^kubectl scale', sets: 'broken' },
    { call: '^kubectl get deployments,statefulsets', says: { items: [] }, when: 'broken' },
  ]
  const breaks = quick('breaks', async (scene) => {
    await scene.kubectl.run(['scale', 'deployment/x'])
  })
  const steps = around(breaks, quick('next'))
  const { result, programs } = await play(t, { rules, steps, options: { timeoutMs: 1 } })
  assert.deepEqual(outcomes(result), {
    install: 'passed',
    load: 'passed',
    breaks: 'failed',
    next: 'not run',
    drain: 'passed',
    uninstall: 'passed',
  })
  assert.match(result.steps.find(({ name }) => name === 'next')?.why[0] ?? '', /breaks failed before it/)
  assert.equal((await programs.lines(/^kubectl delete namespace/)).length, 1)
})

test('lost mail fails the run though every step passed', async (t) => {
  const lost: Rule = { call: 'remote-control verdict', says: verdict({ judgement: 'faulty', lost: 3 }), status: 1 }
  const { result } = await play(t, { rules: [lost], steps: around() })
  assert.deepEqual(result.failures, ['mail: 3 lost'])
  assert.equal(result.mail?.lost, 3)
})

test('copies too many that came out in the end only are judged in the step they belong to', async (t) => {
  const late: Rule = { call: 'remote-control verdict', says: verdict({ phases: [phase('wait', { duplicates: 1 })] }) }
  const { result } = await play(t, { rules: [told('wait'), late], steps: around(quick('wait')) })
  assert.deepEqual(result.failures, ['wait: 1 copies too many'])
})

test('without --node-command no node is broken, and without --allow-drain none is drained: they are not run, not passed', async (t) => {
  const { result, programs } = await play(t, { only: ['drain-node', 'cut-node', 'kill-node'] })
  const of = outcomes(result)
  assert.deepEqual([of['drain-node'], of['cut-node'], of['kill-node']], ['not run', 'not run', 'not run'])
  assert.deepEqual(await programs.lines(/^kubectl (drain|cordon)/), [])
  assert.equal(result.passed, true)
})

test('a node is drained of this run’s own pods only, and uncordoned also when that fails', async (t) => {
  const rules: Rule[] = [{ call: '^kubectl drain', status: 1, complains: 'cannot evict' }]
  const { result, programs } = await play(t, { rules, only: ['drain-node'], options: { mayDrain: true } })
  assert.equal(outcomes(result)['drain-node'], 'failed')
  const [drained] = await programs.lines(/^kubectl drain/)
  assert.match(drained ?? '', /^kubectl drain node2 --pod-selector=posthouse-e2e\/run=[0-9a-f]{8} /)
  assert.equal((await programs.lines(/^kubectl uncordon node2/)).length, 1)
})

test('Ctrl-C ends what runs, and everything is put back', async (t) => {
  const rules: Rule[] = [{ call: '^helm test', hangs: true }]
  const { result, programs } = await play(t, {
    rules,
    only: ['helm-test'],
    hears: (line, stop) => line.startsWith('helm-test:') && stop.abort(),
  })
  assert.equal(result.passed, false)
  assert.equal(outcomes(result)['load'], 'not run')
  assert.deepEqual(result.left, [])
  assert.equal((await programs.lines(/^kubectl delete namespace/)).length, 1)
})

test('--keep leaves the release and the namespace', async (t) => {
  const { result, programs } = await play(t, { steps: around(), options: { keep: true } })
  assert.equal(outcomes(result)['uninstall'], 'not run')
  assert.deepEqual(await programs.lines(/uninstall|delete namespace/), [])
  assert.equal(result.passed, true)
})

test('what cannot be put back is told, and fails the run', async (t) => {
  const rules: Rule[] = [{ call: '^kubectl delete namespace', status: 1, complains: 'forbidden' }]
  const { result } = await play(t, { rules, steps: around() })
  assert.equal(result.left.length, 1)
  assert.match(result.failures.at(-1) ?? '', /^not put back: removing namespace posthouse-e2e: .*forbidden/)
})
