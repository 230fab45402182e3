import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { Kubectl } from './kubectl.ts'
import { askServers } from './nats.ts'
import { leaders, notCurrent } from './streams.ts'
import { FakePrograms, type Rule } from './test/fake-programs.ts'

const pod = (name: string) => ({ metadata: { name }, spec: { containers: [{ name: 'nats' }] } })
const PODS = ['nats-0', 'nats-1', 'nats-2'].map(pod)

/** As a server tells it, under a name of its own. */
function jsz(leader: string) {
  const replicas = [{ name: 'nats-1', current: true }]
  const stream = { name: 'MAIL_0', config: { num_replicas: 2 }, cluster: { leader, replicas } }
  return { server_id: 'NDJ', account_details: [{ stream_detail: [stream] }] }
}

async function asked(t: TestContext, ...rules: readonly Rule[]) {
  const folder = await temporaryFolder('e2e')
  t.after(() => folder.remove())
  const programs = await FakePrograms.put(folder.path, rules)
  t.after(() => programs.takeAway())
  const answers = await askServers(new Kubectl('posthouse-e2e'), PODS)
  return { answers, lines: await programs.lines(/./) }
}

test('each server is asked in its own pod, on its own loopback, and known by the name of the pod', async (t) => {
  const { answers, lines } = await asked(t, { call: '^kubectl exec', says: jsz('nats-0') })
  assert.deepEqual(
    answers.map(({ server }) => server),
    ['nats-0', 'nats-1', 'nats-2'],
  )
  assert.equal(lines.length, PODS.length)
  for (const line of lines) assert.match(line, /--container=nats -- .* http:\/\/127\.0\.0\.1:8222\/jsz\?/)
  assert.deepEqual(leaders(answers), [['nats-0', 1]])
})

test('one that does not answer, or not in JSON, is left out, and so missed', async (t) => {
  const { answers } = await asked(
    t,
    { call: '^kubectl exec nats-0', says: jsz('nats-0') },
    { call: '^kubectl exec nats-1', status: 1, complains: 'cannot exec' },
    { call: '^kubectl exec nats-2', says: '404 page not found' },
  )
  assert.deepEqual(
    answers.map(({ server }) => server),
    ['nats-0'],
  )
  const expected = { servers: 3, streams: 1, replicas: 2 }
  assert.deepEqual(notCurrent(answers, expected), ['2 of 3 NATS servers do not answer'])
})
