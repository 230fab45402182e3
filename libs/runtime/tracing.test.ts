import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { createTracer, off } from './tracing.ts'

interface ReceivedSpan {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly kind: number
  readonly status?: { readonly code?: number; readonly message?: string }
  readonly attributes: readonly { readonly key: string; readonly value: object }[]
}
interface Received {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { readonly key: string; readonly value: object }[] }
    readonly scopeSpans: readonly { readonly spans: readonly ReceivedSpan[] }[]
  }[]
}

// A collector that keeps what it is sent. Its answer is the event the tests wait for.
async function collector() {
  const received: Received[] = []
  const paths: (string | undefined)[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      paths.push(request.url)
      received.push(JSON.parse(Buffer.concat(chunks).toString()) as Received)
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { received, paths, server, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

test('accept and attempt are one trace, sent in one batch to the collector', async (t) => {
  const { received, paths, server, endpoint } = await collector()
  t.after(() => server.close())
  process.env['OTEL_EXPORTER_OTLP_PROTOCOL'] = 'http/json'
  const tracer = await createTracer({ endpoint, oneIn: 1, service: 'edge', node: 'edge-1', version: '1.2.3' })
  assert.equal(tracer.isOn, true)
  const accept = tracer.start('accept', { kind: 'server', attributes: { bytes: 4096 } })
  assert.match(accept.traceparent ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
  assert.equal(accept.isRecording, true)
  const attempt = tracer.start('attempt', { kind: 'client', parent: accept.traceparent })
  attempt.set({ reply: '451 4.3.0' })
  attempt.fail('deferred')
  attempt.end()
  accept.end()
  const unsampled = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`
  const silent = tracer.start('attempt', { parent: unsampled })
  assert.equal(silent.isRecording, false)
  assert.match(silent.traceparent ?? '', /^00-a{32}-[0-9a-f]{16}-00$/)
  silent.end()
  const fresh = tracer.start('accept', { parent: 'nonsense' })
  assert.notEqual(fresh.traceparent?.slice(3, 35), accept.traceparent?.slice(3, 35))
  fresh.end()
  await tracer.close()

  assert.deepEqual(paths, ['/v1/traces'])
  const [resource] = received[0]!.resourceSpans
  const of = (key: string) => resource!.resource.attributes.find((attribute) => attribute.key === key)?.value
  assert.deepEqual(of('service.name'), { stringValue: 'posthouse-edge' })
  assert.deepEqual(of('service.instance.id'), { stringValue: 'edge-1' })
  const spans = resource!.scopeSpans.flatMap((scope) => scope.spans)
  assert.deepEqual(
    spans.map((span) => span.name),
    ['attempt', 'accept', 'accept'],
  )
  const [sentAttempt, sentAccept] = spans as [ReceivedSpan, ReceivedSpan]
  assert.equal(accept.traceparent, `00-${sentAccept.traceId}-${sentAccept.spanId}-01`)
  assert.equal(sentAttempt.traceId, sentAccept.traceId)
  assert.equal(sentAttempt.parentSpanId, sentAccept.spanId)
  assert.equal(sentAttempt.status?.message, 'deferred')
  assert.deepEqual(sentAttempt.attributes, [{ key: 'reply', value: { stringValue: '451 4.3.0' } }])
})

test('a collector that is not there is told once, and the stop goes on', async () => {
  const script = `
    import { createTracer } from '@posthouse/runtime/tracing'
    process.env.OTEL_EXPORTER_OTLP_TIMEOUT = '200'
    const told = Promise.withResolvers()
    const onTrouble = (trouble) => told.resolve(console.log('trouble:', trouble))
    const endpoint = 'http://127.0.0.1:9'
    const tracer = await createTracer({ endpoint, oneIn: 1, service: 'edge', node: 'edge-1', version: '1', onTrouble })
    for (let i = 0; i < 2000; i++) tracer.start('accept').end()
    await told.promise
    await tracer.close()
    console.log('closed')
    process.exit()`
  assert.deepEqual(await evaluate(script), ['trouble: connect ECONNREFUSED 127.0.0.1:9', 'closed'])
})

test('a collector that hangs costs spans and bounded memory; what was dropped is told', async () => {
  const script = `
    import { OtlpReceiver } from '@posthouse/testkit/otlp-receiver'
    import { createTracer } from '@posthouse/runtime/tracing'
    const collector = await OtlpReceiver.start()
    collector.hangs = true
    const troubles = []
    const onTrouble = (trouble) => troubles.push(trouble)
    const options = { endpoint: collector.endpoint, oneIn: 1, service: 'edge', node: 'edge-1', version: '1', onTrouble }
    const tracer = await createTracer(options)
    for (let i = 0; i < 20000; i++) tracer.start('accept').end()
    await collector.until(({ requests }) => requests === 1)
    collector.release()
    await collector.until(({ requests }) => requests > 1)
    tracer.start('accept').end()
    await tracer.close()
    // One batch on its way, the queue behind it, and the last.
    console.log(collector.spans.length, troubles.length, /[Dd]ropped/.test(troubles[0]))
    process.exit()`
  assert.deepEqual(await evaluate(script), ['2561 1 true'])
})

test('one new trace in so many is sent, and a trace that has begun is always continued', async () => {
  const script = `
    import { createTracer } from '@posthouse/runtime/tracing'
    const endpoint = 'http://127.0.0.1:9'
    const tracer = await createTracer({ endpoint, oneIn: 10, service: 'edge', node: 'edge-1', version: '1' })
    let begun = 0
    for (let i = 0; i < 10000; i++) if (tracer.start('accept').isRecording) begun++
    console.log(begun > 700 && begun < 1300)
    console.log(tracer.start('attempt', { parent: '00-${'f'.repeat(32)}-${'b'.repeat(16)}-01' }).isRecording)
    process.exit()`
  assert.deepEqual(await evaluate(script), ['true', 'true'])
})

test('off, a span is nothing but hands a traceparent on', async () => {
  const options = { endpoint: '', oneIn: 1, service: 'edge', node: 'edge-1', version: '1' }
  assert.equal(await createTracer(options), off)
  assert.equal(off.start('accept').traceparent, undefined)
  assert.equal(off.start('accept'), off.start('accept', { kind: 'server' }))
  const parent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
  const span = off.start('attempt', { parent })
  span.set({ a: 1 })
  span.fail('x')
  span.end()
  assert.equal(span.traceparent, parent)
  await off.close()
})

test('off, OpenTelemetry is not even loaded', async () => {
  const script = (endpoint: string) => `
    import { registerHooks } from 'node:module'
    let loaded = 0
    registerHooks({ load: (url, context, next) => (url.includes('opentelemetry') && loaded++, next(url, context)) })
    const { createTracer } = await import('@posthouse/runtime/tracing')
    await createTracer({ endpoint: '${endpoint}', oneIn: 1, service: 'edge', node: 'edge-1', version: '1' })
    console.log(loaded > 0)
    process.exit()`
  assert.deepEqual(await evaluate(script('')), ['false'])
  assert.deepEqual(await evaluate(script('http://127.0.0.1:9')), ['true'])
})

// A process has one OpenTelemetry: what needs another runs in a process of its own. Its standard error must stay empty.
async function evaluate(script: string): Promise<string[]> {
  const args = ['--input-type=module', '--eval', script]
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: import.meta.dirname })
  assert.equal(stderr, '')
  return stdout.trim().split('\n')
}
