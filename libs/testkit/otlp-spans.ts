/**
 * Spans as OTLP carries them (opentelemetry-proto, collector/trace/v1), read from either of its encodings over HTTP, with
 * code of its own, so that a mistake of the exporter is not made here, too. Only what tests look at.
 */

export interface ReceivedSpan {
  /** Of the resource: service.name. */
  readonly service: string
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  /** '' for the first span of a trace. */
  readonly parentSpanId: string
  /** 2 server, 3 client, 4 producer. */
  readonly kind: number
  /** ns since the epoch. */
  readonly start: bigint
  readonly end: bigint
  readonly attributes: Readonly<Record<string, string | number | boolean>>
  /** 2 is an error. */
  readonly status: { readonly code: number; readonly message: string }
}

type Attributes = Record<string, string | number | boolean>

/** From a request of type application/json. */
export function spansOfJson(text: string): ReceivedSpan[] {
  const request = JSON.parse(text) as Json
  return list(request['resourceSpans']).flatMap((resourceSpans) => {
    const service = String(jsonAttributes((resourceSpans['resource'] as Json)['attributes'])['service.name'])
    const spans = list(resourceSpans['scopeSpans']).flatMap((scope) => list(scope['spans']))
    return spans.map((span) => {
      const status = (span['status'] ?? {}) as Json
      return {
        service,
        name: String(span['name']),
        traceId: String(span['traceId']),
        spanId: String(span['spanId']),
        parentSpanId: (span['parentSpanId'] ?? '') as string,
        kind: Number(span['kind']),
        start: BigInt(String(span['startTimeUnixNano'])),
        end: BigInt(String(span['endTimeUnixNano'])),
        attributes: jsonAttributes(span['attributes']),
        status: { code: Number(status['code'] ?? 0), message: (status['message'] ?? '') as string },
      }
    })
  })
}

type Json = Readonly<Record<string, unknown>>

function list(value: unknown): readonly Json[] {
  return (value ?? []) as readonly Json[]
}

function jsonAttributes(value: unknown): Attributes {
  const attributes: Attributes = {}
  for (const { key, value: any } of list(value)) {
    const { stringValue, boolValue, intValue, doubleValue } = any as Json
    const found = stringValue ?? boolValue ?? doubleValue ?? Number(intValue)
    attributes[String(key)] = found as string | number | boolean
  }
  return attributes
}

/** From a request of type application/x-protobuf. */
export function spansOfProtobuf(bytes: Uint8Array): ReceivedSpan[] {
  return fields(bytes).flatMap(({ value: resourceSpans }) => {
    const parts = fields(message(resourceSpans))
    const resource = parts.filter(({ number }) => number === 1).flatMap(({ value }) => fields(message(value)))
    const service = String(protobufAttributes(resource, 1)['service.name'])
    const scopes = parts.filter(({ number }) => number === 2).flatMap(({ value }) => fields(message(value)))
    return scopes.filter(({ number }) => number === 2).map(({ value }) => protobufSpan(service, fields(message(value))))
  })
}

interface Field {
  readonly number: number
  readonly value: Uint8Array | bigint
}

function protobufSpan(service: string, span: readonly Field[]): ReceivedSpan {
  const first = (number: number): Field['value'] | undefined => span.find((field) => field.number === number)?.value
  const hex = (number: number): string => Buffer.from(message(first(number) ?? new Uint8Array())).toString('hex')
  const status = fields(message(first(15) ?? new Uint8Array()))
  const said = (number: number): Field['value'] | undefined => status.find((field) => field.number === number)?.value
  return {
    service,
    name: text(first(5)),
    traceId: hex(1),
    spanId: hex(2),
    parentSpanId: hex(4),
    kind: Number(first(6) ?? 0n),
    start: first(7) as bigint,
    end: first(8) as bigint,
    attributes: protobufAttributes(span, 9),
    status: { code: Number(said(3) ?? 0n), message: text(said(2)) },
  }
}

function protobufAttributes(all: readonly Field[], number: number): Attributes {
  const attributes: Attributes = {}
  for (const field of all) {
    if (field.number !== number) continue
    const [key, any] = fields(message(field.value))
    const [value] = fields(message(any?.value ?? new Uint8Array()))
    attributes[text(key?.value)] = anyValue(value)
  }
  return attributes
}

function anyValue(field: Field | undefined): string | number | boolean {
  switch (field?.number) {
    case 1:
      return text(field.value)
    case 2:
      return field.value !== 0n
    case 3:
      return Number(BigInt.asIntN(64, field.value as bigint))
    case 4:
      return new Float64Array(BigUint64Array.of(field.value as bigint).buffer)[0] ?? NaN
    default:
      return ''
  }
}

function text(value: Field['value'] | undefined): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString() : ''
}
function message(value: Field['value']): Uint8Array {
  if (value instanceof Uint8Array) return value
  throw new Error('a number where a message has to be')
}

/** One message of protobuf's wire format: its fields in their order. */
function fields(bytes: Uint8Array): Field[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found: Field[] = []
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = view.readUInt8(at++)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  while (at < view.length) {
    const tag = varint()
    const number = Number(tag >> 3n)
    switch (tag & 7n) {
      case 0n:
        found.push({ number, value: varint() })
        break
      case 1n:
        found.push({ number, value: view.readBigUInt64LE(at) })
        at += 8
        break
      case 2n: {
        const length = Number(varint())
        found.push({ number, value: view.subarray(at, at + length) })
        at += length
        break
      }
      case 5n:
        found.push({ number, value: BigInt(view.readUInt32LE(at)) })
        at += 4
        break
      default:
        throw new Error(`no wire type of protobuf: ${tag & 7n}`)
    }
  }
  return found
}
