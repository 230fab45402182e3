import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeadLettersAnswer, DeadLettersQuestion } from '@posthouse/queue/dead-letter-port'
import { posthouse } from './test/fake-world.ts'

const environment = { POSTHOUSE_NATS_SERVERS: '127.0.0.1:4222' }
const ANSWER: DeadLettersAnswer = {
  node: 'admin-1',
  webhooks: [
    {
      webhook: 'crm',
      count: 7,
      letters: [{ event: '3.9.0', message: 'SF9QQAHP00003', reason: 'status 410', time: '2026-11-01T12:00:00.000Z' }],
    },
    { webhook: 'audit', count: 0, letters: [] },
  ],
}

function ask(args: readonly string[], answer = ANSWER, asked: DeadLettersQuestion[] = []) {
  const deadLetters = (question: DeadLettersQuestion) => {
    asked.push(question)
    return Promise.resolve(answer)
  }
  return posthouse(['webhook', 'dead-letters', ...args], { environment, deadLetters })
}

test('dead letters are told by webhook, with their reasons', async () => {
  const said = await ask([])
  assert.deepEqual([said.status, said.errors], [0, ''])
  assert.match(said.output, /^crm: 7$/m)
  assert.match(said.output, /2026-11-01T12:00:00\.000Z +SF9QQAHP00003 +3\.9\.0 +status 410/)
  assert.match(said.output, /^audit: none$/m)
})

test('--json is the answer as it is', async () => {
  assert.deepEqual(JSON.parse((await ask(['--json'])).output), ANSWER)
})

test('the webhook and how many are asked for', async () => {
  const asked: DeadLettersQuestion[] = []
  await ask(['--webhook', 'crm', '--limit', '5'], ANSWER, asked)
  await ask([], ANSWER, asked)
  assert.deepEqual(asked, [{ webhook: 'crm', limit: 5 }, { limit: 20 }])
})

test('what cannot be is said in one line', async () => {
  const wrong = await ask(['--limit', '0'])
  assert.equal(wrong.status, 64)
  assert.match(wrong.errors, /^posthouse: --limit: must be a number from 1 to 100/)
  const none = await ask(['--webhook', 'x'], { node: 'admin-1', webhooks: [] })
  assert.equal(none.status, 1)
  assert.match(none.errors, /admin-1 has no webhook x/)
  assert.match((await ask([], { node: 'admin-1', webhooks: [] })).output, /admin-1 has no webhooks/)
})
