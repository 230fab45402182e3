import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { tethered } from '@posthouse/testkit/child-process'
import { History } from './history.ts'
import { judge, reconcile } from './ledger.ts'
import { composeMessage } from './message.ts'
import { seededRandom } from './random.ts'
import { send } from './sender.ts'
import { startSink } from './sink.ts'

const MESSAGES = 40

/** Sends through a relay in another process that has the faults planted. */
async function through(t: TestContext, planted: Record<string, number>) {
  const history = new History()
  const sink = await startSink({ traceHeaders: 1, record: (arrival) => history.arrivals.push(arrival) })
  t.after(() => sink.close())
  const program = join(import.meta.dirname, 'faulty-relay.ts')
  const argument = JSON.stringify({ ...planted, sinkPort: sink.port })
  const relay = spawn(...tethered(process.execPath, [program, argument], 'SIGKILL'), {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => relay.kill('SIGKILL'))
  const [line] = (await once(createInterface({ input: relay.stdout }), 'line')) as [string]
  const random = seededRandom(11)
  let turn = 0
  await send({
    targets: [{ host: '127.0.0.1', port: Number(line), tls: 'none' }],
    sessions: 3,
    connections: 'kept',
    rate: 0,
    retryUnknown: false,
    giveUpMs: 10_000,
    record: (attempt) => history.attempts.push(attempt),
    next: () => {
      if (turn >= MESSAGES) return undefined
      const how = {
        random,
        size: 4000,
        recipients: 1,
        sender: 'a@sender.example',
        domain: 'sink.example',
        date: new Date(),
      }
      return composeMessage(`m${++turn}`, how)
    },
  })
  return reconcile(history.attempts, history.arrivals, 0)
}

const EXPECTED = {
  'an honest relay is sound': [{}, { lost: 0, duplicates: 0, altered: 0, unexpected: 0 }, 'sound'],
  'a planted loss is found': [{ loseAt: 13 }, { lost: 1, duplicates: 0, altered: 0, unexpected: 0 }, 'faulty'],
  'a planted duplicate is found': [{ doubleAt: 20 }, { lost: 0, duplicates: 1, altered: 0, unexpected: 0 }, 'sound'],
  'a planted alteration of one bit is found': [
    { alterAt: 7 },
    { lost: 0, duplicates: 0, altered: 1, unexpected: 0 },
    'faulty',
  ],
  'a planted stranger is found': [{ inventAt: 31 }, { lost: 0, duplicates: 0, altered: 0, unexpected: 1 }, 'faulty'],
  'all at once are told apart': [
    { loseAt: 5, doubleAt: 6, alterAt: 7, inventAt: 8 },
    { lost: 1, duplicates: 1, altered: 1, unexpected: 1 },
    'faulty',
  ],
} as const

for (const [name, [planted, found, judgement]] of Object.entries(EXPECTED)) {
  test(name, async (t) => {
    const ledger = await through(t, planted)
    const { lost, duplicates, altered, unexpected } = ledger
    assert.equal(ledger.accepted, MESSAGES)
    assert.deepEqual({ lost, duplicates, altered, unexpected }, found)
    assert.equal(judge(ledger), judgement)
  })
}
