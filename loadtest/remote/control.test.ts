import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { startControl } from './control.ts'
import type { PhaseSummary } from './phase-summary.ts'
import { RemoteLoad, type Status } from './remote-load.ts'
import { TestEdge } from './test-edge.ts'
import type { Verdict } from './verdict.ts'

interface Answer<T> {
  readonly status: number
  readonly value: T
}

async function controlled(t: TestContext) {
  const edge = await TestEdge.start()
  t.after(() => edge[Symbol.asyncDispose]())
  const load = await RemoteLoad.start({
    ways: { edges: [{ host: '127.0.0.1', port: edge.mx.port, tls: 'none' }], submissions: [] },
    sender: 'load@sender.example',
    domain: 'sink.example',
    rate: 0,
    sessions: 4,
    seed: 1,
    largest: 64 * 1024,
    deferEvery: 0,
    mostMessages: 1_000_000,
    traceHeaders: 1,
    sink: { host: '127.0.0.1', port: 0 },
  })
  t.after(() => load[Symbol.asyncDispose]())
  edge.deliversTo(load.sinkPort)
  const ended: unknown[] = []
  const control = await startControl({ load, host: '127.0.0.1', port: 0, ended: (phase) => ended.push(phase) })
  t.after(() => control[Symbol.asyncDispose]())
  const ask = async <T = { error: string }>(method: string, path: string, body?: unknown): Promise<Answer<T>> => {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
    const response = await fetch(`http://127.0.0.1:${control.port}${path}`, {
      method,
      ...(text === undefined ? {} : { body: text }),
    })
    return { status: response.status, value: (await response.json()) as T }
  }
  const accepted = async (messages: number) => {
    while ((load.status().phase?.accepted ?? 0) < messages) await turn()
  }
  return { ask, accepted, ended }
}

test('a whole run over HTTP: rate, phases, stop, drain, verdict', async (t) => {
  const { ask, accepted, ended } = await controlled(t)
  assert.deepEqual(await ask('GET', '/livez'), { status: 200, value: { status: 'ok' } })
  const fresh = await ask<Status>('GET', '/status')
  assert.deepEqual([fresh.value.state, fresh.value.rate, fresh.value.phase?.name], ['running', 0, 'start'])
  assert.deepEqual((await ask('POST', '/rate', { messagesPerSecond: 500 })).value, { messagesPerSecond: 500 })
  await accepted(20)
  const start = await ask<PhaseSummary>('POST', '/phase', { name: 'scaled up' })
  assert.deepEqual([start.value.name, start.value.ended === null], ['start', false])
  assert.ok(start.value.accepted >= 20)
  const again = await ask<PhaseSummary>('POST', '/phase', { name: 'scaled up' })
  assert.deepEqual(again.value, start.value)
  assert.deepEqual(ended, [start.value])
  await accepted(20)
  assert.equal((await ask<Verdict>('GET', '/verdict')).value.judgement, 'undecided')
  assert.equal((await ask<Status>('POST', '/stop')).value.state, 'stopped')
  const drained = await ask<{ complete: boolean; open: { recipients: number } }>('POST', '/drain', { seconds: 60 })
  assert.deepEqual([drained.value.complete, drained.value.open.recipients], [true, 0])
  const { value: verdict } = await ask<Verdict>('GET', '/verdict?queued=0')
  assert.deepEqual([verdict.judgement, verdict.lost, verdict.phases.length], ['sound', 0, 2])
  const late = await ask('POST', '/rate', { messagesPerSecond: 1 })
  assert.equal(late.status, 409)
})

const WRONG: readonly [method: string, path: string, body: unknown, status: number, says: RegExp][] = [
  ['GET', '/nothing', undefined, 404, /GET \/status/],
  ['GET', '/phase', undefined, 405, /POST \/phase/],
  ['POST', '/status', {}, 405, /GET \/status/],
  ['GET', '/__proto__', undefined, 404, /there are/],
  ['POST', '/phase', {}, 400, /name/],
  ['POST', '/phase', { name: '' }, 400, /name/],
  ['POST', '/phase', { name: 'x'.repeat(201) }, 400, /200/],
  ['POST', '/phase', 'no JSON', 400, /JSON object/],
  ['POST', '/phase', [], 400, /JSON object/],
  ['POST', '/phase', { name: 'x'.repeat(70_000) }, 413, /octets/],
  ['POST', '/rate', {}, 400, /messagesPerSecond/],
  ['POST', '/rate', { messagesPerSecond: -1 }, 400, /messagesPerSecond/],
  ['POST', '/rate', { messagesPerSecond: '5' }, 400, /messagesPerSecond/],
  ['POST', '/drain', {}, 400, /seconds/],
  ['POST', '/stop', { seconds: 1e9 }, 400, /seconds/],
  ['GET', '/verdict?queued=many', undefined, 400, /queued/],
]

test('a wrong question is answered with a sentence and changes nothing', async (t) => {
  const { ask, ended } = await controlled(t)
  for (const [method, path, body, status, says] of WRONG) {
    const answer = await ask(method, path, body)
    assert.equal(answer.status, status, `${method} ${path}`)
    assert.match(answer.value.error, says)
  }
  const { value } = await ask<Status>('GET', '/status')
  assert.deepEqual([value.state, value.rate, value.phase?.name, ended], ['running', 0, 'start', []])
})
