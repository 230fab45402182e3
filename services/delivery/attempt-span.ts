/**
 * One attempt in the trace of its message: a child of the span of its acceptance, whichever node makes it and however
 * often the message was deferred, split or parked in between. It is made when the attempt is over, so an attempt that
 * nobody keeps costs nothing. A message whose edge began no trace has none: its attempts would be traces of their own.
 */
import { keptTrace } from '@posthouse/core/traceparent'
import { attribute, tlsAttributes } from '@posthouse/runtime/trace-attributes'
import type { Attributes, Tracer } from '@posthouse/runtime/tracing'
import type { Finding } from './attempt.ts'
import type { AttemptContext } from './closer.ts'
import type { Job } from './job.ts'

export type AttemptOutcome = 'delivered' | 'deferred' | 'bounced' | 'expired'
/** What an attempt came to, for those of its recipients that share it. */
export interface Ending {
  readonly how: AttemptOutcome
  readonly findings: readonly Finding[]
}

const REPLY = /^([2-5]\d\d)(?: ([245]\.\d{1,3}\.\d{1,3})(?= |$))?/

export function traceAttempt(tracer: Tracer, job: Job, endings: readonly Ending[], context: AttemptContext): void {
  const { envelope } = job.delivery
  // What went wrong says more than what went well.
  const ending = endings.find(({ how }) => how !== 'delivered') ?? endings[0]
  const finding = ending?.findings[0]
  if (ending === undefined || finding === undefined || keptTrace(envelope.traceparent) === undefined) return
  const now = performance.now()
  const isMixed = endings.some(({ how }) => how !== ending.how)
  const reply = replyAttributes(finding, ending.how)
  const span = tracer.start('deliver', {
    parent: envelope.traceparent,
    kind: 'client',
    startedAt: now - (context.ms ?? 0),
    attributes: {
      [attribute.messageId]: envelope.id,
      [attribute.messageSize]: envelope.facts.size,
      [attribute.protocol]: 'smtp',
      [attribute.transport]: 'tcp',
      ...(context.remote === undefined ? undefined : { [attribute.serverAddress]: context.remote }),
      ...(context.port === undefined ? undefined : { [attribute.serverPort]: context.port }),
      ...(context.address === undefined ? undefined : { [attribute.peerAddress]: context.address }),
      ...tlsAttributes(context.tls),
      [attribute.attempt]: envelope.attempts.count + 1,
      [attribute.destination]: job.destination,
      [attribute.recipients]: endings.reduce((sum, { findings }) => sum + findings.length, 0),
      [attribute.outcome]: isMixed ? 'mixed' : ending.how,
      ...(isMixed ? counts(endings) : undefined),
      ...(envelope.report === undefined ? undefined : { [attribute.isReport]: true }),
      ...reply,
    },
  })
  // The text of a reply names people; our own findings do not.
  if (ending.how !== 'delivered')
    span.fail(finding.isReply ? `${reply[attribute.replyCode] ?? ''} ${finding.status}`.trim() : finding.diagnostic)
  span.end(now)
}

function replyAttributes({ diagnostic, isReply, status }: Finding, how: AttemptOutcome): Attributes {
  const [, code, enhanced = status] = (isReply ? REPLY.exec(diagnostic) : null) ?? []
  return {
    ...(code === undefined ? undefined : { [attribute.replyCode]: Number(code) }),
    [attribute.enhancedCode]: enhanced,
    ...(how === 'delivered' ? undefined : { [attribute.errorType]: code ?? status }),
  }
}

/** `posthouse.recipients.deferred: 2`, …, for those that are not zero. */
function counts(endings: readonly Ending[]): Attributes {
  const counted: Record<string, number> = {}
  for (const { how, findings } of endings) {
    const key = `${attribute.recipients}.${how}`
    counted[key] = (counted[key] ?? 0) + findings.length
  }
  return counted
}
