/**
 * Turns what an attempt came to into outcomes for the queue: delivered; deferred until the retry schedule says; bounced
 * or, past the lifetime, expired, with the report to the sender in the same write. One close, one log line and one
 * report for all recipients of a transaction that share a fate.
 */
import { failureReport, wantsFailureReport } from '@posthouse/core/dsn'
import type { FailedRecipient } from '@posthouse/core/dsn'
import type { AttemptFacts, Bounce } from '@posthouse/core/outcome'
import { nextAttempt } from '@posthouse/core/retry'
import type { RetrySettings } from '@posthouse/core/retry'
import type { RouteTable } from '@posthouse/core/route-table'
import { keptTrace } from '@posthouse/core/traceparent'
import type { Delivery } from '@posthouse/queue/port'
import type { Log } from '@posthouse/runtime/log'
import type { Metrics } from '@posthouse/runtime/metrics/registry'
import type { Tracer } from '@posthouse/runtime/tracing'
import { AttemptCounts } from './attempt-counts.ts'
import type { Finding } from './attempt.ts'
import { traceAttempt } from './attempt-span.ts'
import type { AttemptOutcome, Ending } from './attempt-span.ts'
import type { Job } from './job.ts'
import type { metricsTable } from './metrics.ts'
import type { NoConnection } from './no-connection.ts'

export interface CloserOptions {
  readonly hostname: string
  readonly routes: RouteTable
  readonly retry: RetrySettings
  readonly log: Log
  readonly tracer: Tracer
  readonly metrics: Metrics<typeof metricsTable>
  readonly nextId: () => string
  /** Wall clock, ms since the epoch. */
  readonly wall: () => number
  readonly chance: () => number
}

/** Of the connection the attempt was made on, if there was one. */
export interface AttemptContext {
  readonly host: string | undefined
  /** Its bare name, for the report. */
  readonly remote: string | undefined
  readonly address?: string
  readonly port?: number
  readonly tls: string | undefined
  readonly ms: number | undefined
}

const kinds = ['delivered', 'temporary', 'permanent'] as const
const NO_CONNECTION: AttemptContext = { host: undefined, remote: undefined, tls: undefined, ms: undefined }
/** So much of a content in the body stream is read to find its header. */
const HEADER_BYTES = 64 * 1024

export class Closer {
  readonly #options: CloserOptions
  readonly #series
  readonly #attempts: AttemptCounts

