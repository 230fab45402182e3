// The tracer of a process that does trace: OpenTelemetry's SDK, parent-based sampling, export in batches over OTLP/HTTP.
// Imported only when tracing.endpoint is set. The SDK takes its details (protocol, headers, batch sizes) from the OTEL_*
// variables; what the settings say is put there first, because that is how the SDK is told.
import { DiagLogLevel, ROOT_CONTEXT, SpanKind as Kind, SpanStatusCode, diag, trace } from '@opentelemetry/api'
import type { Context, Span as ApiSpan, Tracer as ApiTracer } from '@opentelemetry/api'
import { startNodeSdk } from '@opentelemetry/sdk-node'
import type { Attributes, Span, SpanKind, SpanOptions, Tracer, TracingOptions } from './tracing.ts'

/** How long a stop waits for the last spans to be sent. */
const PATIENCE = 1000

const KINDS: Readonly<Record<SpanKind, Kind>> = {
  server: Kind.SERVER,
  client: Kind.CLIENT,
  producer: Kind.PRODUCER,
  consumer: Kind.CONSUMER,
  internal: Kind.INTERNAL,
}

export function startOpenTelemetry(options: TracingOptions): Tracer {
  const environment = process.env
  environment['OTEL_EXPORTER_OTLP_ENDPOINT'] = options.endpoint
  environment['OTEL_TRACES_EXPORTER'] = 'otlp'
  environment['OTEL_TRACES_SAMPLER'] = 'parentbased_traceidratio'
  environment['OTEL_TRACES_SAMPLER_ARG'] = String(1 / options.oneIn)
  const sdk = startNodeSdk({
    logLevel: 'none',
    resourceAttributes: {
      'service.name': `posthouse-${options.service}`,
      'service.instance.id': options.node,
      'service.version': options.version,
    },
    resourceDetectors: [],
    // Traces only: metrics are scraped, logs go to standard error.
    metricReaders: [],
    logRecordProcessors: [],
  })
  listenToTrouble(options.onTrouble)
  return new OtlpTracer(trace.getTracer('posthouse', options.version), () => sdk.shutdown())
}

// The SDK's own log would go to the console, in a form of its own and with every batch that fails.
function listenToTrouble(onTrouble: ((trouble: string) => void) | undefined): void {
  let last = -Infinity
  const error = (trouble: string): void => {
    if (performance.now() - last < 60_000) return
    last = performance.now()
    onTrouble?.(messageOf(trouble))
  }
  const ignore = (): void => {}
  // Its warnings say how many spans were dropped.
  const logger = { error, warn: error, info: ignore, debug: ignore, verbose: ignore }
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
}

// An exporter's error comes as JSON with its stack.
function messageOf(trouble: string): string {
  try {
    const { message } = JSON.parse(trouble) as { readonly message?: unknown }
    return typeof message === 'string' ? message : trouble
  } catch {
    return trouble
  }
}

/**
 * The wall clock with the fineness of the monotonic one. The SDK takes a span's place in time from the wall clock's
 * milliseconds, each span anew, so that a child may seem to begin before its parent.
 */
class SpanClock {
  #offset = Date.now() - performance.now()

  /** ms since the epoch of a time by performance.now(), of now if there is none. */
  wall(at?: number): number {
    const now = performance.now()
    const offset = Date.now() - now
    // It was set, or they drifted apart.
    if (Math.abs(offset - this.#offset) > 2) this.#offset = offset
    return (at ?? now) + this.#offset
  }
}

class OtlpTracer implements Tracer {
  readonly isOn = true
  readonly #tracer: ApiTracer
  readonly #clock = new SpanClock()
  readonly #shutdown: () => Promise<void>

  constructor(tracer: ApiTracer, shutdown: () => Promise<void>) {
    this.#tracer = tracer
    this.#shutdown = shutdown
  }

  start(name: string, options: SpanOptions = {}): Span {
    const kind = KINDS[options.kind ?? 'internal']
    const startTime = this.#clock.wall(options.startedAt)
    const start = { kind, startTime, attributes: options.attributes ?? {} }
    return new OtlpSpan(this.#tracer.startSpan(name, start, contextOf(options.parent) ?? ROOT_CONTEXT), this.#clock)
  }

  async close(): Promise<void> {
    // The collector may be down: what is left is then lost, and the stop goes on.
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, PATIENCE)))
    await Promise.race([this.#shutdown().catch(() => {}), patience])
    clearTimeout(timer)
  }
}

class OtlpSpan implements Span {
  readonly traceparent: string
  readonly isRecording: boolean
  readonly #span: ApiSpan
  readonly #clock: SpanClock

  constructor(span: ApiSpan, clock: SpanClock) {
    const { traceId, spanId, traceFlags } = span.spanContext()
    this.#span = span
    this.#clock = clock
    this.traceparent = `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, '0')}`
    this.isRecording = span.isRecording()
  }

  set(attributes: Attributes): void {
    this.#span.setAttributes(attributes)
  }

  fail(reason: string): void {
    this.#span.setStatus({ code: SpanStatusCode.ERROR, message: reason })
  }

  end(at?: number): void {
    if (this.isRecording) this.#span.end(this.#clock.wall(at))
  }
}

/** The remote parent that a traceparent names; undefined when it is absent or malformed (then a new trace begins). */
function contextOf(traceparent: string | undefined): Context | undefined {
  const match = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-|$)/.exec(traceparent ?? '')
  if (!match) return undefined
  const [, traceId = '', spanId = '', flags = '0'] = match
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: parseInt(flags, 16) & 1, isRemote: true })
}
