/**
 * What tracing costs: CPU microseconds per message for the spans of its acceptance, its publishing and one attempt, made as
 * the edge and the delivery node make them, and exported by OTLP/HTTP (protobuf) to a collector in another process, whose
 * CPU is not counted. Off, one message in 100, and every message; each in a process of its own, which is warm before it
 * is measured. Nothing is dropped, or the run fails.
 *
 *   node libs/runtime/tracing.bench.ts [messages]
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { OtlpReceiver } from '@posthouse/testkit/otlp-receiver'
import { attribute, tlsAttributes } from './trace-attributes.ts'
import { createTracer } from './tracing.ts'
import type { Tracer } from './tracing.ts'

/** Of traced messages, with three spans each: fewer than the exporter's queue holds; then the loop gives it time. */
const AT_ONCE = 170
const PAUSE_MS = 150
const WARM_UP = 10_000

const [what = '30000', endpoint = '', oneIn = '1'] = process.argv.slice(2)
if (what === 'collector') await collect()
else if (endpoint !== '') await measure(Number(what), endpoint, Number(oneIn))
else await compare(Number(what))

async function collect(): Promise<void> {
  const receiver = await OtlpReceiver.start()
  process.on('message', () => process.send?.(receiver.spans.length))
  process.on('disconnect', () => process.exit())
  process.send?.(receiver.endpoint)
}

async function compare(messages: number): Promise<void> {
  for (const [name, oneIn] of [
    ['off', 0],
    ['1 in 100', 100],
    ['every message', 1],
  ] as const) {
    const collector = fork(import.meta.filename, ['collector'])
    const [endpoint] = (await once(collector, 'message')) as [string]
    // Enough of those that are traced, and more than a moment.
    const number = oneIn === 1 ? messages : 10 * messages
    const child = fork(import.meta.filename, [String(number), oneIn === 0 ? 'off' : endpoint, String(oneIn)])
    const [{ micros, sampled }] = (await once(child, 'message')) as [{ micros: number; sampled: number }]
    const spans = await ask(collector)
    if (spans !== 3 * sampled) throw new Error(`${name}: ${spans} spans of ${sampled} messages came`)
    console.log(`${name.padEnd(14)} ${micros.toFixed(2).padStart(7)} us per message (${sampled} of them traced)`)
    collector.disconnect()
  }
}

async function ask(collector: ChildProcess): Promise<number> {
  collector.send('how many')
  const [spans] = (await once(collector, 'message')) as [number]
  return spans
}

async function measure(messages: number, endpoint: string, oneIn: number): Promise<void> {
  const options = { endpoint: endpoint === 'off' ? '' : endpoint, oneIn, service: 'bench', node: 'bench', version: '0' }
  const tracer = await createTracer(options)
  let sampled = await run(tracer, WARM_UP)
  const before = process.cpuUsage()
  sampled += await run(tracer, messages)
  await tracer.close()
  const { user, system } = process.cpuUsage(before)
  process.send?.({ micros: (user + system) / messages, sampled }, () => process.exit())
}

/** How many of them were traced. */
async function run(tracer: Tracer, messages: number): Promise<number> {
  let sampled = 0
  for (let made = 0; made < messages; made++) {
    if (message(tracer, `BENCH${made}`) && ++sampled % AT_ONCE === 0) await sleep(PAUSE_MS)
  }
  await sleep(2 * PAUSE_MS)
  return sampled
}

function message(tracer: Tracer, id: string): boolean {
  if (!tracer.isOn) return false
  const startedAt = performance.now()
  const facts = { [attribute.messageId]: id, [attribute.messageSize]: 4096 }
  const accept = tracer.start('accept', { kind: 'server', startedAt })
  if (!accept.isRecording) return false
  const parent = accept.traceparent
  const operation = {
    [attribute.messagingSystem]: 'nats',
    [attribute.operationName]: 'publish',
    [attribute.operationType]: 'send',
  }
  const publish = tracer.start('publish', {
    parent,
    kind: 'producer',
    startedAt,
    attributes: { ...facts, ...operation },
  })
  accept.set({
    ...facts,
    [attribute.clientAddress]: '192.0.2.1',
    [attribute.serverAddress]: 'edge-1.example.org',
    [attribute.protocol]: 'smtp',
    [attribute.transport]: 'tcp',
    ...tlsAttributes('TLSv1.3 with cipher TLS_AES_256_GCM_SHA384'),
    [attribute.role]: 'submission',
    [attribute.authenticated]: true,
    [attribute.recipients]: 1,
    [attribute.outcome]: 'accepted',
  })
  publish.end()
  accept.end()
  const attributes = {
    ...facts,
    [attribute.protocol]: 'smtp',
    [attribute.transport]: 'tcp',
    [attribute.serverAddress]: 'mx1.example.net',
    [attribute.serverPort]: 25,
    [attribute.peerAddress]: '192.0.2.25',
    ...tlsAttributes('TLSv1.3 TLS_AES_256_GCM_SHA384'),
    [attribute.attempt]: 1,
    [attribute.destination]: 'example.net',
    [attribute.recipients]: 1,
    [attribute.outcome]: 'delivered',
    [attribute.replyCode]: 250,
    [attribute.enhancedCode]: '2.0.0',
  }
  tracer.start('deliver', { parent, kind: 'client', startedAt, attributes }).end()
  return true
}