  constructor(options: CloserOptions) {
    this.#options = options
    this.#attempts = new AttemptCounts(options.metrics)
    const { recipients } = options.metrics
    this.#series = {
      delivered: recipients.with({ outcome: 'delivered' }),
      deferred: recipients.with({ outcome: 'deferred' }),
      parked: recipients.with({ outcome: 'parked' }),
      bounced: recipients.with({ outcome: 'bounced' }),
      expired: recipients.with({ outcome: 'expired' }),
    }
  }

  /** Closes what these findings decide. 'next transaction' is not for here. */
  conclude(job: Job, findings: readonly Finding[], context: AttemptContext): void {
    if (findings.length === 0) return
    this.#attempts.over(findings)
    this.#settle(job, findings, context, this.#options.chance())
  }

  #settle(job: Job, findings: readonly Finding[], context: AttemptContext, chance: number): void {
    const [first] = findings
    const isSame = findings.every((finding) => finding.is === first?.is)
    const groups = isSame ? [findings] : kinds.map((is) => findings.filter((finding) => finding.is === is))
    const endings: Ending[] = []
    for (const some of groups)
      if (some.length > 0) endings.push({ how: this.#close(job, some, context, chance), findings: some })
    if (this.#options.tracer.isOn) traceAttempt(this.#options.tracer, job, endings, context)
  }

  /** No connection for these: one chance for all, so that what waits alike goes into few entries of the log. */
  noConnection(jobs: readonly Job[], why: NoConnection): void {
    const chance = this.#options.chance()
    const is = why.is === 'unroutable' ? 'permanent' : 'temporary'
    const { status, diagnostic, isReply, host } = why
    const context = host === undefined ? NO_CONNECTION : { ...NO_CONNECTION, host, remote: host }
    for (const job of jobs) {
      const findings = job.positions.map((position): Finding => ({ position, is, status, diagnostic, isReply }))
      this.#attempts.notBegun(why.is, findings)
      this.#settle(job, findings, context, chance)
    }
  }

  /** Could not begin in time: back to the queue, not counted as an attempt. */
  park(jobs: readonly Job[], afterMs: number): void {
    const due = Math.round(this.#options.wall() + afterMs)
    const { log } = this.#options
    const isTold = log.isLevelEnabled('debug')
    for (const { delivery, positions, destination } of jobs) {
      this.#series.parked.inc(positions.length)
      if (isTold) {
        const { id, traceparent } = delivery.envelope
        log.debug({ id, trace: keptTrace(traceparent), recipients: positions.length, destination }, 'parked')
      }
      delivery.close(positions, { how: 'parked', due, destination })
    }
  }

  #close(job: Job, findings: readonly Finding[], context: AttemptContext, chance: number): AttemptOutcome {
    const { delivery } = job
    const first = findings[0] as Finding
    switch (first.is) {
      case 'delivered': {
        const positions = findings.length === 1 ? [first.position] : findings.map((finding) => finding.position)
        this.#series.delivered.inc(positions.length)
        const trace = keptTrace(delivery.envelope.traceparent)
        this.#options.metrics.deliveredSeconds.observe(delivery.age() / 1000, trace)
        delivery.close(positions, { how: 'delivered', facts: factsOf(findings, context) })
        this.#log(job, 'delivered', findings, context)
        return 'delivered'
      }
      case 'temporary': {
        const age = delivery.age()
        const next = nextAttempt(delivery.envelope.attempts.count + 1, age, this.#options.retry, chance)
        if (next.is === 'expired') {
          this.#fail(job, 'expired', findings, context)
          return 'expired'
        }
        const due = Math.round(this.#options.wall() + next.after)
        const positions = findings.map((finding) => finding.position)
        this.#series.deferred.inc(positions.length)
        const facts = factsOf(findings, context)
        delivery.close(positions, { how: 'deferred', facts, due, destination: job.destination })
        this.#log(job, 'deferred', findings, context, { due: new Date(due).toISOString() })
        return 'deferred'
      }
      case 'permanent':
        this.#fail(job, 'bounced', findings, context)
        return 'bounced'
      case 'next transaction':
        throw new Error('these recipients are not decided')
    }
  }

  #fail(job: Job, how: 'bounced' | 'expired', findings: readonly Finding[], context: AttemptContext): void {
    const { delivery } = job
    const { envelope } = delivery
    const told = findings.filter(({ position }) => {
      const recipient = envelope.recipients[position]
      return recipient !== undefined && wantsFailureReport(envelope, recipient)
    })
    const untold = findings.filter((finding) => !told.includes(finding))
    if (untold.length > 0) this.#failed(job, how, untold, context, undefined)
    if (told.length === 0) return
    const report = (content: Uint8Array, whole: boolean): void =>
      this.#failed(job, how, told, context, this.#report(delivery, told, context, content, whole))
    if (delivery.content !== undefined) return report(delivery.content, true)
    readHeader(delivery).then(
      (content) => report(content, false),
      (error: unknown) => {
        this.#options.log.error(
          { err: error, id: envelope.id, trace: keptTrace(envelope.traceparent) },
          'a report goes without the header: no content',
        )
        report(new Uint8Array(0), false)
      },
    )
  }

  #report(
    { envelope }: Delivery,
    findings: readonly Finding[],
    context: AttemptContext,
    content: Uint8Array,
    whole: boolean,
  ): Bounce {
    const failed = findings.map(({ position, status, diagnostic, isReply }): FailedRecipient => {
      const base = { position, status, diagnostic, isReply }
      return context.remote === undefined ? base : { ...base, remote: context.remote }
    })
    const { hostname, routes, nextId, wall } = this.#options
    const record = failureReport(envelope, failed, content, whole, { id: nextId(), hostname, now: wall() })
    return { record, destination: routes.destinationOf(envelope.from) }
  }

  #failed(
    job: Job,
    how: 'bounced' | 'expired',
    findings: readonly Finding[],
    context: AttemptContext,
    bounce: Bounce | undefined,
  ): void {
    const positions = findings.map((finding) => finding.position)
    const facts = factsOf(findings, context)
    this.#series[how].inc(positions.length)
    job.delivery.close(positions, bounce === undefined ? { how, facts } : { how, facts, bounce })
    this.#log(job, how, findings, context, { report: bounce?.record.envelope.id ?? 'none' })
  }

  /** One line for each outcome of an attempt. */
  #log(job: Job, how: string, findings: readonly Finding[], context: AttemptContext, more?: object): void {
    const { envelope } = job.delivery
    const to = findings.map(({ position }) => envelope.recipients[position]?.address)
    this.#options.log.info(
      {
        id: envelope.id,
        trace: keptTrace(envelope.traceparent),
        to: to.length === 1 ? to[0] : to,
        attempt: envelope.attempts.count + 1,
        reply: replyOf(findings),
        host: context.host,
        tls: context.tls,
        ms: context.ms,
        reportOn: envelope.report?.record,
        ...more,
      },
      how,
    )
  }
}

function factsOf(findings: readonly Finding[], { host, tls, ms }: AttemptContext): AttemptFacts {
  const facts: { -readonly [K in keyof AttemptFacts]: AttemptFacts[K] } = { reply: replyOf(findings) }
  if (host !== undefined) facts.host = host
  if (tls !== undefined) facts.tls = tls
  if (ms !== undefined) facts.ms = ms
  return facts
}

/** The reply that speaks for all; our own findings with their status in front. */
function replyOf(findings: readonly Finding[]): string {
  const { isReply, diagnostic, status } = findings[0] as Finding
  const line = isReply ? diagnostic : `${status} ${diagnostic}`
  const others = findings.length === 1 ? 0 : findings.filter((one) => one.diagnostic !== diagnostic).length
  return others === 0 ? line : `${line} (and ${others} other replies)`
}

async function readHeader(delivery: Delivery): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of delivery.body()) {
    chunks.push(chunk)
    size += chunk.length
    if (size >= HEADER_BYTES) break
  }
  return Buffer.concat(chunks)
}
