/**
 * A message is in: judged, made a record, given to the queue, and its fate told. From the final dot on it is the node's
 * to finish, whether the client waits or not.
 */
import type { AcceptanceFacts, BodyReference, Envelope, MailRecord } from '@posthouse/core/record'
import { keptTrace } from '@posthouse/core/traceparent'
import type { Fate } from '@posthouse/queue/port'
import { AcceptSpan } from './accept-span.ts'
import type { Incoming } from './incoming.ts'
import { queuedAs } from './replies.ts'
import type { ReplyName } from './replies.ts'
import type { Session } from './session.ts'
import type { Transaction } from './transaction.ts'

export interface Received {
  readonly session: Session
  readonly transaction: Transaction
  readonly incoming: Incoming
  readonly id: string
}

export type CommitOutcome =
  | { readonly is: 'accepted'; readonly wire: string }
  | { readonly is: 'refused'; readonly name: ReplyName; readonly trace?: string | undefined }
  /** Nobody can tell whether it is stored. */
  | { readonly is: 'unknown' }

const mostReceivedHeaders = 50

/** `done` is called exactly once. */
export function commit(message: Received, done: (outcome: CommitOutcome) => void): void {
  const { incoming } = message
  // A small message goes straight through; only a streamed one has something to wait for.
  const writing = incoming.settle('end')
  if (writing === undefined && incoming.writer === undefined) return judge(message, undefined, done)
  finishBody(message).then(
    (body) => judge(message, body, done),
    (error: unknown) => {
      message.session.context.log.error({ err: error, id: message.id }, 'a message could not be finished')
      done({ is: 'refused', name: 'internalError' })
    },
  )
}

/** Undefined if the body is not, or not wholly, in the body stream. */
async function finishBody({ incoming }: Received): Promise<BodyReference | undefined> {
  await incoming.settle()
  if (incoming.state.is !== 'whole' || incoming.writer === undefined || refusal(incoming) !== undefined)
    return undefined
  try {
    return await incoming.writer.finish()
  } catch (error) {
    incoming.notStored(error)
    return undefined
  }
}

function judge(message: Received, body: BodyReference | undefined, done: (outcome: CommitOutcome) => void): void {
  const { session, transaction, incoming, id } = message
  const { context } = session
  const name = refusal(incoming)
  if (name !== undefined) {
    abandon(message)
    return done({ is: 'refused', name })
  }
  const startedAt = performance.now()
  const span = context.tracer.isOn ? AcceptSpan.begin(context.tracer, transaction.startedAt) : undefined
  const record = makeRecord(message, body, span?.traceparent)
  const told = (fate: Fate): void => {
    const seconds = (performance.now() - startedAt) / 1000
    const trace = keptTrace(span?.traceparent)
    tell(fate, seconds, trace)
    // After the reply: sending spans may be due.
    if (trace !== undefined) span?.end(session, record.envelope, fate, startedAt)
  }
  const tell = (fate: Fate, seconds: number, trace: string | undefined): void => {
    switch (fate.is) {
      case 'stored':
        session.listener.series.accepted.inc()
        context.metrics.acceptedRecipients.inc(record.envelope.recipients.length)
        context.metrics.acceptedBytes.inc(record.envelope.facts.size)
        context.metrics.acceptSeconds.observe(seconds, trace)
        logAccepted(message, record, seconds, trace)
        return done({ is: 'accepted', wire: queuedAs(id) })
      case 'refused':
        abandon(message)
        return done({ is: 'refused', name: fate.why === 'full' ? 'queueFull' : 'queueUnavailable', trace })
      case 'unknown':
        context.metrics.unknown.inc()
        context.log.warn({ id, trace, session: session.id, client: session.remoteAddress }, 'fate unknown')
        return done({ is: 'unknown' })
    }
  }
  context.queue.accept(record, told, incoming.writer)
}

/** A message that surely is not stored needs no body. */
function abandon({ session, incoming, id }: Received): void {
  if (incoming.writer === undefined) return
  incoming.abandon().catch((error: unknown) => {
    session.context.log.warn({ err: error, id }, 'the body of a refused message stays until it is swept')
  })
}

function refusal(incoming: Incoming): ReplyName | undefined {
  const { state, scan } = incoming
  if (state.is === 'too-large') return 'tooLarge'
  if (state.is === 'not-stored') return state.why === 'full' ? 'queueFull' : 'queueUnavailable'
  if (scan.bareNewline) return 'bareNewline'
  return scan.receivedCount > mostReceivedHeaders ? 'mailLoop' : undefined
}

function makeRecord(message: Received, body: BodyReference | undefined, traceparent: string | undefined): MailRecord {
  const { session, transaction, incoming, id } = message
  const { parameters } = transaction
  const facts = incoming.scan.facts(incoming.top)
  const envelope: Envelope = {
    id,
    from: transaction.sender.address,
    recipients: transaction.recipients,
    acceptedAt: session.context.now(),
    storedAt: 0,
    origin: 0,
    attempts: { count: 0 },
    facts,
    accepted: acceptanceFacts(session, incoming),
    helo: session.helo,
    ...(parameters.body8bit === true || facts.eightBit ? { body8bit: true } : undefined),
    ...(parameters.smtputf8 === true ? { smtputf8: true } : undefined),
    ...(parameters.ret === undefined ? undefined : { ret: parameters.ret }),
    ...(parameters.envid === undefined ? undefined : { envid: parameters.envid }),
    ...(body === undefined ? undefined : { body }),
    ...(traceparent === undefined ? undefined : { traceparent }),
  }
  return { envelope, content: body === undefined ? incoming.content() : noContent }
}

const noContent = new Uint8Array(0)

function acceptanceFacts(session: Session, incoming: Incoming): AcceptanceFacts {
  const { user, tls } = session
  const { messageId } = incoming.scan
  return {
    node: session.context.node,
    client: session.remoteAddress,
    role: session.listener.role,
    ...(user === undefined ? undefined : { user: user.name }),
    ...(tls === undefined ? undefined : { tls }),
    ...(messageId ? { messageId } : undefined),
  }
}

function logAccepted(
  { session, id }: Received,
  { envelope }: MailRecord,
  seconds: number,
  trace: string | undefined,
): void {
  const { recipients } = envelope
  session.context.log.info(
    {
      id,
      trace,
      session: session.id,
      from: envelope.from,
      to: recipients[0]?.address,
      recipients: recipients.length,
      size: envelope.facts.size,
      client: session.remoteAddress,
      user: envelope.accepted?.user,
      messageId: envelope.accepted?.messageId,
      ms: Math.round(seconds * 1e5) / 100,
    },
    'accepted',
  )
}
