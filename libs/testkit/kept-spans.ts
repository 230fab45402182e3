/** A tracer that keeps what it is told, for tests of what is traced. Every trace is sampled unless the test says otherwise. */

/** As tracing.ts of the runtime has it; the testkit imports no runtime. */
interface StartOptions {
  readonly parent?: string | undefined
  readonly kind?: string
  readonly startedAt?: number
  readonly attributes?: Readonly<Record<string, string | number | boolean>>
}

export interface KeptSpan {
  readonly name: string
  readonly kind: string | undefined
  readonly parent: string | undefined
  readonly traceparent: string
  attributes: Record<string, string | number | boolean>
  failed: string | undefined
  ended: number
}

export class KeptSpans {
  readonly isOn = true
  readonly spans: KeptSpan[] = []
  readonly #flags: string

  constructor(isSampled = true) {
    this.#flags = isSampled ? '01' : '00'
  }

  start(name: string, { parent, kind, attributes }: StartOptions = {}) {
    const number = String(this.spans.length + 1)
    const trace = parent?.slice(3, 35) ?? number.padStart(32, 'a')
    const traceparent = `00-${trace}-${number.padStart(16, 'b')}-${parent?.slice(53) ?? this.#flags}`
    const span: KeptSpan = {
      name,
      kind,
      parent,
      traceparent,
      attributes: { ...attributes },
      failed: undefined,
      ended: 0,
    }
    this.spans.push(span)
    return {
      traceparent,
      isRecording: traceparent.endsWith('1'),
      set: (more: KeptSpan['attributes']) => void Object.assign(span.attributes, more),
      fail: (reason: string) => void (span.failed = reason),
      end: () => void (span.ended += 1),
    }
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
