import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { History } from '../history.ts'
import { accountsOf, reconcile } from '../ledger.ts'
import { seededRandom } from '../random.ts'
import { startSink, type SinkScript } from '../sink.ts'
import { isRefusedAddress, startMixedLoad } from './mixed-load.ts'

const DOMAINS = ['site-1.example', 'site-2.example', 'site-3.example']

/** Against a lone sink, until so many tries have been told; answers with what happened. */
async function load(seed: number, attempts: number, script: SinkScript = {}, stopMs?: number) {
  const history = new History()
  await using sink = await startSink({
    traceHeaders: 0,
    ...script,
    record: (arrival) => history.arrivals.push(arrival),
  })
  const running = startMixedLoad({
    targets: () => [{ host: sink.host, port: sink.port, tls: 'none' }],
    domains: DOMAINS,
    userAddress: 'user@posthouse.example',
    random: seededRandom(seed),
    rate: 0,
    sessions: 12,
    largest: 2 * 1024 * 1024,
    record: (attempt) => history.attempts.push(attempt),
  })
  while (sink.statistics.messages < attempts) await setImmediate()
  const sent = await running.stop(stopMs)
  return { history, sent, accepted: running.accepted, statistics: sink.statistics }
}

test('what the load sends is taken, whole and once, and all kinds of mail are in it early', async () => {
  const { history, accepted, sent } = await load(1, 400)
  const { attempts, arrivals } = history
  const ledger = reconcile(attempts, arrivals, 0)
  assert.deepEqual([ledger.lost, ledger.altered, ledger.unexpected, ledger.duplicates, sent.unsent], [0, 0, 0, 0, 0])
  assert.equal(ledger.delivered, attempts.flatMap(({ recipients }) => recipients).length)
  assert.equal(accepted, attempts.length)
  const most = Math.max(...attempts.map(({ recipients }) => recipients.length))
  assert.ok(most >= 100 && most <= 200, String(most))
  const spread = attempts.map(({ recipients }) => new Set(recipients.map((recipient) => recipient.split('@')[1])).size)
  assert.deepEqual(
    [...new Set(spread)].toSorted((a, b) => a - b),
    [1, 2, 3],
  )
  assert.equal(accountsOf(attempts, []).size, ledger.accepted, 'an address was used twice')
  const refused = attempts.filter(({ recipients }) => recipients.some(isRefusedAddress))
  assert.ok(refused.length > 0 && refused.length < 40)
  assert.ok(refused.every(({ recipients }) => recipients.filter(isRefusedAddress).length === 1))
})

test('the same seed draws the same mail, whatever the order in which the clients get on', async () => {
  const drawn = async (seed: number) => {
    const { history } = await load(seed, 200)
    const early = history.attempts.filter(({ id }) => Number(id.split('-')[2]) <= 5)
    return early.map(({ id, recipients }) => [id, ...recipients].join(' ')).toSorted()
  }
  const one = await drawn(2)
  assert.ok(one.length > 20)
  assert.deepEqual(await drawn(2), one)
  assert.notDeepEqual(await drawn(3), one)
})

test('what gets no answer is given up when the load is stopped, and its fate is unknown', async () => {
  const { history, statistics } = await load(4, 3, { hangEvery: 1 }, 0)
  assert.equal(history.arrivals.length, 0)
  assert.ok(history.attempts.length >= 3)
  assert.ok(history.attempts.length >= statistics.messages) // a connection may be closed while the content is on its way
  assert.ok(history.attempts.every(({ told }) => told === 'unknown'))
})
