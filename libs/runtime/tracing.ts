// Traces of a mail's way. The W3C `traceparent` of a span travels in the record, so that accept and every attempt are one
// trace though they run in different processes. Off (no endpoint): nothing is loaded, and a span costs nothing; a
// traceparent that came with a record is handed on untouched, for nodes that do trace. On: ended spans wait in a bounded
// queue and go out in batches; what a slow, hanging or absent collector does not take is dropped. Nothing ever waits for it.

export type SpanKind = 'server' | 'client' | 'producer' | 'consumer' | 'internal'
export type Attributes = Readonly<Record<string, string | number | boolean>>

export interface SpanOptions {
  /** The traceparent this span continues, sampled as it says; absent = a new trace, one in so many sampled. */
  readonly parent?: string | undefined
  /** When it began, by performance.now(); absent = now. For spans that are made when it is known what to say. */
  readonly startedAt?: number
  readonly kind?: SpanKind
  readonly attributes?: Attributes
}

export interface Span {
  /** What to write into the record (or give to a child span); undefined when there is no trace. */
  readonly traceparent: string | undefined
  /** Whether anybody will see it: attributes that are dear to make are only worth it then. */
  readonly isRecording: boolean
  set(attributes: Attributes): void
  fail(reason: string): void
  /** `at`: by performance.now(); absent = now. */
  end(at?: number): void
}

export interface Tracer {
  readonly isOn: boolean
  start(name: string, options?: SpanOptions): Span
  /** Sends what is left. */
  close(): Promise<void>
}

export interface TracingOptions {
  /** Base URL of an OTLP/HTTP collector; empty = off. */
  readonly endpoint: string
  /** One new trace in so many. */
  readonly oneIn: number
  readonly service: string
  readonly node: string
  readonly version: string
  /** Told when spans cannot be sent or are dropped, at most once a minute. */
  readonly onTrouble?: (trouble: string) => void
}

export async function createTracer(options: TracingOptions): Promise<Tracer> {
  if (options.endpoint === '') return off
  const { startOpenTelemetry } = await import('./tracing-otlp.ts')
  return startOpenTelemetry(options)
}

class NoSpan implements Span {
  readonly traceparent: string | undefined
  readonly isRecording = false

  constructor(traceparent: string | undefined) {
    this.traceparent = traceparent
  }
  set(): void {}
  fail(): void {}
  end(): void {}
}

const noSpan = new NoSpan(undefined)

/** The tracer of a process that does not trace. */
export const off: Tracer = {
  isOn: false,
  start: (_name, options) => (options?.parent === undefined ? noSpan : new NoSpan(options.parent)),
  close: () => Promise.resolve(),
}
