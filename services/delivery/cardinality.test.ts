import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RouteTable } from '@posthouse/core/route-table'
import { createLog } from '@posthouse/runtime/log'
import { MOST_SERIES } from '@posthouse/runtime/metrics/common'
import { createMetrics } from '@posthouse/runtime/metrics/registry'
import { off } from '@posthouse/runtime/tracing'
import { Closer } from './closer.ts'
import type { Dialled } from './dialler.ts'
import { Egress } from './egress.ts'
import { Engine } from './engine.ts'
import { metricsTable, MOST_SHOWN } from './metrics.ts'
import { unreachable } from './no-connection.ts'
import { watchEngine } from './observe.ts'
import { FakeDelivery } from './test/fake-delivery.ts'

const DESTINATIONS = 100_000
const CONNECTIONS = 2000

/** An engine as a node has it, but for the network: `dial` says what becomes of each connection. */
async function engineThat(connections: number, dial: (destination: string) => Promise<Dialled>) {
  const registry = createMetrics(metricsTable, { service: 'delivery', version: 'test' })
  const { metrics } = registry
  const log = await createLog({ level: 'fatal', format: 'json', base: {}, destination: { write: () => {} } })
  const routes = new RouteTable([], [])
  const now = (): number => 0
  const chance = (): number => 0.5
  const retry = { first: 60_000, longest: 3_600_000, lifetime: 86_400_000 }
  const closer = new Closer({
    hostname: 'relay.test',
    routes,
    retry,
    log,
    tracer: off,
    metrics,
    nextId: () => 'ID',
    wall: now,
    chance,
  })
  const engine = new Engine({
    routes,
    closer,
    limits: { connections: 20, messagesPerConnection: 100, ready: 1000, idleMs: 1000, parkAfterMs: Infinity },
    connections,
    recipientsPerTransaction: 100,
    dial,
    onLetGo: () => {},
    metrics,
    now,
    chance,
  })
  const addresses = Array.from({ length: 250 }, (_, i) => `127.0.1.${i}`)
  const resolve = () => Promise.resolve({ is: 'none' } as const)
  const egress = new Egress({ addresses, proxies: [], login: undefined, resolve, log, now })
  watchEngine(metrics, engine, egress)
  return { registry, engine, [Symbol.asyncDispose]: () => engine.close(0) }
}

const seriesIn = (text: string): string[] => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))

test(`${DESTINATIONS} destinations that wait make no more series than a few, and the largest are shown`, async () => {
  await using node = await engineThat(CONNECTIONS, () => new Promise(() => {}))
  const { engine, registry } = node
  for (let i = 0; i < DESTINATIONS; i++) {
    // The last ones have most.
    const mails = Math.max(1, i - DESTINATIONS + 31)
    for (let n = 0; n < mails; n++) engine.give(new FakeDelivery({ to: [`u@d${i}.example`], content: 'x' }))
  }
  assert.equal(engine.destinations, DESTINATIONS)
  assert.equal(engine.connections, CONNECTIONS)
  for (const accept of [undefined, 'application/openmetrics-text']) {
    const series = seriesIn((await registry.page(accept)).text)
    assert.ok(series.length < MOST_SERIES, `${series.length} series`)
    const ready = series.filter((line) => line.startsWith('posthouse_delivery_destination_ready{'))
    assert.deepEqual(
      ready,
      Array.from(
        { length: MOST_SHOWN },
        (_, i) => `posthouse_delivery_destination_ready{destination="d${DESTINATIONS - 1 - i}.example"} ${30 - i}`,
      ),
    )
    for (const metric of ['destination_connections', 'exit_failing'])
      assert.equal(series.filter((line) => line.startsWith(`posthouse_delivery_${metric}{`)).length, MOST_SHOWN, metric)
    assert.ok(series.includes(`posthouse_delivery_destinations ${DESTINATIONS}`))
  }
})

test(`${DESTINATIONS} destinations that nobody reaches are a number, and the replies of their hosts are few series`, async () => {
  const replies = ['421 busy', '450 later', '499 what', '554 no', '571 no', '299 odd', '999 odd', '12', '']
  let dialled = 0
  await using node = await engineThat(DESTINATIONS, (destination) => {
    const reply = replies[dialled++ % replies.length] ?? ''
    return Promise.resolve({ ...unreachable('4.3.2', reply, destination), isReply: true, diagnostic: reply })
  })
  const { engine, registry } = node
  const given: Promise<void>[] = []
  for (let i = 0; i < DESTINATIONS; i++) {
    const delivery = new FakeDelivery({ to: [`u@d${i}.example`], content: 'x' })
    engine.give(delivery)
    given.push(delivery.closed)
  }
  await Promise.all(given)
  const series = seriesIn(await registry.text())
  assert.ok(series.length < MOST_SERIES, `${series.length} series`)
  assert.ok(series.includes(`posthouse_delivery_attempts_total{result="unreachable"} ${DESTINATIONS}`))
  assert.ok(series.includes(`posthouse_delivery_destinations_backed_off ${DESTINATIONS}`))
})
