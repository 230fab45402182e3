/**
 * The trace of a message begins here: the span of its acceptance, from MAIL to the reply to the final dot, and in it that
 * of the queue, from the first byte given to it to its answer. Every attempt to deliver it, on whatever node, is a child of
 * the first. A client is never asked for a trace of its own: clients are strangers.
 */
import type { Envelope } from '@posthouse/core/record'
import type { Fate } from '@posthouse/queue/port'
import { attribute, tlsAttributes } from '@posthouse/runtime/trace-attributes'
import type { Span, Tracer } from '@posthouse/runtime/tracing'
import type { Session } from './session.ts'

export class AcceptSpan {
  readonly #tracer: Tracer
  readonly #span: Span

  private constructor(tracer: Tracer, span: Span) {
    this.#tracer = tracer
    this.#span = span
  }

  /** `startedAt`: when MAIL came, by performance.now(). */
  static begin(tracer: Tracer, startedAt: number): AcceptSpan {
    return new AcceptSpan(tracer, tracer.start('accept', { kind: 'server', startedAt }))
  }

  /** For the record. */
  get traceparent(): string | undefined {
    return this.#span.traceparent
  }

  /** `givenAt`: when the queue was given the record, by performance.now(). */
  end(session: Session, envelope: Envelope, fate: Fate, givenAt: number): void {
    const now = performance.now()
    const message = { [attribute.messageId]: envelope.id, [attribute.messageSize]: envelope.facts.size }
    const why = fate.is === 'stored' ? undefined : fate.is === 'refused' ? fate.why : fate.is
    const publish = this.#tracer.start('publish', {
      parent: this.traceparent,
      kind: 'producer',
      startedAt: givenAt,
      attributes: {
        ...message,
        [attribute.messagingSystem]: 'nats',
        [attribute.operationName]: 'publish',
        [attribute.operationType]: 'send',
      },
    })
    this.#span.set({
      ...message,
      [attribute.clientAddress]: session.remoteAddress,
      [attribute.serverAddress]: session.context.hostname,
      [attribute.protocol]: 'smtp',
      [attribute.transport]: 'tcp',
      ...tlsAttributes(session.tls),
      [attribute.role]: session.listener.role,
      [attribute.authenticated]: session.user !== undefined,
      [attribute.recipients]: envelope.recipients.length,
      [attribute.outcome]: fate.is === 'stored' ? 'accepted' : fate.is,
    })
    for (const span of [publish, this.#span]) {
      if (why !== undefined) {
        span.set({ [attribute.errorType]: why })
        span.fail(why)
      }
      span.end(now)
    }
  }
}
