/** A scripted delivery and a node of the delivery service around it, for tests without a queue. */
import { setTimeout as sleep } from 'node:timers/promises'
import { randomBytes } from 'node:crypto'
import type { Outcome } from '@posthouse/core/outcome'
import type { Envelope, Recipient } from '@posthouse/core/record'
import { scanContent } from '@posthouse/core/scan'
import type { Delivery, DeliverPort, DeliveryEngine, Readiness } from '@posthouse/queue/port'
import { Health } from '@posthouse/runtime/health'
import { Lifecycle } from '@posthouse/runtime/lifecycle/lifecycle'
import { createLog } from '@posthouse/runtime/log'
import { createMetrics } from '@posthouse/runtime/metrics/registry'
import { loadSettings } from '@posthouse/runtime/settings/load'
import { off } from '@posthouse/runtime/tracing'
import type { Tracer } from '@posthouse/runtime/tracing'
import { openDelivery } from '../delivery.ts'
import type { Engine } from '../engine.ts'
import { metricsTable } from '../metrics.ts'
import { settingsTable } from '../settings.ts'

export interface FakeOptions {
  readonly to: readonly (string | Omit<Recipient, 'index'>)[]
  readonly content?: Uint8Array | string
  readonly envelope?: Partial<Envelope>
  /** The content comes from the body stream in these chunks. */
  readonly chunks?: readonly Uint8Array[]
  readonly partition?: number
  readonly suspect?: boolean
  readonly age?: number
}

export const SMALL_MAIL = 'Subject: hello\r\n\r\nhow are you\r\n'

export class FakeDelivery implements Delivery {
  readonly partition: number
  readonly envelope: Envelope
  readonly recipients: readonly number[]
  readonly suspect: boolean
  readonly content: Uint8Array | undefined
  readonly outcomes = new Map<number, Outcome>()
  /** Every call of close, in order. */
  readonly closes: { positions: readonly number[]; outcome: Outcome }[] = []
  began = 0
  lostAfterDots = 0
  ageMs: number
  /** Scripts. */
  mayFinish: () => boolean = () => true
  onBegin: () => boolean = () => true
  readonly #chunks: readonly Uint8Array[] | undefined
  readonly #closed = Promise.withResolvers<void>()

  constructor(options: FakeOptions) {
    const content = Buffer.from(options.content ?? SMALL_MAIL)
    const whole = options.chunks === undefined ? content : Buffer.concat(options.chunks)
    this.partition = options.partition ?? 0
    this.suspect = options.suspect ?? false
    this.ageMs = options.age ?? 1000
    this.envelope = {
      id: `TEST${randomBytes(5).toString('hex').toUpperCase()}`,
      from: 'sender@example.org',
      recipients: options.to.map((to, index) => (typeof to === 'string' ? { address: to, index } : { ...to, index })),
      acceptedAt: 1_700_000_000_000,
      storedAt: 0,
      origin: 1,
      attempts: { count: 0 },
      facts: scanContent(whole),
      ...options.envelope,
    }
    this.recipients = this.envelope.recipients.map((_, position) => position)
    this.content = options.chunks === undefined ? content : undefined
    this.#chunks = options.chunks
  }

  age(): number {
    return this.ageMs
  }
  async *body(): AsyncIterable<Uint8Array> {
    for (const chunk of this.#chunks ?? []) {
      await sleep(0)
      yield chunk
    }
  }
  begin(): boolean {
    this.began += 1
    return this.onBegin()
  }
  close(positions: readonly number[], outcome: Outcome): void {
    for (const position of positions) {
      if (this.outcomes.has(position)) throw new Error(`position ${position} is closed twice`)
      this.outcomes.set(position, outcome)
    }
    this.closes.push({ positions, outcome })
    if (this.outcomes.size === this.recipients.length) this.#closed.resolve()
  }
  lostAfterDot(positions: readonly number[]): void {
    this.lostAfterDots += positions.length
  }

  /** Resolves when every recipient is closed. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }
  how(position = 0): string | undefined {
    return this.outcomes.get(position)?.how
  }
  reply(position = 0): string | undefined {
    const outcome = this.outcomes.get(position)
    return outcome !== undefined && 'facts' in outcome ? outcome.facts.reply : undefined
  }
}

class FakePort implements DeliverPort {
  start(_engine: DeliveryEngine): Promise<void> {
    return Promise.resolve()
  }
  stop(): Promise<void> {
    return Promise.resolve()
  }
  notReady(): Readiness {
    return undefined
  }
}

export interface TestNode extends AsyncDisposable {
  readonly engine: Engine
  readonly metrics: ReturnType<typeof createMetrics<typeof metricsTable>>['metrics']
  /** What Prometheus reads, or, with `open`, in OpenMetrics. */
  metricsText(open?: boolean): Promise<string>
  readonly log: readonly Record<string, unknown>[]
  /** Gives it to the engine and waits until all is closed. */
  deliver(delivery: FakeDelivery): Promise<FakeDelivery>
}

export interface TestOptions {
  /** Where the log goes instead of into `log`. */
  readonly sink?: { write(line: string): void }
  readonly tracer?: Tracer
  /** Instead of one that gives nothing. */
  readonly queue?: DeliverPort
  /** For secrets, which no file of settings may hold. */
  readonly environment?: Readonly<Record<string, string>>
}

/** `values`: settings by path, as YAML values. */
export async function testNode(
  values: Readonly<Record<string, unknown>>,
  { sink, tracer = off, queue = new FakePort(), environment = {} }: TestOptions = {},
): Promise<TestNode> {
  const yaml = {
    name: 'delivery-test',
    hostname: 'relay.test',
    'http.port': 0,
    'route.ownAddresses': [],
    'timeouts.idle': '1s',
    ...values,
  }
  const loaded = loadSettings<typeof settingsTable>(settingsTable, {
    environment,
    readFile: () => '',
    file: { name: 'test.yaml', text: JSON.stringify(nested(yaml)) },
  })
  if (!loaded.ok) throw new Error(loaded.errors.join('\n'))
  const lines: Record<string, unknown>[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) }
  const log = await createLog({ level: 'info', format: 'json', base: {}, destination: sink ?? destination })
  const registry = createMetrics(metricsTable, { service: 'delivery', version: 'test' })
  const { metrics } = registry
  const lifecycle = new Lifecycle({ log, notReadyFor: 0, deadline: 10_000 })
  const service = { settings: loaded.settings, log, metrics, health: new Health(), lifecycle, tracer }
  const engine = await openDelivery(service, queue)
  return {
    engine,
    metrics,
    metricsText: async (open = false) => (await registry.page(open ? 'application/openmetrics-text' : undefined)).text,
    log: lines,
    async deliver(delivery) {
      engine.give(delivery)
      await delivery.closed
      return delivery
    },
    async [Symbol.asyncDispose]() {
      lifecycle.running()
      lifecycle.stop('test is over')
      await lifecycle.done
    },
  }
}

function nested(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const [path, value] of Object.entries(values)) {
    const keys = path.split('.')
    const last = keys.pop() ?? ''
    let at = result
    for (const key of keys) at = (at[key] ??= {}) as Record<string, unknown>
    at[last] = value
  }
  return result
}
