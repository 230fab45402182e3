import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { decodeAccepted } from '@posthouse/core/accepted-codec'
import type { PublishAnswer } from '@posthouse/core/answer'
import type { Envelope } from '@posthouse/core/record'
import { AcceptedLog } from './accepted-log.ts'
import { acceptedMail } from './events.contract.ts'

const STORED: PublishAnswer = { is: 'stored', seq: 1, duplicate: false }

/** A log whose clock and answers are the test's. */
function openLog(t: TestContext, answer: () => Promise<PublishAnswer> = () => Promise.resolve(STORED)) {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  let now = 0
  const appended: { readonly partition: number; readonly id: string; readonly messages: readonly string[] }[] = []
  const untold: number[] = []
  const log = new AcceptedLog({
    store: {
      partitions: 2,
      appendAccepted: (partition, id, header) => {
        appended.push({ partition, id, messages: decodeAccepted(header).map((message) => message.id) })
        return answer()
      },
    },
    now: () => now,
    untold: (messages) => untold.push(messages),
  })
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 500) {
      now += 500
      t.mock.timers.tick(500)
      // What was begun goes on.
      for (let turn = 0; turn < 10; turn++) await Promise.resolve()
    }
  }
  return { log, appended, untold, pass }
}

const envelope = (id: string, recipients = 1): Envelope => acceptedMail(id, recipients).envelope

test('what has an outcome soon is not told by the edge', async (t) => {
  const { log, appended, pass } = openLog(t)
  log.stored(0, 7, [envelope('a'), envelope('b')])
  await pass(2000)
  log.floor(0, 8)
  await pass(10_000)
  assert.deepEqual(appended, [])
  await log.close()
})

test('what lies open for some seconds is told, together, once, in its partition', async (t) => {
  const { log, appended, pass } = openLog(t)
  log.stored(0, 7, [envelope('closed')])
  log.stored(0, 8, [envelope('a'), envelope('b')])
  log.stored(1, 3, [envelope('c')])
  log.floor(0, 8)
  await pass(20_000)
  assert.deepEqual(
    appended.map(({ partition, messages }) => [partition, messages]),
    [
      [0, ['a', 'b']],
      [1, ['c']],
    ],
  )
  await log.close()
})

test('a try without an answer is repeated unchanged', async (t) => {
  const answers: PublishAnswer[] = [{ is: 'unanswered' }, { is: 'refused', why: 'no-leader' }, STORED]
  const { log, appended, untold, pass } = openLog(t, () => Promise.resolve(answers.shift() ?? STORED))
  log.stored(0, 1, [envelope('a')])
  await pass(10_000)
  assert.equal(appended.length, 3)
  assert.equal(new Set(appended.map(({ id }) => id)).size, 1)
  assert.deepEqual(untold, [])
  await log.close()
})

test('a full log is left alone, and what it does not take is counted', async (t) => {
  const { log, appended, untold, pass } = openLog(t, () => Promise.resolve({ is: 'refused', why: 'full' }))
  log.stored(0, 1, [envelope('a'), envelope('b')])
  await pass(10_000)
  assert.equal(appended.length, 1)
  assert.deepEqual(untold, [2])
  await log.close()
})

test('as long as nobody answers no more than so much is kept, and the rest is counted', async (t) => {
  const { log, untold } = openLog(t, () => new Promise(() => {}))
  const one = envelope('a')
  for (let seq = 1; seq <= 1000; seq++) log.stored(0, seq, new Array<Envelope>(100).fill(one))
  await new Promise((resolve) => setImmediate(resolve))
  const kept = 100_000 - untold.reduce((sum, count) => sum + count, 0)
  assert.ok(kept > 0 && kept <= 26_000, `${kept} are kept`)
})

test('very many recipients are told in parts that fit', async (t) => {
  const { log, appended, untold, pass } = openLog(t)
  log.stored(0, 1, [envelope('many', 10_000)])
  await pass(10_000)
  assert.ok(appended.length > 1)
  assert.deepEqual(untold, [])
  await log.close()
})

test('an edge that stops tells what it still has', async (t) => {
  const { log, appended } = openLog(t)
  log.stored(0, 1, [envelope('a')])
  await log.close()
  assert.deepEqual(
    appended.map(({ messages }) => messages),
    [['a']],
  )
})
